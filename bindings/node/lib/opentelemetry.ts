/** Routes the spans of OpenTelemetry: each trace goes to the tracer that a policy selects.
 *
 * ```js
 * const routing = new RoutingSpanProcessor({ policy, tracers: { langfuse, console } });
 * new NodeTracerProvider({ spanProcessors: [routing] }).register();
 * withRunContext({ environment: "production", tenant: "acme" }, () => agent.generate(question));
 * ``` */

export type { Inbound, Outbound } from "./routing/decide.js";
export { type Destination, type RoutingOptions, RoutingSpanProcessor } from "./routing/processor.js";
export { currentRunContext, type Facts, withRunContext } from "./routing/run-context.js";
