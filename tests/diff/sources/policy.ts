// The policy of the suite in AssemblyScript. `../mutations.tsv` changes one literal at a time.

import { Context, Decision } from "./spanmux";

export function decide(context: Context, tracers: string[]): Decision {
  if (context.text("span.name") == "GET /healthz") return Decision.choose("discard");
  const tenant = context.text("tenant");
  if (tenant !== null && tenant == "") return Decision.fail("`tenant` is empty");
  if (tenant == "acme") return Decision.choose("tenant-acme");
  if (context.text("user.tier") == "enterprise")
    return Decision.choose(context.text("region") == "eu-west-1" ? "langfuse-eu" : "langfuse");
  if (context.integer("tokens", 0) > 1000) return Decision.choose("quarantine");
  if (context.has("debug")) return Decision.choose("console");
  const share = context.bucket("user.id", "rollout-7", 100);
  if (share >= 0 && share < 15) return Decision.choose("candidate");
  if (context.text("environment") == "production") return Decision.choose("langfuse");
  return Decision.abstain();
}
