/** A failed decision, with a reason that a person can read. */
export class Fail extends Error {}

/** An array, an object, or an integer beyond 2^53 - 1, as canonical JSON text. */
export class Json {
  constructor(text: string);
  readonly text: string;
}

/** A value of the runtime context. A number is a float. */
export type Value = null | boolean | bigint | number | string | Json;

/** What the contract answers. */
export interface Questions {
  get(key: string): unknown;
  has(key: string): boolean;
  keys(): string[];
  bucket(key: string, salt: string, buckets: number): number | undefined;
}

/** What the application knows about the run that is about to be traced. */
export class Context {
  constructor(questions: Questions);
  /** The value of a key; undefined if there is no such key. */
  get(key: string): Value | undefined;
  /** The value of a key if it is text, else undefined; so do the next ones for theirs. */
  text(key: string): string | undefined;
  boolean(key: string): boolean | undefined;
  /** As a number, which holds every integer of the contract exactly. */
  integer(key: string): number | undefined;
  float(key: string): number | undefined;
  /** As text, for JSON.parse. */
  json(key: string): string | undefined;
  /** Whether there is such a key, with a null value too. */
  has(key: string): boolean;
  /** Each key once, sorted. The costliest question. */
  keys(): string[];
  /** In which of `buckets` equal shares the value of a key falls, counted from 0. */
  bucket(key: string, salt: string, buckets: number): number | undefined;
}

/** The name of a tracer; null abstains; a thrown error is a failed decision. */
export type Selector = (context: Context, tracers: string[]) => string | null | undefined;

/** A context for tests: its values by their whole keys, and the share of each key. */
export function mock(values: Record<string, Value>, shares?: Record<string, number>): Context;

/** What a component exports as `selection`. */
export function exported(
  select: Selector,
  questions: Questions,
): { select(tracers: string[]): string | null };
