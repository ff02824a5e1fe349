/** Sends each span to the processors of its tracer. */

import { type Context, type Span as ApiSpan, trace } from "@opentelemetry/api";
import type * as Sdk from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace-base";

import type { Policy } from "../policy.js";
import { Beside } from "./beside.js";
import { Decider, type Inbound, type Outbound } from "./decide.js";
import { KnownRoutes, type KnownRoot } from "./known-routes.js";
import { each } from "./lifecycle.js";
import { RoutedTracer } from "./route.js";
import { currentRunContext } from "./run-context.js";

/** The destination of a tracer: span processors, exporters, or several of them. */
export type Destination = SpanProcessor | SpanExporter;

/** The settings of a {@link RoutingSpanProcessor}. */
export interface RoutingOptions {
  /** The policy that decides. The processor does not close it. */
  policy: Policy;
  /** The tracers by name, in order. An exporter is wrapped in a `BatchSpanProcessor`, that of the
   * console in a `SimpleSpanProcessor`. */
  tracers: Readonly<Record<string, Destination | readonly Destination[]>>;
  /** The tracer of traces that no selector decides. Defaults to the first one. */
  default?: string;
  /** The tracer of failed decisions. Defaults to `default`. */
  fallback?: string;
  /** Whether the choice of a remote parent is followed. Follow only callers of your own. Defaults to
   * `"select"`, which ignores it. */
  inbound?: Inbound;
  /** Writes the choice to the `tracestate` of the spans. Defaults to `"tracestate"`. */
  outbound?: Outbound;
  /** Keys of the caller's baggage that are facts. */
  baggageKeys?: readonly string[];
  /** Keys of the run context that become attributes of every span. */
  copyToSpans?: readonly string[];
  /** Keys of the run context that become attributes of the root span. */
  copyToRootSpans?: readonly string[];
  /** The time in milliseconds for a flush or a shutdown of all tracers. Defaults to 30,000. */
  timeoutMillis?: number;
}

/** A span processor above those of a program. It decides once for each local root span, and every
 * other span follows its root: in other asynchronous code, and after the root has ended.
 *
 * Nothing here throws into the code that is traced. Put it alone into the `spanProcessors` of the
 * provider: a processor beside it receives the spans of every tracer, of which a warning tells. */
export class RoutingSpanProcessor implements SpanProcessor {
  readonly #decider: Decider;
  readonly #tracers: ReadonlyMap<string, RoutedTracer>;
  readonly #known = new KnownRoutes();
  readonly #beside = new Beside(this);
  /** The property of a span that holds its local root. Reading it is faster than a `WeakMap`. */
  readonly #root = Symbol("spanmux.root");
  readonly #toSpans: readonly string[];
  readonly #toRootSpans: readonly string[];
  readonly #millis: number;
  #down: Promise<void> | undefined;

  /** Throws a `TypeError` for a mistake in the settings. */
  constructor(options: RoutingOptions) {
    const entries = Object.entries(options.tracers);
    const [first] = entries;
    if (first === undefined) {
      throw new TypeError("a processor needs at least one tracer");
    }
    oneOf("inbound", options.inbound, ["select", "tracestate", "baggage", "both"]);
    oneOf("outbound", options.outbound, ["tracestate", "none"]);
    const tracers = entries.map(([name, given]): [string, RoutedTracer] => {
      const many = Array.isArray(given) ? (given as readonly Destination[]) : [given as Destination];
      return [name, new RoutedTracer(name, many.map((one) => processorOf(name, one)))];
    });
    this.#tracers = new Map(tracers);
    const defaultName = options.default ?? first[0];
    this.#decider = new Decider({
      policy: options.policy,
      tracers: this.#tracers,
      default: defaultName,
      fallback: options.fallback ?? defaultName,
      inbound: options.inbound ?? "select",
      outbound: options.outbound ?? "tracestate",
      baggageKeys: options.baggageKeys ?? [],
    });
    this.#toSpans = options.copyToSpans ?? [];
    this.#toRootSpans = [...this.#toSpans, ...(options.copyToRootSpans ?? [])];
    this.#millis = options.timeoutMillis ?? 30_000;
  }

  onStart(span: Span, parentContext: Context): void {
    const parent = trace.getSpan(parentContext);
    let root = this.#rootOf(parent) ?? this.#rebuilt(parent);
    const isRoot = root === undefined;
    root ??= this.#start(span, parent, parentContext);
    (span as unknown as Rooted)[this.#root] = root;
    this.#known.started(root);
    const keys = isRoot ? this.#toRootSpans : this.#toSpans;
    if (keys.length > 0) {
      copy(span, keys);
    }
    root.route.tracer.onStart(span, parentContext);
  }

  onEnding(span: Span): void {
    this.#rootOf(span)?.route.tracer.onEnding(span);
  }

  onEnd(span: ReadableSpan): void {
    const root = this.#rootOf(span);
    if (root !== undefined) {
      this.#known.ended(root);
      root.route.tracer.onEnd(span);
    }
  }

  /** Flushes every tracer in parallel, within one limit. Rejects with the names of those that failed
   * or were too slow, after all others have been flushed. */
  async forceFlush(): Promise<void> {
    await each(this.#tracers.values(), "forceFlush", this.#millis);
  }

  /** Shuts every tracer down, as {@link forceFlush} flushes them. A second call returns the result of
   * the first. */
  shutdown(): Promise<void> {
    this.#down ??= each(this.#tracers.values(), "shutdown", this.#millis);
    return this.#down;
  }

  #rootOf(span: object | undefined): KnownRoot | undefined {
    return span === undefined ? undefined : (span as unknown as Rooted)[this.#root];
  }

  /** Returns the local root of a context that was rebuilt from the ids of a span of this process. */
  #rebuilt(parent: ApiSpan | undefined): KnownRoot | undefined {
    const ids = parent?.spanContext();
    return ids === undefined || ids.isRemote === true ? undefined : this.#known.find(ids.traceId, ids.spanId);
  }

  #start(span: Span, parent: ApiSpan | undefined, parentContext: Context): KnownRoot {
    this.#beside.look(span);
    const route = this.#decider.route(span, parent, parentContext);
    span.setAttributes(route.attributes);
    this.#decider.carry(span, route);
    const { traceId, spanId } = span.spanContext();
    return this.#known.add(traceId, spanId, route);
  }
}

type Rooted = Record<symbol, KnownRoot | undefined>;

/** Copies plain facts to a span, unless it has the attribute. */
function copy(span: Span, keys: readonly string[]): void {
  const facts = currentRunContext();
  for (const key of keys) {
    const value = facts[key];
    const isPlain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    if (isPlain && !Object.hasOwn(span.attributes, key)) {
      span.setAttribute(key, value);
    }
  }
}

function oneOf(setting: string, value: string | undefined, known: readonly string[]): void {
  if (value !== undefined && !known.includes(value)) {
    throw new TypeError(`${setting} must be one of ${known.join(", ")}, not ${JSON.stringify(value)}`);
  }
}

/** Returns the processor of a destination. */
function processorOf(name: string, given: Destination): SpanProcessor {
  if (typeof (given as Partial<SpanProcessor>).onEnd === "function") {
    return given as SpanProcessor;
  }
  if (typeof (given as Partial<SpanExporter>).export !== "function") {
    throw new TypeError(
      `the tracer ${JSON.stringify(name)} needs a span processor or a span exporter, or an array of them`,
    );
  }
  // Only here, so that a program with processors of its own needs no particular SDK.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const sdk = require("@opentelemetry/sdk-trace-base") as typeof Sdk;
  const exporter = given as SpanExporter;
  return exporter.constructor.name === "ConsoleSpanExporter"
    ? new sdk.SimpleSpanProcessor(exporter)
    : new sdk.BatchSpanProcessor(exporter);
}
