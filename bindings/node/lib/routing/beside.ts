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
  /** The largest number of processors of a provider that was seen. */
  #count = 1;

  constructor(own: SpanProcessor) {
    this.#own = own;
  }

  /** Warns whenever there are more than before: the version 1 of the SDK can add some later. Does not
   * throw, whatever the private members of the SDK and its logger are. */
  look(span: Span): void {
    try {
      this.#look(span);
    } catch {
      // A warning that cannot be given must not reach the code that is traced.
    }
  }

  #look(span: Span): void {
    const processors = (span as unknown as WithProcessors)._spanProcessor?._spanProcessors;
    if (!Array.isArray(processors) || processors.length <= this.#count) {
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
