/** The run context: the application's facts about the run that is about to be traced. */

import { AsyncLocalStorage } from "node:async_hooks";

import { messageOf, refuseOtherKeys, refuseOthers } from "../facts.js";

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
function merged(outer: Facts, facts: unknown): Facts {
  try {
    return { ...outer, ...own(facts) };
  } catch (thrown) {
    return { ...outer, context: new Unreadable(messageOf(thrown)) };
  }
}

function own(facts: unknown): Facts {
  // JavaScript may pass anything.
  if (facts === undefined || facts === null) {
    return EMPTY;
  }
  refuseOthers(facts);
  if (!(facts instanceof Map)) {
    return facts as Facts;
  }
  const map = facts as ReadonlyMap<unknown, unknown>;
  for (const key of map.keys()) {
    refuseOtherKeys(key);
  }
  return Object.fromEntries(map as ReadonlyMap<string, unknown>);
}

/** A fact that no context holds. Its message is the reason of the fallback. */
class Unreadable {
  readonly #message: string;

  constructor(message: string) {
    this.#message = message;
  }

  toJSON(): never {
    throw new Error(this.#message);
  }
}
