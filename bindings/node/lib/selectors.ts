/** JavaScript functions as selectors. */

import { messageOf } from "./facts.js";
import type { NativeAnswer, NativeFacts, NativeSpan } from "./native.js";

/** A selector: receives a copy of the facts and the names of the tracers, and returns a name, or
 * `null` or `undefined` to abstain. An exception is a failed decision. Each function of a policy is
 * called for each decision. */
export type Selector = (
  facts: Record<string, unknown>,
  tracers: readonly string[],
) => string | null | undefined;

/** The functions of a policy. */
export class Functions {
  readonly names: string[] = [];
  readonly #functions: Selector[] = [];

  constructor(selectors: Iterable<readonly [string, Selector]>) {
    for (const [name, select] of selectors) {
      if (typeof select !== "function") {
        throw new TypeError(`the selector ${JSON.stringify(name)} is not a function`);
      }
      this.names.push(name);
      this.#functions.push(select);
    }
  }

  /** Calls each function for one decision. */
  answers(
    facts: NativeFacts,
    span: NativeSpan | undefined,
    tracers: readonly string[],
  ): NativeAnswer[] {
    // No selector runs for an incomplete context.
    if (facts.refused !== undefined) {
      return [];
    }
    return this.#functions.map((select) => answerOf(select, facts, span, tracers));
  }
}

function answerOf(
  select: Selector,
  facts: NativeFacts,
  span: NativeSpan | undefined,
  tracers: readonly string[],
): NativeAnswer {
  try {
    const name: unknown = select(factsOf(facts, span), [...tracers]);
    if (name === null || name === undefined) {
      return {};
    }
    if (typeof name !== "string") {
      const kind = name instanceof Promise ? "a promise" : `a value of type ${typeof name}`;
      return { failed: `the selector must return a string, null or undefined, not ${kind}` };
    }
    return { name };
  } catch (thrown) {
    return { failed: messageOf(thrown) };
  }
}

/** Returns a copy of the facts, with those of the root span under `span.`. */
function factsOf(given: NativeFacts, span: NativeSpan | undefined): Record<string, unknown> {
  const facts = parsed(given);
  if (span !== undefined) {
    const { name, kind, attributes } = span;
    const ofSpan = { ...(attributes && parsed(attributes)), name, kind };
    for (const [key, value] of Object.entries(ofSpan)) {
      const full = `span.${key}`;
      if (!Object.hasOwn(facts, full)) {
        facts[full] = value;
      }
    }
  }
  return facts;
}

function parsed(given: NativeFacts): Record<string, unknown> {
  const facts = JSON.parse(given.json) as Record<string, unknown>;
  given.floatKeys?.forEach((key, place) => {
    facts[key] = given.floats?.[place];
  });
  return facts;
}
