/* Sends production to Langfuse and development to the console. Abstains otherwise. */

#include "spanmux.h"

#include <string.h>

spanmux_decision spanmux_select(const spanmux_context *context, spanmux_tracers tracers) {
  (void)tracers;
  const char *environment = spanmux_get_text(context, "environment");
  if (!environment) return spanmux_abstain();
  if (strcmp(environment, "production") == 0) return spanmux_choose("langfuse");
  if (strcmp(environment, "development") == 0) return spanmux_choose("console");
  return spanmux_abstain();
}
