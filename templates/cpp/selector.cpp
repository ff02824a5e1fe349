// Production goes to Langfuse, development to the console; all else is left to others.

#include "spanway.hpp"

spanway::Decision select(spanway::Context context, spanway::Tracers) {
  auto environment = context.text("environment");
  if (environment == "production") return spanway::choose("langfuse");
  if (environment == "development") return spanway::choose("console");
  return spanway::abstain();
}
SPANWAY_EXPORT(select)
