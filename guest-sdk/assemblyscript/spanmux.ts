// Write a Spanmux selector in AssemblyScript: one function that queries the runtime context.
//
//     import { Context, Decision } from "./spanmux";
//
//     export function decide(context: Context, tracers: string[]): Decision {
//       if (context.text("environment") == "production") return Decision.choose("langfuse");
//       return Decision.abstain();
//     }
//
// The second half of this file implements the contract: the imported and exported functions
// of the component, with arguments in the layout of the canonical ABI.

/** The decision of a selector. */
export class Decision {
  private constructor(
    readonly failed: bool,
    readonly text: string | null,
  ) {}

  /** Sends the trace to the tracer with this name, or to the fallback tracer if it does not exist. */
  static choose(tracer: string): Decision {
    return new Decision(false, tracer);
  }

  /** Leaves the decision to the next selector. If all selectors abstain, the trace goes to the
   * default tracer. */
  static abstain(): Decision {
    return new Decision(false, null);
  }

  /** Sends the trace to the fallback tracer and records the reason. */
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

/** A value of the context. Fields that do not belong to its kind are zero or empty. */
export class Value {
  constructor(
    readonly kind: Kind,
    readonly boolean: bool,
    /** From -(2^53 - 1) to 2^53 - 1. */
    readonly integer: i64,
    readonly float: f64,
    /** The text of Kind.Text. For Kind.Json (an array, an object or a larger integer), canonical
     * JSON text. */
    readonly text: string,
  ) {}
}

/** The runtime context: key/value data about the run to be traced. */
export class Context {
  /** Returns the value of a key, or null if the key does not exist. */
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

  /** Returns the value of a key if it is text, otherwise null. */
  text(key: string): string | null {
    const value = this.typed(key, Kind.Text);
    return value ? value.text : null;
  }

  /** Returns the JSON text of an array, an object or a larger integer, otherwise null. */
  json(key: string): string | null {
    const value = this.typed(key, Kind.Json);
    return value ? value.text : null;
  }

  /** Returns the value of a key if it is a boolean, otherwise the given default. The next two
   * getters work the same way. */
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

  /** Returns true if the key exists, even if its value is null. */
  has(key: string): bool {
    const bytes = String.UTF8.encode(key);
    return hostHas(changetype<usize>(bytes), bytes.byteLength) != 0;
  }

  /** Returns every key once, sorted. This is the most expensive question. */
  keys(): string[] {
    hostKeys(answer);
    return textsAt(load<u32>(answer), load<u32>(answer, 4));
  }

  /** Returns the bucket of the value of a key, from 0 to `buckets` - 1, or -1 if the key does not
   * exist. */
  bucket(key: string, salt: string, buckets: u32): i64 {
    const k = String.UTF8.encode(key);
    const s = String.UTF8.encode(salt);
    hostBucket(changetype<usize>(k), k.byteLength, changetype<usize>(s), s.byteLength, buckets, answer);
    return load<u8>(answer) ? <i64>load<u32>(answer, 4) : -1;
  }
}

/** Memory for results that do not fit into one number. */
const answer = memory.data(24, 8);

function textAt(at: usize): string {
  return decoded(load<u32>(at), load<u32>(at, 4));
}

/** Decodes UTF-8, which the host has validated. Four ASCII characters take one step, so that a text
 * as large as a context may be costs less than the fuel of a decision. */
function decoded(from: usize, bytes: u32): string {
  const text = __new(bytes << 1, idof<String>());
  const end = from + bytes;
  let to = text;
  while (from < end) {
    const first = <u32>load<u8>(from);
    if (first < 0x80) {
      const four = from + 4 <= end ? load<u32>(from) : 0x80;
      if (four & 0x80808080) {
        store<u16>(to, first);
        from += 1;
        to += 2;
        continue;
      }
      let wide = <u64>four;
      wide = (wide | (wide << 16)) & 0x0000ffff0000ffff;
      wide = (wide | (wide << 8)) & 0x00ff00ff00ff00ff;
      store<u64>(to, wide);
      from += 4;
      to += 8;
    } else if (first < 0xe0) {
      store<u16>(to, ((first & 0x1f) << 6) | (<u32>load<u8>(from, 1) & 0x3f));
      from += 2;
      to += 2;
    } else if (first < 0xf0) {
      const rest = ((<u32>load<u8>(from, 1) & 0x3f) << 6) | (<u32>load<u8>(from, 2) & 0x3f);
      store<u16>(to, (first << 12) | rest);
      from += 3;
      to += 2;
    } else {
      const rest = ((<u32>load<u8>(from, 2) & 0x3f) << 6) | (<u32>load<u8>(from, 3) & 0x3f);
      const code = (((first & 0x07) << 18) | ((<u32>load<u8>(from, 1) & 0x3f) << 12) | rest) - 0x10000;
      // A surrogate pair.
      store<u16>(to, 0xd800 | (code >> 10));
      store<u16>(to, 0xdc00 | (code & 0x3ff), 2);
      from += 4;
      to += 4;
    }
  }
  return changetype<string>(__renew(text, to - text));
}

function textsAt(at: usize, length: u32): string[] {
  const texts = new Array<string>(length);
  for (let i: u32 = 0; i < length; i++) texts[i] = textAt(at + i * 8);
  return texts;
}

/** Writes a decision as the result of `select` in the contract: ok(none), ok(some(name)) or
 * err(reason). */
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

/** Reads the tracer names that `select` of the contract receives. */
export function tracersAt(names: usize, count: u32): string[] {
  return textsAt(names, count);
}

/** The host writes strings to this memory. */
export function cabi_realloc(old: usize, oldBytes: usize, align: usize, bytes: usize): usize {
  const block = heap.alloc(bytes);
  if (old) memory.copy(block, old, min(oldBytes, bytes));
  return block;
}

/** Called after the host has read the result. Frees the memory for the next decision. */
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
