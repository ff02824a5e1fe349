/** Reads the facts of an object of the application. Nothing here throws. */

import { native, type NativeFacts } from "./native.js";

const { MAX_CONTEXT_BYTES, MAX_CONTEXT_DEPTH, MAX_CONTEXT_KEYS } = native;

/** The reason why a value cannot be read. */
class Refusal extends Error {}

/** Returns the message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return "an error without a message";
  }
}

/** Reads every fact. The first one that cannot be read is named, and makes the context incomplete, so
 * that the decision goes to the fallback tracer. */
export function readFacts(context: unknown): NativeFacts {
  const reader = new Reader();
  reader.all(context);
  return reader.facts();
}

/** Throws a {@link Refusal} for anything that is not an object with facts or a map. */
export function refuseOthers(context: unknown): asserts context is object {
  if (typeof context !== "object" || context === null) {
    throw new Refusal(`the context must be an object, not ${kindOf(context)}`);
  }
  if (Array.isArray(context)) {
    throw new Refusal("the context must be an object, not an array");
  }
  if (!(context instanceof Map) && !isPlain(context)) {
    throw new Refusal(`the context must be an object or a Map, not ${kindOf(context)}`);
  }
}

/** Throws a {@link Refusal} for a key that is not text. */
export function refuseOtherKeys(key: unknown): asserts key is string {
  if (typeof key !== "string") {
    throw new Refusal(`a key must be a string, not ${kindOf(key)}`);
  }
}

/** Returns the members of an object or a map, or throws a {@link Refusal}. */
function members(context: unknown): Iterable<[unknown, () => unknown]> {
  refuseOthers(context);
  if (context instanceof Map) {
    return Array.from(context as Map<unknown, unknown>, ([key, value]) => [key, () => value]);
  }
  const object = context as Record<string, unknown>;
  return Object.keys(object).map((key) => [key, () => object[key]]);
}

class Reader {
  private readonly members: string[] = [];
  private readonly floatKeys: string[] = [];
  private readonly floats: number[] = [];
  private refused?: string;
  private problem?: string;
  private bytes = 0;
  private keys = 0;

  all(context: unknown): void {
    if (context === undefined || context === null) {
      return;
    }
    let current = "context";
    try {
      for (const [key, read] of members(context)) {
        refuseOtherKeys(key);
        current = shortened(key);
        this.member(key, read);
        if (this.refused !== undefined && this.bytes > MAX_CONTEXT_BYTES) {
          return;
        }
      }
    } catch (thrown) {
      this.refuse(current, messageOf(thrown));
    }
  }

  facts(): NativeFacts {
    const facts: NativeFacts = { json: `{${this.members.join(",")}}` };
    if (this.floatKeys.length > 0) {
      facts.floatKeys = this.floatKeys;
      facts.floats = this.floats;
    }
    if (this.refused !== undefined) {
      facts.refused = this.refused;
      facts.problem = this.problem ?? "";
    }
    return facts;
  }

  private member(key: string, read: () => unknown): void {
    try {
      const name = this.name(key);
      const value = read();
      if (value === undefined) {
        return;
      }
      if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
        this.floatKeys.push(key);
        this.floats.push(value);
        return;
      }
      this.members.push(`${name}:${this.json(value, 0)}`);
    } catch (thrown) {
      this.refuse(shortened(key), messageOf(thrown));
    }
  }

  private refuse(key: string, problem: string): void {
    if (this.refused === undefined) {
      this.refused = key;
      this.problem = problem;
    }
  }

  private name(key: string): string {
    this.keys += 1;
    if (this.keys > MAX_CONTEXT_KEYS) {
      // Nothing more is read.
      this.bytes = MAX_CONTEXT_BYTES + 1;
      throw new Refusal(`the context has more than ${MAX_CONTEXT_KEYS} keys`);
    }
    return this.text(key);
  }

  private json(value: unknown, depth: number): string {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
        return this.number(value);
      case "boolean":
        return this.count(value ? "true" : "false");
      case "bigint":
        return this.integer(value);
      case "object":
        return value === null ? this.count("null") : this.object(value, depth);
      default:
        throw new Refusal(`${kindOf(value)} cannot be a fact`);
    }
  }

  private text(text: string): string {
    // Before anything copies it.
    if (text.length > MAX_CONTEXT_BYTES) {
      this.bytes = MAX_CONTEXT_BYTES + 1;
      throw new Refusal(`the context has more than ${MAX_CONTEXT_BYTES} bytes`);
    }
    if (!text.isWellFormed()) {
      throw new Refusal("the text contains a lone surrogate");
    }
    return this.count(JSON.stringify(text));
  }

  private number(number: number): string {
    if (!Number.isFinite(number)) {
      throw new Refusal(`${number} inside of an object or an array cannot be a fact`);
    }
    return this.count(Object.is(number, -0) ? "-0.0" : String(number));
  }

  private integer(integer: bigint): string {
    if (BigInt.asIntN(64, integer) !== integer && BigInt.asUintN(64, integer) !== integer) {
      throw new Refusal("the integer does not fit into 64 bits");
    }
    return this.count(integer.toString());
  }

  private object(object: object, depth: number): string {
    if (depth >= MAX_CONTEXT_DEPTH) {
      throw new Refusal(`the value contains itself, or is nested deeper than ${MAX_CONTEXT_DEPTH} levels`);
    }
    const { toJSON } = object as { toJSON?: unknown };
    if (typeof toJSON === "function") {
      return this.json(toJSON.call(object), depth + 1);
    }
    if (Array.isArray(object)) {
      const items: string[] = [];
      for (const item of object as unknown[]) {
        items.push(this.json(item ?? null, depth + 1));
        this.count(",");
      }
      return `[${items.join(",")}]`;
    }
    if (!isPlain(object)) {
      throw new Refusal(`${kindOf(object)} cannot be a fact; use an object or an array`);
    }
    const members: string[] = [];
    for (const [key, value] of Object.entries(object)) {
      if (value !== undefined) {
        members.push(`${this.name(key)}:${this.json(value, depth + 1)}`);
      }
    }
    return `{${members.join(",")}}`;
  }

  private count(text: string): string {
    this.bytes += text.length;
    if (this.bytes > MAX_CONTEXT_BYTES) {
      throw new Refusal(`the context has more than ${MAX_CONTEXT_BYTES} bytes`);
    }
    return text;
  }
}

/** Returns `false` for maps, promises, errors and other objects whose content is not in their keys. */
function isPlain(object: object): boolean {
  return Object.prototype.toString.call(object) === "[object Object]";
}

/** A key that can stand in a message. */
function shortened(key: string): string {
  return key.length > 100 ? `${key.slice(0, 100)}…`.toWellFormed() : key.toWellFormed();
}

function kindOf(value: unknown): string {
  if (value === null) {
    return "null";
  }
  if (typeof value === "object") {
    const tag = Object.prototype.toString.call(value).slice(8, -1);
    return /^[AEIOU]/.test(tag) ? `an ${tag}` : `a ${tag}`;
  }
  return typeof value === "undefined" ? "undefined" : `a ${typeof value}`;
}
