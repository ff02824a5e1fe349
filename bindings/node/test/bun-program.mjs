// Decides, routes and receives an event, and prints the number of decisions and spans.

import assert from "node:assert/strict";

import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { Policy } from "spanmux";
import { RoutingSpanProcessor, withRunContext } from "spanmux/opentelemetry";

import { SELECTORS, TRACERS, until } from "./shared.mjs";

const kinds = [];
const policy = await Policy.load(SELECTORS, { onEvent: ({ kind }) => void kinds.push(kind) });
// The third decision takes the fast route.
for (let time = 0; time < 3; time += 1) {
  assert.equal(policy.decide({ tenant: "acme" }, TRACERS).tracer, "tenant-acme");
}
const acme = new InMemorySpanExporter();
const tracers = { console: new InMemorySpanExporter(), "tenant-acme": new SimpleSpanProcessor(acme) };
const provider = new BasicTracerProvider({ spanProcessors: [new RoutingSpanProcessor({ policy, tracers })] });
await withRunContext({ tenant: "acme" }, async () => {
  await Promise.resolve();
  provider.getTracer("tests").startSpan("answer").end();
});
await until(() => kinds.includes("loaded"));
console.log(`3 decisions, ${acme.getFinishedSpans().length} span`);
