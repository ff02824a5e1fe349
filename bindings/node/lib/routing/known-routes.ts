/** The routes of traces by their ids, for contexts that were rebuilt from ids. */

import type { Route } from "./route.js";

/** The ended local roots that are kept. */
const MAX_ENDED = 4_096;
/** The local roots with an open span that are kept. A span that never ends leaks no more. */
const MAX_OPEN = 100_000;
/** The local roots of one trace among which a root is looked for by its own ids. */
const MAX_STEPS = 32;

/** A local root. {@link KnownRoutes} changes it. */
export class KnownRoot {
  readonly traceId: string;
  readonly spanId: string;
  readonly route: Route;
  /** The number of its open spans. */
  open = 0;
  /** Its place among the ended roots, or -1. */
  place = -1;
  /** The roots of the same trace that started before and after it. */
  earlier: KnownRoot | undefined;
  later: KnownRoot | undefined;

  constructor(traceId: string, spanId: string, route: Route) {
    this.traceId = traceId;
    this.spanId = spanId;
    this.route = route;
  }
}

/** The local roots with an open span, and the last ones without.
 *
 * A root is found by its own ids, or else by its trace. A trace has several local roots if a caller's
 * trace enters this process more than once.
 *
 * Each root span enters and leaves, so nothing here iterates over a set whose first members have been
 * removed: the engine steps over each of them. */
export class KnownRoutes {
  /** The latest root of each trace. */
  readonly #latest = new Map<string, KnownRoot>();
  readonly #open = new Set<KnownRoot>();
  /** A ring. */
  readonly #ended: (KnownRoot | undefined)[] = new Array<KnownRoot | undefined>(MAX_ENDED).fill(undefined);
  #next = 0;

  /** Returns the local root of a span with these ids, if it is one of the last of its trace. */
  find(traceId: string, spanId: string): KnownRoot | undefined {
    const latest = this.#latest.get(traceId);
    let root = latest;
    for (let steps = 0; root !== undefined && steps < MAX_STEPS; steps += 1) {
      if (root.spanId === spanId) {
        return root;
      }
      root = root.earlier;
    }
    return latest;
  }

  /** Adds a local root that has started. */
  add(traceId: string, spanId: string, route: Route): KnownRoot {
    const root = new KnownRoot(traceId, spanId, route);
    const latest = this.#latest.get(traceId);
    if (latest !== undefined) {
      root.earlier = latest;
      latest.later = root;
    }
    this.#latest.set(traceId, root);
    this.#open.add(root);
    if (this.#open.size > MAX_OPEN) {
      this.#forgetOldestOpen();
    }
    return root;
  }

  /** Records that a span below a local root has started. */
  started(root: KnownRoot): void {
    root.open += 1;
    // A late child of a root whose spans had all ended.
    if (root.place >= 0) {
      this.#ended[root.place] = undefined;
      root.place = -1;
      this.#open.add(root);
    }
  }

  /** Records that a span below a local root has ended. */
  ended(root: KnownRoot): void {
    root.open -= 1;
    if (root.open === 0 && this.#open.delete(root)) {
      const oldest = this.#ended[this.#next];
      if (oldest !== undefined) {
        oldest.place = -1;
        this.#forget(oldest);
      }
      this.#ended[this.#next] = root;
      root.place = this.#next;
      this.#next = (this.#next + 1) % MAX_ENDED;
    }
  }

  #forgetOldestOpen(): void {
    for (const oldest of this.#open) {
      this.#open.delete(oldest);
      this.#forget(oldest);
      return;
    }
  }

  #forget(root: KnownRoot): void {
    const { earlier, later } = root;
    if (earlier !== undefined) {
      earlier.later = later;
    }
    if (later !== undefined) {
      later.earlier = earlier;
    } else if (earlier !== undefined) {
      this.#latest.set(root.traceId, earlier);
    } else {
      this.#latest.delete(root.traceId);
    }
    root.earlier = undefined;
    root.later = undefined;
  }
}
