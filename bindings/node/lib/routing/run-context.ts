/** The run context: the application's facts about the run that is about to be traced. */

import { AsyncLocalStorage } from "node:async_hooks";

export type Facts = Readonly<Record<string, unknown>>;

const EMPTY: Facts = Object.freeze({});
const current = new AsyncLocalStorage<Facts>();

/** Runs a function in which root spans see these facts. Returns its result.
 *
 * Calls can be nested; the inner value of a key wins. The facts follow asynchronous code, as
 * `AsyncLocalStorage` does: promises, timers, callbacks and streams that are created inside. */
export function withRunContext<T>(facts: Facts | ReadonlyMap<string, unknown>, run: () => T): T {
  return current.run(merged(currentRunContext(), facts), run);
}

/** Returns the current facts. */
export function currentRunContext(): Facts {
  return current.getStore() ?? EMPTY;
}

/** Merges facts. If they cannot be read, a fact that no context holds takes their place, so that the
 * decision is a fallback and the caller sees no exception. */
function merged(outer: Facts, facts: Facts | ReadonlyMap<string, unknown>): Facts {
  try {
    const own = facts instanceof Map ? Object.fromEntries(facts as ReadonlyMap<string, unknown>) : facts;
    return { ...outer, ...(own as Facts) };
  } catch {
    return { ...outer, context: Symbol("facts that cannot be read") };
  }
}
