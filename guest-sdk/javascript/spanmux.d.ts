/** A failed decision with a human-readable reason. */
export class Fail extends Error {}

/** An array, an object, or an integer beyond ±(2^53 - 1), as canonical JSON text. */
export class Json {
  constructor(text: string);
  readonly text: string;
}

/** A value of the runtime context. A number is a float. */
export type Value = null | boolean | bigint | number | string | Json;

/** The host functions of the contract. */
export interface Questions {
  get(key: string): unknown;
  has(key: string): boolean;
  keys(): string[];
  bucket(key: string, salt: string, buckets: number): number | undefined;
}

/** The runtime context: key/value data about the run to be traced. */
export class Context {
  constructor(questions: Questions);
  /** Returns the value of a key, or undefined if the key does not exist. */
  get(key: string): Value | undefined;
  /** Returns the value of a key if it is text, otherwise undefined. The other typed getters
   * work the same way. */
  text(key: string): string | undefined;
  boolean(key: string): boolean | undefined;
  /** Returns a number, which represents every integer of the contract exactly. */
  integer(key: string): number | undefined;
  float(key: string): number | undefined;
  /** Returns JSON text. Use JSON.parse to read it. */
  json(key: string): string | undefined;
  /** Returns true if the key exists, even if its value is null. */
  has(key: string): boolean;
  /** Returns every key once, sorted. This is the most expensive question. */
  keys(): string[];
  /** Returns the bucket of the value of a key, from 0 to `buckets` - 1, or undefined if the key
   * does not exist. */
  bucket(key: string, salt: string, buckets: number): number | undefined;
}

/** Returns the name of a tracer, or null to abstain. A thrown error fails the decision. */
export type Selector = (context: Context, tracers: string[]) => string | null | undefined;

/** Creates a context for tests from values by complete key, and the share of each key. */
export function mock(values: Record<string, Value>, shares?: Record<string, number>): Context;

/** Returns the object that a component exports as `selection`. */
export function exported(
  select: Selector,
  questions: Questions,
): { select(tracers: string[]): string | null };
