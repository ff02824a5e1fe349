// Production goes to Langfuse, development to the console; all else is left to others.

#include "spanmux.hpp"

spanmux::Decision select(spanmux::Context context, spanmux::Tracers) {
  auto environment = context.text("environment");
  if (environment == "production") return spanmux::choose("langfuse");
  if (environment == "development") return spanmux::choose("console");
  return spanmux::abstain();
}
SPANMUX_EXPORT(select)
