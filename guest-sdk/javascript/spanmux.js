// Write a Spanmux selector in JavaScript or TypeScript: a function that is given the runtime
// context of one trace and the names of the available tracers, and answers which of them
// receives the trace.
//
//     export function select(context, tracers) {
//       return context.text('environment') === 'production' ? 'langfuse' : null;
//     }
//
// - A name sends the trace to the tracer of this name; to the fallback if there is none.
// - null abstains: the next selector decides; after the last one, the default tracer.
// - `throw new Fail('why')` sends the trace to the fallback, and the reason is recorded.
//   So are the name and the message of any other error.

/** A failed decision, with a reason that a person can read. */
export class Fail extends Error {}

/** An array, an object, or an integer beyond 2^53 - 1, as canonical JSON text. */
export class Json {
  constructor(text) {
    this.text = text;
  }
}

/** The contract allows for twice as many, but neither engine hands a larger number over whole. */
const MOST_BUCKETS = 2 ** 31 - 1;

/** What the application knows about the run that is about to be traced. */
export class Context {
  #questions;

  /** @param questions `get`, `has`, `keys` and `bucket` of the contract */
  constructor(questions) {
    this.#questions = questions;
  }

  /** The value of a key: null, a boolean, a bigint, a number (a float), a string or Json;
   * undefined if there is no such key. */
  get(key) {
    const value = this.#questions.get(key);
    switch (value?.tag) {
      case 'null':
        return null;
      case 'integer':
        // Some engines hand it over as a number.
        return BigInt(value.val);
      case 'json':
        return new Json(value.val);
      default:
        return value?.val;
    }
  }

  /** The value of a key if it is text, else undefined; so do the next ones for theirs. */
  text(key) {
    return this.#typed(key, 'text');
  }

  boolean(key) {
    return this.#typed(key, 'boolean');
  }

  /** As a number, which holds every integer of the contract exactly. */
  integer(key) {
    const value = this.#typed(key, 'integer');
    return value === undefined ? undefined : Number(value);
  }

  float(key) {
    return this.integer(key) ?? this.#typed(key, 'float');
  }

  /** As text, for JSON.parse. */
  json(key) {
    return this.#typed(key, 'json');
  }

  #typed(key, tag) {
    const value = this.#questions.get(key);
    return value?.tag === tag ? value.val : undefined;
  }

  /** Whether there is such a key, with a null value too. */
  has(key) {
    return this.#questions.has(key);
  }

  /** Each key once, sorted. The costliest question. */
  keys() {
    return this.#questions.keys();
  }

  /** In which of `buckets` equal shares the value of a key falls, counted from 0; undefined
   * if there is no such key. */
  bucket(key, salt, buckets) {
    if (buckets > MOST_BUCKETS) throw new RangeError(`at most ${MOST_BUCKETS} buckets`);
    return this.#questions.bucket(key, salt, buckets) ?? undefined;
  }
}

/** A context for tests: its values by their whole keys, as `get` gives them, where a whole
 * number may stand for its bigint; and the share of each key. */
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

/** What a selector decides: a name or null; a failed decision throws Fail. */
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

/** What a component exports as `selection`. */
export function exported(select, questions) {
  return {
    select(tracers) {
      try {
        return decide(select, new Context(questions), tracers);
      } catch (reason) {
        // A string is an error of the contract in every engine.
        throw reason.message;
      }
    },
  };
}
