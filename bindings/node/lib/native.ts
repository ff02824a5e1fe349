/** Loads the native module, and describes it. */

import { existsSync } from "node:fs";
import { join } from "node:path";

import type { PolicyEvent } from "./events.js";
import { PLATFORMS, platform } from "./platform.js";

/** Facts that were read from an object of the application. */
export interface NativeFacts {
  json: string;
  floatKeys?: string[];
  floats?: number[];
  refused?: string;
  problem?: string;
}

export interface NativeSpan {
  name: string;
  kind: string;
  attributes?: NativeFacts;
}

export interface NativeDecision {
  tracer?: string;
  selector?: string;
  digest?: string;
  fallback?: string;
  cause?: string;
  reason: string;
  cached: boolean;
  generation?: number;
  number?: number;
}

export interface NativeKeys {
  generation: number;
  keys: string[];
}

/** Decides from the values of asked keys, in order. */
export type NativeRecall = (...values: unknown[]) => number;

export interface NativeTracerList {
  decide(facts: NativeFacts, span: NativeSpan | undefined, answers: NativeAnswer[]): NativeDecision;
  askedKeys(): NativeKeys | null;
  recalling(asked: NativeKeys): NativeRecall;
}

export interface NativeAnswer {
  name?: string;
  failed?: string;
}

export interface NativeOptions {
  watch?: boolean;
  lock?: string;
  cache?: string;
  limitNames?: string[];
  limitValues?: number[];
  selectors?: string[];
  small?: boolean;
}

/** The status of a file in a watched directory. */
export interface FileStatus {
  name: string;
  path: string;
  /** The digest of the live version. */
  digest?: string;
  /** The reason why the latest version is not live. */
  refused?: string;
  /** The reason why the selector does not run. */
  suspended?: string;
}

/** The status of a watched directory. */
export interface PolicyStatus {
  files: FileStatus[];
  /** The reason why the directory cannot be read. */
  trouble?: string;
  loads: number;
  refusals: number;
  /** `true` if the file system reports changes; otherwise the directory is scanned. */
  events: boolean;
}

export interface NativePolicy {
  tracers(names: string[], defaultName?: string, fallback?: string): NativeTracerList;
  explain(list: NativeTracerList | undefined, format: string): string;
  status(): PolicyStatus | null;
  selectors(): string[];
  close(): void;
}

export interface Native {
  Policy: {
    load(path: string, options: NativeOptions, onEvent?: (event: PolicyEvent) => void): Promise<NativePolicy>;
  };
  encodeName(name: string): string;
  MAX_ASKED_KEYS: number;
  MAX_CONTEXT_BYTES: number;
  MAX_CONTEXT_KEYS: number;
  MAX_CONTEXT_DEPTH: number;
}

/** Loads the module of a platform: the one beside the package if there is one, which is a build from
 * source, or that of the platform's package. */
export function load(name: string, directory: string, require: (path: string) => unknown): Native {
  const local = join(directory, `spanmux.${name}.node`);
  if (existsSync(local)) {
    return require(local) as Native;
  }
  const packaged = `@spanmux/${name}`;
  try {
    return require(packaged) as Native;
  } catch (cause) {
    const remedy = PLATFORMS.includes(name)
      ? `the package ${packaged} is missing or broken; install it (npm leaves it out with ` +
        "`--omit=optional`, or if node_modules was copied from another platform)"
      : `there is no package for ${name}; there are packages for ${PLATFORMS.join(", ")}. ` +
        "Build it from source with `bindings/node/build`";
    throw new Error(`spanmux: the native module cannot be loaded: ${remedy}`, { cause });
  }
}

export const native: Native = load(platform(), join(__dirname, ".."), require);
