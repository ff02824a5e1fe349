/** The routes of traces by their ids, for contexts that were rebuilt from ids. */

import type { Route } from "./route.js";

/** The routes of ended local roots that are kept. */
const MAX_ENDED = 4_096;
/** The routes of local roots with an open span that are kept. A span that never ends leaks no more. */
const MAX_OPEN = 100_000;

/** A local root, and the number of its open spans. */
export interface KnownRoot {
  readonly traceId: string;
  /** The ids of the trace and of the span. */
  readonly key: string;
  readonly route: Route;
  open: number;
}

/** The local roots with an open span, and the last ones without.
 *
 * A root is found by its own ids, or else by its trace. A trace has several local roots if a caller's
 * trace enters this process more than once. */
export class KnownRoutes {
  readonly #byTrace = new Map<string, KnownRoot>();
  readonly #byRoot = new Map<string, KnownRoot>();
  readonly #open = new Set<KnownRoot>();
  readonly #ended = new Set<KnownRoot>();

  /** The number of local roots that are known. */
  get size(): number {
    return this.#open.size + this.#ended.size;
  }

  /** Returns the local root of a span with these ids. */
  find(traceId: string, spanId: string): KnownRoot | undefined {
    return this.#byRoot.get(traceId + spanId) ?? this.#byTrace.get(traceId);
  }

  /** Adds a local root that has started. */
  add(traceId: string, spanId: string, route: Route): KnownRoot {
    const root: KnownRoot = { traceId, key: traceId + spanId, route, open: 0 };
    this.#byTrace.set(traceId, root);
    this.#byRoot.set(root.key, root);
    this.#open.add(root);
    this.#evict(this.#open, MAX_OPEN);
    return root;
  }

  /** Records that a span below a local root has started. */
  started(root: KnownRoot): void {
    root.open += 1;
    // A late child of a root whose spans had all ended.
    if (root.open === 1 && this.#ended.delete(root)) {
      this.#open.add(root);
    }
  }

  /** Records that a span below a local root has ended. */
  ended(root: KnownRoot): void {
    root.open -= 1;
    if (root.open === 0 && this.#open.delete(root)) {
      this.#ended.add(root);
      this.#evict(this.#ended, MAX_ENDED);
    }
  }

  /** Forgets the oldest root of a set that is too large. */
  #evict(roots: Set<KnownRoot>, limit: number): void {
    if (roots.size <= limit) {
      return;
    }
    for (const oldest of roots) {
      roots.delete(oldest);
      this.#byRoot.delete(oldest.key);
      // A later root of the trace stays.
      if (this.#byTrace.get(oldest.traceId) === oldest) {
        this.#byTrace.delete(oldest.traceId);
      }
      return;
    }
  }
}
