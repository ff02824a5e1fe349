/** A policy: live selectors that decide which tracer receives a trace. */

import { fileURLToPath } from "node:url";

import type { Decision } from "./decision.js";
import { guarded, type PolicyEvent } from "./events.js";
import { messageOf } from "./facts.js";
import { native, type NativeOptions, type NativePolicy, type PolicyStatus } from "./native.js";
import { Functions, type Selector } from "./selectors.js";
import { type RootSpan, Tracers } from "./tracers.js";

/** A policy cannot be opened: the path, a component or the configuration is wrong. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

/** Limits of components. */
export interface Limits {
  componentBytes?: number;
  memoryBytes?: number;
  fuel?: number;
  wallClockMs?: number;
  sandboxes?: number;
  admissionWaitMs?: number;
  selectors?: number;
  cachedAnswers?: number;
  cachedBytes?: number;
}

/** The settings of a policy. */
export interface PolicyOptions {
  /** Applies changes of the directory while the process runs. Defaults to `true`. */
  watch?: boolean;
  /** Restricts the directory to a lock file. */
  lock?: string | URL;
  /** A directory for compiled selectors. Its contents are executed. */
  cache?: string | URL;
  limits?: Limits;
  /** Functions that run before the components, with their names. */
  selectors?: Iterable<readonly [string, Selector]>;
  /** Is called with each event: a selector was loaded, refused or suspended, and more. It is called
   * from the event loop, one event after the other, so no decision waits for it. At most about 1,000
   * events wait for it; further ones are counted in the event `"missed"`. If it throws or rejects, the
   * process gets one warning. It does not keep the process alive. */
  onEvent?: (event: PolicyEvent) => unknown;
  /** Reserves little address space for components, and runs few of them at once. Defaults to the key
   * `selectors.small` of a configuration file, and without one to `true`. `false` reserves several GiB,
   * which makes decisions that are not learned faster. */
  small?: boolean;
}

/** The default and the fallback tracer of a list. */
export interface TracersOptions {
  /** The tracer of traces that no selector decides. Defaults to the first one. */
  default?: string;
  /** The tracer of failed decisions. Defaults to `default`. */
  fallback?: string;
}

export type ExplainFormat = "text" | "json" | "mermaid" | "svg";

/** The lists that a policy keeps, so that `decide` finds them again. */
const MAX_LISTS = 16;

interface KeptList {
  default: string | undefined;
  fallback: string | undefined;
  list: Tracers;
}

/** Live selectors that decide which tracer receives a trace. */
export class Policy {
  readonly #native: NativePolicy;
  readonly #functions: Functions;
  /** The lists of `decide`, the latest at the front. */
  readonly #lists: KeptList[] = [];

  private constructor(policy: NativePolicy, functions: Functions) {
    this.#native = policy;
    this.#functions = functions;
  }

  /** Opens a directory of selectors, a component (`.wasm`), or a configuration file
   * (`spanmux.toml`), of which only the table `[selectors]` is used.
   *
   * Rejects with a {@link PolicyError} if the path cannot be used. A file of a directory that cannot
   * be loaded is not an error: its decisions go to the fallback tracer, and {@link status} has the
   * reason. Components are compiled on another thread. */
  static async load(path: string | URL, options: PolicyOptions = {}): Promise<Policy> {
    const functions = new Functions(options.selectors ?? []);
    const settings = nativeOptions(options, functions);
    const { onEvent } = options;
    if (onEvent !== undefined && typeof onEvent !== "function") {
      throw new TypeError("onEvent is not a function");
    }
    try {
      const live = await native.Policy.load(pathOf(path), settings, onEvent && guarded(onEvent));
      return new Policy(live, functions);
    } catch (cause) {
      throw new PolicyError(messageOf(cause), { cause });
    }
  }

  /** Decides one trace.
   *
   * Facts are `null`, booleans, numbers, bigints of 64 bits, strings, arrays and objects. A key whose
   * value is `undefined` is absent. Any other value makes the context incomplete: no selector runs,
   * the trace goes to the fallback tracer, and the reason names the key.
   *
   * Throws a `TypeError` for a mistake in the list of tracers, and for nothing else. */
  decide(
    context: unknown,
    tracers: readonly string[],
    options: TracersOptions & { span?: RootSpan } = {},
  ): Decision {
    return this.#list(tracers, options).decide(context, options.span);
  }

  /** Returns a list of tracers, for which a decision costs less.
   *
   * Throws a `TypeError` if a name is invalid, repeated or unknown. */
  tracers(names: readonly string[], options: TracersOptions = {}): Tracers {
    const own = Array.from(names);
    try {
      const list = this.#native.tracers(own, options.default, options.fallback);
      const fallback = options.fallback ?? options.default;
      return new Tracers(list, Object.freeze(own), fallback, this.#functions);
    } catch (cause) {
      throw new TypeError(messageOf(cause), { cause });
    }
  }

  /** Shows the rules that were learned, for these tracers or for those that were used last. */
  explain(options: { tracers?: readonly string[]; format?: ExplainFormat } & TracersOptions = {}): string {
    const list = options.tracers ? this.#list(options.tracers, options) : this.#lists[0]?.list;
    try {
      return this.#native.explain(list?.native, options.format ?? "text");
    } catch (cause) {
      throw new TypeError(messageOf(cause), { cause });
    }
  }

  /** Returns the status of the watched directory, or `null` if nothing is watched. */
  status(): PolicyStatus | null {
    return this.#native.status();
  }

  /** The names of the live selectors in order. */
  get selectors(): string[] {
    return this.#native.selectors();
  }

  /** Stops watching and reporting events. Decisions continue with the last live selectors. */
  close(): void {
    this.#native.close();
  }

  #list(names: readonly string[], options: TracersOptions): Tracers {
    const lists = this.#lists;
    for (let place = 0; place < lists.length; place += 1) {
      const kept = lists[place];
      if (kept !== undefined && isList(kept, names, options)) {
        if (place > 0) {
          lists.splice(place, 1);
          lists.unshift(kept);
        }
        return kept.list;
      }
    }
    const list = this.tracers(names, options);
    lists.unshift({ default: options.default, fallback: options.fallback, list });
    lists.length = Math.min(lists.length, MAX_LISTS);
    return list;
  }
}

function isList(kept: KeptList, names: readonly string[], options: TracersOptions): boolean {
  const own = kept.list.names;
  if (
    kept.default !== options.default ||
    kept.fallback !== options.fallback ||
    own.length !== names.length
  ) {
    return false;
  }
  for (let place = 0; place < own.length; place += 1) {
    if (own[place] !== names[place]) {
      return false;
    }
  }
  return true;
}

function nativeOptions(options: PolicyOptions, functions: Functions): NativeOptions {
  const settings: NativeOptions = {
    watch: options.watch ?? true,
    selectors: functions.names,
  };
  if (options.lock !== undefined) {
    settings.lock = pathOf(options.lock);
  }
  if (options.cache !== undefined) {
    settings.cache = pathOf(options.cache);
  }
  if (options.small !== undefined) {
    settings.small = options.small;
  }
  if (options.limits !== undefined) {
    const limits = Object.entries(options.limits as Record<string, number | undefined>);
    const given = limits.filter((entry): entry is [string, number] => entry[1] !== undefined);
    settings.limitNames = given.map(([name]) => snakeCase(name.replace(/Ms$/, "")));
    settings.limitValues = given.map(([name, value]) => (name.endsWith("Ms") ? value / 1000 : value));
  }
  return settings;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function pathOf(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : path;
}
