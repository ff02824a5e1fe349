/** The entry point for `import`. It shares its state with that for `require`. */

export type {
  Cause,
  Decision,
  ExplainFormat,
  FileStatus,
  Limits,
  PolicyEvent,
  PolicyOptions,
  PolicyStatus,
  RootSpan,
  Selector,
  TracersOptions,
} from "./index.js";
// By name, for bundlers that do not run CommonJS.
export { Policy, PolicyError, Tracers } from "./index.js";
