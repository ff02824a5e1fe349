// The policy of the suite in C++. `../mutations.tsv` changes one literal at a time.

#include "spanmux.hpp"

spanmux::Decision select(spanmux::Context context, spanmux::Tracers) {
  using spanmux::choose;
  if (context.text("span.name") == "GET /healthz") return choose("discard");
  auto tenant = context.text("tenant");
  if (tenant == "") return spanmux::fail("`tenant` is empty");
  if (tenant == "acme") return choose("tenant-acme");
  if (context.text("user.tier") == "enterprise")
    return choose(context.text("region") == "eu-west-1" ? "langfuse-eu" : "langfuse");
  if (context.integer("tokens").value_or(0) > 1000) return choose("quarantine");
  if (context.has("debug")) return choose("console");
  auto share = context.bucket("user.id", "rollout-7", 100);
  if (share && *share < 15) return choose("candidate");
  if (context.text("environment") == "production") return choose("langfuse");
  return spanmux::abstain();
}
SPANMUX_EXPORT(select)
