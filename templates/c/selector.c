/* Production goes to Langfuse, development to the console; all else is left to others. */

#include "spanway.h"

#include <string.h>

spanway_decision spanway_select(const spanway_context *context, spanway_tracers tracers) {
  (void)tracers;
  const char *environment = spanway_get_text(context, "environment");
  if (!environment) return spanway_abstain();
  if (strcmp(environment, "production") == 0) return spanway_choose("langfuse");
  if (strcmp(environment, "development") == 0) return spanway_choose("console");
  return spanway_abstain();
}
