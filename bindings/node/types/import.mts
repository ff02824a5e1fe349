// The types of the package, as a program sees them that imports it.

import { ConsoleSpanExporter, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { type Cause, type Decision, Policy, PolicyError, type PolicyEvent } from "spanmux";
import { mastraSelector } from "spanmux/mastra";
import { RoutingSpanProcessor, withRunContext } from "spanmux/opentelemetry";

const policy: Policy = await Policy.load(new URL("selectors", import.meta.url), {
  watch: false,
  limits: { fuel: 1_000_000 },
  selectors: [["own", (facts, tracers) => (facts["tenant"] === "acme" ? tracers[0] : null)]],
  onEvent: (event) => shown(event),
  small: true,
});

function shown(event: PolicyEvent): string {
  switch (event.kind) {
    case "refused":
      return `${event.selector}: ${event.kept ? "kept" : event.reason}`;
    case "suspended":
      return `${event.backOffMs / 1000} s`;
    default: {
      // @ts-expect-error Not every event has a reason.
      const reason: unknown = event.reason;
      return `${event.kind}: ${typeof reason}`;
    }
  }
}

const decision: Decision = policy.decide({ tenant: "acme" }, ["a", "b"], { default: "b" });
const cause: Cause | null = decision.fallback;
// @ts-expect-error A decision cannot be changed.
decision.tracer = "a";
// @ts-expect-error There is no such limit.
void Policy.load("selectors", { limits: { fule: 1 } });

const tracers = { a: new SimpleSpanProcessor(new InMemorySpanExporter()), b: [new ConsoleSpanExporter()] };
new NodeTracerProvider({ spanProcessors: [new RoutingSpanProcessor({ policy, tracers })] }).register();
const result: number = withRunContext({ tenant: "acme" }, () => 7);
const selected: string | undefined = mastraSelector(policy, { fallback: "b" })({}, new Map());

export { PolicyError, cause, result, selected };
