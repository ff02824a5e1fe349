/** The events of a policy, for `onEvent` of `Policy.load`. */

import { messageOf } from "./facts.js";

/** An event of a policy. `kind` tells them apart:
 *
 * ```js
 * if (event.kind === "refused") {
 *   console.warn(`${event.selector}: ${event.reason}`);
 * }
 * ``` */
export type PolicyEvent =
  /** A file was loaded and its selector is live. `digest` is its SHA-256. */
  | { readonly kind: "loaded"; readonly selector: string; readonly path: string; readonly digest: string; readonly bytes: number }
  /** A file could not be loaded. If `kept`, its previous content stays live. Otherwise, decisions that
   * reach its position go to the fallback tracer. */
  | { readonly kind: "refused"; readonly selector: string; readonly path: string; readonly reason: string; readonly kept: boolean }
  /** A live selector is no longer listed in the lock file. Decisions that reach its position go to the
   * fallback tracer. */
  | { readonly kind: "revoked"; readonly selector: string; readonly path: string; readonly reason: string }
  /** A file was removed, and its selector left the chain. */
  | { readonly kind: "removed"; readonly selector: string; readonly path: string }
  /** A new chain of a watched directory is live. */
  | { readonly kind: "changed"; readonly selectors: readonly string[] }
  /** A watched directory cannot be read. Its chain is unchanged. */
  | { readonly kind: "unreadable"; readonly path: string; readonly reason: string }
  /** A selector does not run for `backOffMs`. Its cached decisions stay available. */
  | { readonly kind: "suspended"; readonly selector: string; readonly reason: string; readonly backOffMs: number }
  /** The suspension of a selector ended. */
  | { readonly kind: "resumed"; readonly selector: string }
  /** A component printed text while it decided. */
  | { readonly kind: "printed"; readonly selector: string; readonly text: string }
  /** The compile cache at `path` cannot be used, so selectors are compiled at each start. */
  | { readonly kind: "cache_unusable"; readonly path: string; readonly reason: string }
  /** The callback was too slow for `count` events, which are lost. */
  | { readonly kind: "missed"; readonly count: number };

/** Returns a callback that never throws. The first failure is a warning of the process; a broken
 * callback would fill the log. */
export function guarded(onEvent: (event: PolicyEvent) => unknown): (event: PolicyEvent) => void {
  let hasWarned = false;
  const warn = (thrown: unknown): void => {
    if (!hasWarned) {
      hasWarned = true;
      process.emitWarning(`spanmux: onEvent failed: ${messageOf(thrown)}; further failures are not reported`);
    }
  };
  return (event) => {
    try {
      // The promise of an asynchronous function may reject.
      Promise.resolve(onEvent(Object.freeze(event))).catch(warn);
    } catch (thrown) {
      warn(thrown);
    }
  };
}
