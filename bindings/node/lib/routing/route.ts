/** The processors of one tracer, and the route of one trace to them. */

import { type Context, diag } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-base";

import { messageOf } from "../facts.js";

/** Returns the name of a processor's class. Never throws. */
export function nameOf(processor: SpanProcessor): string {
  try {
    return processor.constructor.name;
  } catch {
    // An object without a prototype.
    return "a processor";
  }
}

/** The processors of one tracer. A failure of one reaches neither the others nor the caller. */
export class RoutedTracer {
  readonly name: string;
  readonly processors: readonly SpanProcessor[];
  readonly #reported = new Set<SpanProcessor>();

  constructor(name: string, processors: readonly SpanProcessor[]) {
    this.name = name;
    this.processors = processors;
  }

  onStart(span: Span, parent: Context): void {
    for (const processor of this.processors) {
      try {
        processor.onStart(span, parent);
      } catch (thrown) {
        this.#report(processor, "onStart", thrown);
      }
    }
  }

  onEnding(span: Span): void {
    for (const processor of this.processors) {
      try {
        processor.onEnding?.(span);
      } catch (thrown) {
        this.#report(processor, "onEnding", thrown);
      }
    }
  }

  onEnd(span: ReadableSpan): void {
    for (const processor of this.processors) {
      try {
        processor.onEnd(span);
      } catch (thrown) {
        this.#report(processor, "onEnd", thrown);
      }
    }
  }

  /** Logs the first failure of a processor. A broken one would fill the log. */
  #report(processor: SpanProcessor, step: string, thrown: unknown): void {
    if (!this.#reported.has(processor)) {
      this.#reported.add(processor);
      diag.error(
        `spanmux: the processor ${nameOf(processor)} of the tracer ` +
          `${JSON.stringify(this.name)} failed in ${step}; further failures are not logged: ` +
          messageOf(thrown),
      );
    }
  }
}

/** The decision for one local root span. */
export interface Route {
  readonly tracer: RoutedTracer;
  /** The attributes of the root span that describe the decision. */
  readonly attributes: Readonly<Record<string, string>>;
}
