/* The policy of the suite in C. `../mutations.tsv` changes one literal at a time. */

#include "spanmux.h"

#include <string.h>

static bool is(const char *text, const char *other) { return text && strcmp(text, other) == 0; }

spanmux_decision spanmux_select(const spanmux_context *context, spanmux_tracers tracers) {
  (void)tracers;
  if (is(spanmux_get_text(context, "span.name"), "GET /healthz")) return spanmux_choose("discard");
  const char *tenant = spanmux_get_text(context, "tenant");
  if (is(tenant, "")) return spanmux_fail("`tenant` is empty");
  if (is(tenant, "acme")) return spanmux_choose("tenant-acme");
  if (is(spanmux_get_text(context, "user.tier"), "enterprise"))
    return spanmux_choose(is(spanmux_get_text(context, "region"), "eu-west-1") ? "langfuse-eu" : "langfuse");
  int64_t tokens;
  if (spanmux_get_integer(context, "tokens", &tokens) && tokens > 1000) return spanmux_choose("quarantine");
  if (spanmux_has(context, "debug")) return spanmux_choose("console");
  uint32_t share;
  if (spanmux_bucket(context, "user.id", "rollout-7", 100, &share) && share < 15)
    return spanmux_choose("candidate");
  if (is(spanmux_get_text(context, "environment"), "production")) return spanmux_choose("langfuse");
  return spanmux_abstain();
}
