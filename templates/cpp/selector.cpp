// Sends production to Langfuse and development to the console. Abstains otherwise.

#include "spanmux.hpp"

spanmux::Decision select(spanmux::Context context, spanmux::Tracers) {
  auto environment = context.text("environment");
  if (environment == "production") return spanmux::choose("langfuse");
  if (environment == "development") return spanmux::choose("console");
  return spanmux::abstain();
}
SPANMUX_EXPORT(select)
