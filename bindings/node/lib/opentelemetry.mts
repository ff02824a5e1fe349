/** The entry point for `import`. It shares its state with that for `require`. */

export type { Destination, Facts, Inbound, Outbound, RoutingOptions } from "./opentelemetry.js";
export { RoutingSpanProcessor, currentRunContext, withRunContext } from "./opentelemetry.js";
