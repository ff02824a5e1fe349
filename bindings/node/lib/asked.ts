/** The fast route: of a context, only the values that learned decisions ask are handed over. */

import { native, type NativeRecall, type NativeTracerList } from "./native.js";
import type { RootSpan } from "./tracers.js";

/** The characters of a context that are surely within its limit: one becomes at most three bytes. */
const MAX_CHARACTERS = Math.floor(native.MAX_CONTEXT_BYTES / 3);

/** The decision is not learned, or the context has to be read as a whole. */
const UNKNOWN = -1;

const SPAN = "span.";

/** The keys that learned decisions ask, of one generation.
 *
 * A context with a value that is not plain, or that might not fit, is read as a whole: the decision
 * for an incomplete context is a fallback, whatever the selectors ask. */
export class AskedKeys {
  readonly generation: number;
  readonly #recall: NativeRecall;
  /** A context without any of the keys. */
  readonly #absent: readonly undefined[];
  readonly #places: Map<string, number>;
  /** The places of keys of the root span, with the keys behind the prefix. */
  readonly #ofSpan: [number, string][] = [];

  private constructor(generation: number, keys: readonly string[], recall: NativeRecall) {
    this.generation = generation;
    this.#recall = recall;
    this.#absent = keys.map(() => undefined);
    this.#places = new Map(keys.map((key, place) => [key, place]));
    for (const [key, place] of this.#places) {
      if (key.startsWith(SPAN)) {
        this.#ofSpan.push([place, key.slice(SPAN.length)]);
      }
    }
  }

  /** Returns the keys of a list of tracers, or `null` if it has no fast route now. */
  static of(list: NativeTracerList): AskedKeys | null {
    const asked = list.askedKeys();
    if (asked === null || asked.keys.length > native.MAX_ASKED_KEYS || !Number.isSafeInteger(asked.generation)) {
      return null;
    }
    return new AskedKeys(asked.generation, asked.keys, list.recalling(asked));
  }

  /** Returns the number of a learned decision, or a negative number. */
  recall(context: unknown, span: RootSpan | undefined): number {
    const values: unknown[] = this.#absent.slice();
    try {
      if (!this.#read(context, values) || (span !== undefined && !this.#readSpan(span, values))) {
        return UNKNOWN;
      }
    } catch {
      // A getter or a proxy threw. Reading the whole context names the key.
      return UNKNOWN;
    }
    return this.#recall(...values);
  }

  /** Reads the asked values. Returns `false` if the context has to be read as a whole. */
  #read(context: unknown, values: unknown[]): boolean {
    if (context === undefined || context === null) {
      return true;
    }
    if (typeof context !== "object" || context instanceof Map || Array.isArray(context)) {
      return false;
    }
    const object = context as Record<string, unknown>;
    const keys = Object.keys(object);
    // Without keys it may be something else than facts, such as a promise.
    if (keys.length === 0 || keys.length > native.MAX_CONTEXT_KEYS) {
      return false;
    }
    let characters = 0;
    for (const key of keys) {
      const value = object[key];
      characters += key.length;
      switch (typeof value) {
        case "string":
          characters += value.length;
          if (characters > MAX_CHARACTERS || !value.isWellFormed()) {
            return false;
          }
          break;
        case "number":
        case "boolean":
        case "undefined":
          break;
        default:
          if (value !== null) {
            return false;
          }
      }
      const place = this.#places.get(key);
      if (place === undefined) {
        if (!key.isWellFormed()) {
          return false;
        }
      } else if (typeof value === "number" && !isPlainNumber(value)) {
        return false;
      } else {
        values[place] = value;
      }
    }
    return characters <= MAX_CHARACTERS;
  }

  /** Reads the asked values of the root span that the context does not have. */
  #readSpan(span: RootSpan, values: unknown[]): boolean {
    for (const [place, key] of this.#ofSpan) {
      if (values[place] !== undefined) {
        continue;
      }
      const value = spanValue(span, key);
      switch (typeof value) {
        case "undefined":
          break;
        case "string":
          if (value.length > MAX_CHARACTERS || !value.isWellFormed()) {
            return false;
          }
          break;
        case "boolean":
          break;
        case "number":
          if (!isPlainNumber(value)) {
            return false;
          }
          break;
        default:
          return false;
      }
      values[place] = value;
    }
    return true;
  }
}

function spanValue(span: RootSpan, key: string): unknown {
  switch (key) {
    case "name":
      return span.name;
    case "kind":
      return span.kind ?? "internal";
    default:
      return span.attributes !== undefined && Object.hasOwn(span.attributes, key)
        ? span.attributes[key]
        : undefined;
  }
}

/** A number that has the same meaning here and as JSON: a safe integer, or a finite fraction. */
function isPlainNumber(value: number): boolean {
  return Number.isInteger(value)
    ? Number.isSafeInteger(value) && !Object.is(value, -0)
    : Number.isFinite(value);
}
