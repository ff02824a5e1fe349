/** Selects Mastra's observability configuration for each trace.
 *
 * ```js
 * const selector = mastraSelector(policy);
 * new Mastra({
 *   observability: new Observability({
 *     configs: { langfuse: { serviceName: "shop", exporters, spanOutputProcessors: [selector.processor] } },
 *     configSelector: selector,
 *   }),
 * });
 * ``` */

import { attributesOf, type Decision } from "./decision.js";
import { messageOf } from "./facts.js";
import type { Policy } from "./policy.js";
import type { Tracers } from "./tracers.js";

/** The longest name that a policy accepts, in bytes. */
const MAX_NAME_BYTES = 256;

/** The part of Mastra's request context that is read. */
export interface RequestContextLike {
  entries(): Iterable<readonly [string, unknown]>;
}

/** The part of a Mastra span that is described. */
export interface MastraSpan {
  readonly isRootSpan: boolean;
  metadata?: Record<string, unknown> | undefined;
}

/** A processor that describes the decision on the root span, in its metadata. */
export interface MastraProcessor {
  readonly name: string;
  // `any`, because Mastra's own interface has its type of span in both places.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  process(span?: any): any;
  shutdown(): Promise<void>;
}

/** A config selector of Mastra. */
export interface MastraSelector {
  (
    options: { requestContext?: RequestContextLike | undefined },
    available: ReadonlyMap<string, unknown>,
  ): string | undefined;
  /** Writes the decision to the metadata of the root span. Add it to the `spanOutputProcessors` of
   * each configuration. */
  readonly processor: MastraProcessor;
}

/** The settings of a selector. */
export interface MastraOptions {
  /** The configuration of failed decisions. Without it, or while no configuration has the name, they
   * go to Mastra's default. */
  fallback?: string;
  /** Is called with each decision. */
  onDecision?: (decision: Decision) => void;
}

/** Returns a config selector that asks a policy.
 *
 * It returns the name of a live configuration, or `undefined` for Mastra's default if all selectors
 * abstained or the decision failed. It never throws. A change of the selectors or of the
 * configurations applies to the next trace. */
export function mastraSelector(policy: Policy, options: MastraOptions = {}): MastraSelector {
  const deciding = new Deciding(policy, options);
  return Object.assign(deciding.select.bind(deciding), { processor: deciding.processor });
}

/** A decision whose root span has not started yet. */
interface Pending {
  decision: Decision;
  selected: string | undefined;
}

class Deciding {
  readonly processor: MastraProcessor;
  readonly #policy: Policy;
  readonly #options: MastraOptions;
  /** The list for the names that were live last. */
  #list: Tracers | undefined;
  #names: readonly string[] = [];
  #pending: Pending | undefined;
  #hasWarned = false;

  constructor(policy: Policy, options: MastraOptions) {
    this.#policy = policy;
    this.#options = options;
    const described = new WeakSet<object>();
    this.processor = {
      name: "spanmux",
      process: (span?: MastraSpan) => {
        if (span?.isRootSpan === true && !described.has(span)) {
          described.add(span);
          this.#describe(span);
        }
        return span;
      },
      shutdown: () => Promise.resolve(),
    };
  }

  select(
    given: { requestContext?: RequestContextLike | undefined },
    available: ReadonlyMap<string, unknown>,
  ): string | undefined {
    this.#pending = undefined;
    try {
      const decision = this.#listOf(available).decide(factsOf(given.requestContext));
      const selected = this.#selected(decision, available);
      this.#pending = { decision, selected };
      // Mastra starts the root span at once. A span that is not sampled takes no decision.
      queueMicrotask(() => {
        this.#pending = undefined;
      });
      this.#tell(decision);
      return selected;
    } catch (thrown) {
      this.#warn(`a Mastra trace goes to the default: ${messageOf(thrown)}`);
      return undefined;
    }
  }

  #tell(decision: Decision): void {
    try {
      this.#options.onDecision?.(decision);
    } catch (thrown) {
      this.#warn(`onDecision failed: ${messageOf(thrown)}`);
    }
  }

  /** Warns once: a broken hook would fill the log. */
  #warn(message: string): void {
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      process.emitWarning(`spanmux: ${message}; further failures are not reported`);
    }
  }

  #selected(decision: Decision, available: ReadonlyMap<string, unknown>): string | undefined {
    if (decision.chosen) {
      return decision.tracer ?? undefined;
    }
    const { fallback } = this.#options;
    const isLive = fallback !== undefined && available.has(fallback);
    return decision.fallback !== null && isLive ? fallback : undefined;
  }

  /** Returns the list for the live names. Mastra accepts names that a policy does not. */
  #listOf(available: ReadonlyMap<string, unknown>): Tracers {
    const names: string[] = [];
    for (const name of available.keys()) {
      if (name !== "" && Buffer.byteLength(name) <= MAX_NAME_BYTES && name.isWellFormed()) {
        names.push(name);
      }
    }
    const isSame =
      names.length === this.#names.length && names.every((name, place) => name === this.#names[place]);
    if (this.#list === undefined || !isSame) {
      this.#list = this.#policy.tracers(names);
      this.#names = names;
    }
    return this.#list;
  }

  #describe(span: MastraSpan): void {
    const pending = this.#pending;
    if (pending === undefined) {
      return;
    }
    this.#pending = undefined;
    const { decision, selected } = pending;
    span.metadata = { ...span.metadata, ...attributesOf(selected, decision) };
  }
}

/** Returns the facts of a request context, which Mastra keeps in a map. */
function factsOf(context: RequestContextLike | null | undefined): unknown {
  try {
    return typeof context?.entries === "function" ? Object.fromEntries(context.entries()) : context;
  } catch (thrown) {
    // Not an object, so it makes the context incomplete.
    return messageOf(thrown);
  }
}
