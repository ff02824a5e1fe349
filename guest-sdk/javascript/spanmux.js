// Write a Spanmux selector in JavaScript or TypeScript: a function that takes the runtime
// context of one trace and the names of the available tracers, and decides which tracer
// receives the trace.
//
//     export function select(context, tracers) {
//       return context.text('environment') === 'production' ? 'langfuse' : null;
//     }
//
// - Return a name to send the trace to the tracer with this name, or to the fallback tracer if
//   it does not exist.
// - Return null to abstain: the next selector decides. If all selectors abstain, the trace goes
//   to the default tracer.
// - `throw new Fail('reason')` sends the trace to the fallback tracer and records the reason.
//   Any other error does the same and records its name and message.

/** A failed decision with a human-readable reason. */
export class Fail extends Error {}

/** An array, an object, or an integer beyond ±(2^53 - 1), as canonical JSON text. */
export class Json {
  constructor(text) {
    this.text = text;
  }
}

/** The contract allows twice as many, but neither engine passes larger numbers correctly. */
const MOST_BUCKETS = 2 ** 31 - 1;

/** The runtime context: key/value data about the run to be traced. */
export class Context {
  #questions;

  /** @param questions the functions `get`, `has`, `keys` and `bucket` of the contract */
  constructor(questions) {
    this.#questions = questions;
  }

  /** Returns the value of a key: null, a boolean, a bigint, a number (a float), a string or
   * Json; undefined if the key does not exist. */
  get(key) {
    const value = this.#questions.get(key);
    switch (value?.tag) {
      case 'null':
        return null;
      case 'integer':
        // Some engines pass it as a number.
        return BigInt(value.val);
      case 'json':
        return new Json(value.val);
      default:
        return value?.val;
    }
  }

  /** Returns the value of a key if it is text, otherwise undefined. The other typed getters
   * work the same way. */
  text(key) {
    return this.#typed(key, 'text');
  }

  boolean(key) {
    return this.#typed(key, 'boolean');
  }

  /** Returns a number, which represents every integer of the contract exactly. */
  integer(key) {
    const value = this.#typed(key, 'integer');
    return value === undefined ? undefined : Number(value);
  }

  float(key) {
    return this.integer(key) ?? this.#typed(key, 'float');
  }

  /** Returns JSON text. Use JSON.parse to read it. */
  json(key) {
    return this.#typed(key, 'json');
  }

  #typed(key, tag) {
    const value = this.#questions.get(key);
    return value?.tag === tag ? value.val : undefined;
  }

  /** Returns true if the key exists, even if its value is null. */
  has(key) {
    return this.#questions.has(key);
  }

  /** Returns every key once, sorted. This is the most expensive question. */
  keys() {
    return this.#questions.keys();
  }

  /** Returns the bucket of the value of a key, from 0 to `buckets` - 1, or undefined if the key
   * does not exist. */
  bucket(key, salt, buckets) {
    if (buckets > MOST_BUCKETS) throw new RangeError(`at most ${MOST_BUCKETS} buckets`);
    return this.#questions.bucket(key, salt, buckets) ?? undefined;
  }
}

/** Creates a context for tests from values by complete key, as `get` returns them, and the share
 * of each key. A number without a fraction is converted to a bigint. */
export function mock(values, shares = {}) {
  const has = (key) => Object.hasOwn(values, key);
  return new Context({
    get: (key) => (has(key) ? tagged(values[key]) : undefined),
    has,
    keys: () => Object.keys(values).sort(),
    bucket: (key, _salt, buckets) => (key in shares ? shares[key] % buckets : undefined),
  });
}

function tagged(value) {
  if (value === null) return { tag: 'null' };
  if (value instanceof Json) return { tag: 'json', val: value.text };
  if (Number.isInteger(value)) return { tag: 'integer', val: BigInt(value) };
  const tag = { boolean: 'boolean', bigint: 'integer', number: 'float', string: 'text' };
  return { tag: tag[typeof value], val: value };
}

/** Returns the decision of a selector: a name or null. A failed decision throws Fail. */
export function decide(select, context, tracers) {
  let decision;
  try {
    decision = select(context, tracers);
  } catch (mistake) {
    if (mistake instanceof Fail) throw mistake;
    throw new Fail(mistake instanceof Error ? `${mistake.name}: ${mistake.message}` : `${mistake}`);
  }
  if (decision === undefined || decision === null || typeof decision === 'string')
    return decision ?? null;
  const kind = typeof decision.then === 'function' ? 'promise' : typeof decision;
  throw new Fail(`the selector returned a ${kind}; return a tracer's name, or null to abstain`);
}

/** Returns the object that a component exports as `selection`. */
export function exported(select, questions) {
  return {
    select(tracers) {
      try {
        return decide(select, new Context(questions), tracers);
      } catch (reason) {
        // Every engine converts a thrown string to an error of the contract.
        throw reason.message;
      }
    },
  };
}
