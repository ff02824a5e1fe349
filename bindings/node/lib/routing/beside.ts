/** Notices processors that a vendor's SDK has added beside the routing processor. */

import { diag } from "@opentelemetry/api";
import type { Span, SpanProcessor } from "@opentelemetry/sdk-trace-base";

import { nameOf } from "./route.js";

/** The members of a span of the SDK that name its processors, in its versions 1 and 2. */
interface WithProcessors {
  readonly _spanProcessor?: { readonly _spanProcessors?: readonly SpanProcessor[] };
}

/** Warns of processors that receive the spans of every tracer. */
export class Beside {
  readonly #own: SpanProcessor;
  /** The number of processors of the provider that were seen last. */
  #count = 1;

  constructor(own: SpanProcessor) {
    this.#own = own;
  }

  /** Warns once for each change of their number: the version 1 of the SDK can add some later. */
  look(span: Span): void {
    const processors = (span as unknown as WithProcessors)._spanProcessor?._spanProcessors;
    if (processors === undefined || processors.length === this.#count) {
      return;
    }
    this.#count = processors.length;
    const names = processors.filter((one) => one !== this.#own).map(nameOf);
    if (names.length > 0) {
      diag.warn(
        `spanmux: the provider has ${names.join(", ")} beside the RoutingSpanProcessor, where it receives the ` +
          "spans of every tracer; move it to the tracers of the RoutingSpanProcessor",
      );
    }
  }
}
