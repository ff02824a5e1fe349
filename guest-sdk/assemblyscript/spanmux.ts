// Write a Spanmux selector in AssemblyScript: one function, and questions to the context.
//
//     import { Context, Decision } from "./spanmux";
//
//     export function decide(context: Context, tracers: string[]): Decision {
//       if (context.text("environment") == "production") return Decision.choose("langfuse");
//       return Decision.abstain();
//     }
//
// The border to the contract stands below: the functions that the host gives and takes, in
// the layout that the component model gives their arguments.

/** What a selector answers. */
export class Decision {
  private constructor(
    readonly failed: bool,
    readonly text: string | null,
  ) {}

  /** The trace goes to the tracer of this name; to the fallback if there is none. */
  static choose(tracer: string): Decision {
    return new Decision(false, tracer);
  }

  /** The next selector decides; after the last one, the default tracer. */
  static abstain(): Decision {
    return new Decision(false, null);
  }

  /** The trace goes to the fallback, and the reason is recorded. */
  static fail(reason: string): Decision {
    return new Decision(true, reason);
  }
}

export enum Kind {
  Null,
  Boolean,
  Integer,
  Float,
  Text,
  Json,
}

/** A value of the context; what is not of its kind is zero or empty. */
export class Value {
  constructor(
    readonly kind: Kind,
    readonly boolean: bool,
    /** From -(2^53 - 1) to 2^53 - 1. */
    readonly integer: i64,
    readonly float: f64,
    /** Of Kind.Text; of Kind.Json canonical JSON text: an array, an object, a larger integer. */
    readonly text: string,
  ) {}
}

/** What the application knows about the run that is about to be traced. */
export class Context {
  /** The value of a key; null if there is no such key. */
  get(key: string): Value | null {
    const bytes = String.UTF8.encode(key);
    hostGet(changetype<usize>(bytes), bytes.byteLength, answer);
    if (!load<u8>(answer)) return null;
    const kind = <Kind>load<u8>(answer, 8);
    return new Value(
      kind,
      kind == Kind.Boolean && load<u8>(answer, 16) != 0,
      kind == Kind.Integer ? load<i64>(answer, 16) : 0,
      kind == Kind.Float ? load<f64>(answer, 16) : 0,
      kind >= Kind.Text ? textAt(answer + 16) : "",
    );
  }

  /** The value of a key if it is text, else null. */
  text(key: string): string | null {
    const value = this.typed(key, Kind.Text);
    return value ? value.text : null;
  }

  /** The JSON text of a key if it is an array, an object or a larger integer, else null. */
  json(key: string): string | null {
    const value = this.typed(key, Kind.Json);
    return value ? value.text : null;
  }

  /** The value of a key if it is a truth value, else what is given; so do the next for theirs. */
  boolean(key: string, otherwise: bool): bool {
    const value = this.typed(key, Kind.Boolean);
    return value ? value.boolean : otherwise;
  }

  integer(key: string, otherwise: i64): i64 {
    const value = this.typed(key, Kind.Integer);
    return value ? value.integer : otherwise;
  }

  float(key: string, otherwise: f64): f64 {
    const value = this.get(key);
    if (value && value.kind == Kind.Integer) return <f64>value.integer;
    return value && value.kind == Kind.Float ? value.float : otherwise;
  }

  private typed(key: string, kind: Kind): Value | null {
    const value = this.get(key);
    return value && value.kind == kind ? value : null;
  }

  /** Whether there is such a key, with a null value too. */
  has(key: string): bool {
    const bytes = String.UTF8.encode(key);
    return hostHas(changetype<usize>(bytes), bytes.byteLength) != 0;
  }

  /** Each key once, sorted. The costliest question. */
  keys(): string[] {
    hostKeys(answer);
    return textsAt(load<u32>(answer), load<u32>(answer, 4));
  }

  /** In which of `buckets` equal shares the value of a key falls, from 0; -1 without the key. */
  bucket(key: string, salt: string, buckets: u32): i64 {
    const k = String.UTF8.encode(key);
    const s = String.UTF8.encode(salt);
    hostBucket(changetype<usize>(k), k.byteLength, changetype<usize>(s), s.byteLength, buckets, answer);
    return load<u8>(answer) ? <i64>load<u32>(answer, 4) : -1;
  }
}

/** Where the host writes what does not fit into one number. */
const answer = memory.data(24, 8);

function textAt(at: usize): string {
  return String.UTF8.decodeUnsafe(load<u32>(at), load<u32>(at, 4));
}

function textsAt(at: usize, length: u32): string[] {
  const texts = new Array<string>(length);
  for (let i: u32 = 0; i < length; i++) texts[i] = textAt(at + i * 8);
  return texts;
}

/** ok(none), ok(some(text)) or err(text), as `select` of the contract returns it. */
export function answered(decision: Decision): usize {
  const text = decision.text;
  const bytes = String.UTF8.encode(text ? text : "");
  const name: usize = decision.failed ? 4 : 8;
  store<u8>(answer, decision.failed ? 1 : 0);
  store<u8>(answer, decision.text ? 1 : 0, 4);
  store<u32>(answer + name, changetype<usize>(bytes));
  store<u32>(answer + name, bytes.byteLength, 4);
  return answer;
}

/** The tracers that `select` of the contract is given. */
export function tracersAt(names: usize, count: u32): string[] {
  return textsAt(names, count);
}

/** The host writes text here. */
export function cabi_realloc(old: usize, oldBytes: usize, align: usize, bytes: usize): usize {
  const block = heap.alloc(bytes);
  if (old) memory.copy(block, old, min(oldBytes, bytes));
  return block;
}

/** The host has read the answer: the memory is free for the next decision. */
export function done(_result: usize): void {
  heap.reset();
}

@external("spanmux:selector/runtime-context@0.1.0", "get")
declare function hostGet(key: usize, length: usize, answer: usize): void;
@external("spanmux:selector/runtime-context@0.1.0", "has")
declare function hostHas(key: usize, length: usize): u32;
@external("spanmux:selector/runtime-context@0.1.0", "keys")
declare function hostKeys(answer: usize): void;
@external("spanmux:selector/runtime-context@0.1.0", "bucket")
declare function hostBucket(
  key: usize,
  length: usize,
  salt: usize,
  saltLength: usize,
  buckets: u32,
  answer: usize,
): void;
