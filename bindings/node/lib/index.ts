/** Decide, trace by trace, which tracer receives a trace.
 *
 * ```js
 * const policy = await Policy.load("selectors");
 * const decision = policy.decide({ environment: "production" }, ["langfuse", "console"]);
 * decision.tracer; // "langfuse"
 * ```
 *
 * For OpenTelemetry see `spanmux/opentelemetry`, for Mastra `spanmux/mastra`. */

export type { Cause, Decision } from "./decision.js";
export type { PolicyEvent } from "./events.js";
export type { FileStatus, PolicyStatus } from "./native.js";
export {
  type ExplainFormat,
  type Limits,
  Policy,
  PolicyError,
  type PolicyOptions,
  type TracersOptions,
} from "./policy.js";
export type { Selector } from "./selectors.js";
export { type RootSpan, Tracers } from "./tracers.js";
