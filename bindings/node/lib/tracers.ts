/** A list of tracers, for which a policy decides. */

import { AskedKeys } from "./asked.js";
import { type Decision, decisionOf, failedDecision } from "./decision.js";
import { messageOf, readFacts } from "./facts.js";
import type { NativeSpan, NativeTracerList } from "./native.js";
import type { Functions } from "./selectors.js";

/** The root span that is about to start. */
export interface RootSpan {
  readonly name: string;
  /** The kind in lower case. Defaults to `"internal"`. */
  readonly kind?: string;
  /** Its start attributes. */
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** A list of tracers of a policy. Keep it, so that a decision does not look it up. */
export class Tracers {
  /** The names in order. */
  readonly names: readonly string[];
  /** @internal */
  readonly native: NativeTracerList;
  readonly #fallback: string | null;
  readonly #functions: Functions;
  /** The keys of the fast route. */
  #asked: AskedKeys | null = null;
  /** The generation for which the keys were read last, with a fast route or without. */
  #generation: number | undefined;
  /** The decisions by their numbers in the generation of the asked keys. */
  #known: (Decision | undefined)[] = [];

  /** @internal Use {@link Policy.tracers}. */
  constructor(
    native: NativeTracerList,
    names: readonly string[],
    fallback: string | undefined,
    functions: Functions,
  ) {
    this.native = native;
    this.names = names;
    this.#fallback = fallback ?? names[0] ?? null;
    this.#functions = functions;
  }

  /** Decides one trace. Never throws. */
  decide(context?: unknown, span?: RootSpan): Decision {
    try {
      return this.#decide(context, span);
    } catch (thrown) {
      // For example, the caller has no stack left.
      return failedDecision(this.#fallback, messageOf(thrown));
    }
  }

  #decide(context: unknown, span: RootSpan | undefined): Decision {
    const asked = this.#asked;
    if (asked !== null) {
      const number = asked.recall(context, span);
      const decision = number < 0 ? undefined : this.#known[number];
      if (decision !== undefined) {
        return decision;
      }
    }
    return this.decideWhole(context, span);
  }

  /** Decides as {@link decide} does, from the whole context.
   *
   * @internal */
  decideWhole(context?: unknown, span?: RootSpan): Decision {
    const facts = readFacts(context);
    const nativeSpan = span && spanOf(span);
    const answers = this.#functions.answers(facts, nativeSpan, this.names);
    const native = this.native.decide(facts, nativeSpan, answers);
    const decision = decisionOf(native);
    // A failed decision has no generation; the keys may still be the same.
    if (native.fallback === undefined && native.generation !== this.#generation) {
      this.#asked = AskedKeys.of(this.native);
      this.#generation = native.generation;
      this.#known = [];
    }
    const isKept = native.generation !== undefined && native.generation === this.#asked?.generation;
    if (isKept && native.number !== undefined && (native.cached || native.cause === "no_selector")) {
      this.#known[native.number] = decision;
    }
    return decision;
  }
}

function spanOf(span: RootSpan): NativeSpan {
  const { kind = "internal", attributes } = span;
  // JavaScript may pass anything.
  const name: unknown = span.name;
  const native: NativeSpan = { name: String(name).toWellFormed(), kind };
  if (attributes !== undefined) {
    native.attributes = readFacts(attributes);
  }
  return native;
}
