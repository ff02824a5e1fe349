/** Decisions as JavaScript objects. */

import type { NativeDecision } from "./native.js";

/** The reason why a selector did not choose the tracer. The first nine are failures, for which the
 * trace goes to the fallback tracer. */
export type Cause =
  | "unknown_tracer"
  | "forbidden_tracer"
  | "failed"
  | "trapped"
  | "out_of_budget"
  | "overloaded"
  | "suspended"
  | "unavailable"
  | "host"
  | "incomplete_context"
  | "abstained"
  | "no_selector"
  | "no_tracers";

/** The decision for one trace. */
export interface Decision {
  /** The name of the tracer that receives the trace, or `null` if the list of tracers is empty. */
  readonly tracer: string | null;
  /** The name of the selector that decided, or `null` if all abstained. */
  readonly selector: string | null;
  /** The SHA-256 digest of the selector's file, or `null` for a function. */
  readonly digest: string | null;
  /** `null`, or the cause for which the trace goes to the fallback tracer. */
  readonly fallback: Cause | null;
  /** `null` if a selector chose the tracer, or else the cause. */
  readonly cause: Cause | null;
  /** The reason as a sentence. */
  readonly reason: string;
  /** `true` if a selector chose the tracer. */
  readonly chosen: boolean;
  /** `true` if the decision was cached and no component ran. */
  readonly cached: boolean;
}

/** Converts a decision. It is frozen, because decisions share one object. */
export function decisionOf(native: NativeDecision): Decision {
  const cause = (native.cause ?? null) as Cause | null;
  return Object.freeze({
    tracer: native.tracer ?? null,
    selector: native.selector ?? null,
    digest: native.digest ?? null,
    fallback: (native.fallback ?? null) as Cause | null,
    cause,
    reason: native.reason,
    chosen: cause === null,
    cached: native.cached,
  });
}

/** Returns the attributes of a root span that describe its tracer and the decision. */
export function attributesOf(tracer: string | undefined, decision: Decision): Record<string, string> {
  const attributes: Record<string, string> = {};
  if (tracer !== undefined) {
    attributes["spanmux.tracer"] = tracer;
  }
  if (decision.selector !== null) {
    attributes["spanmux.selector"] = decision.selector;
  }
  if (decision.digest !== null) {
    attributes["spanmux.selector.digest"] = decision.digest;
  }
  if (decision.cause !== null) {
    attributes["spanmux.fallback"] = decision.cause;
    attributes["spanmux.fallback.reason"] = decision.reason;
  }
  return attributes;
}

/** Describes a decision that this package could not make. */
export function failedDecision(tracer: string | null, reason: string): Decision {
  return Object.freeze({
    tracer,
    selector: null,
    digest: null,
    fallback: "host",
    cause: "host",
    reason,
    chosen: false,
    cached: false,
  });
}
