// The types of the package, as a program sees them that requires it.

import spanmux = require("spanmux");
import opentelemetry = require("spanmux/opentelemetry");
import mastra = require("spanmux/mastra");

async function main(): Promise<string | null> {
  const policy = await spanmux.Policy.load("selectors");
  const list: spanmux.Tracers = policy.tracers(["a"]);
  mastra.mastraSelector(policy);
  return opentelemetry.withRunContext({}, () => list.decide({}).tracer);
}

export = main;
