// Sends production to Langfuse and development to the console. Abstains otherwise.

import { Context, Decision } from "./spanmux";

export function decide(context: Context, tracers: string[]): Decision {
  const environment = context.text("environment");
  if (environment == "production") return Decision.choose("langfuse");
  if (environment == "development") return Decision.choose("console");
  return Decision.abstain();
}
