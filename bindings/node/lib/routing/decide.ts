/** Decides the route of a local root span. */

import {
  type Context,
  type Span as ApiSpan,
  type SpanContext,
  SpanKind,
  type TraceState,
  createTraceState,
  diag,
  propagation,
} from "@opentelemetry/api";
import type { Span } from "@opentelemetry/sdk-trace-base";

import { attributesOf, type Decision, failedDecision } from "../decision.js";
import { messageOf } from "../facts.js";
import { native } from "../native.js";
import type { Policy } from "../policy.js";
import type { Tracers } from "../tracers.js";
import type { Route, RoutedTracer } from "./route.js";
import { currentRunContext, type Facts } from "./run-context.js";

/** The member of `tracestate` that names the selected tracer. */
const MEMBER = "spanmux";
/** The key of the baggage that names the selected tracer. */
const BAGGAGE = "spanmux.tracer";
/** The members that a `tracestate` may have. */
const MAX_MEMBERS = 32;
/** The decisions whose attributes are kept. A reload changes the digests. */
const MAX_DESCRIBED = 4_096;

const KINDS: Readonly<Record<SpanKind, string>> = {
  [SpanKind.INTERNAL]: "internal",
  [SpanKind.SERVER]: "server",
  [SpanKind.CLIENT]: "client",
  [SpanKind.PRODUCER]: "producer",
  [SpanKind.CONSUMER]: "consumer",
};

/** The carrier by which the choice of a remote parent is followed. */
export type Inbound = "select" | "tracestate" | "baggage" | "both";
/** The carrier that takes the choice to other processes. */
export type Outbound = "tracestate" | "none";

export interface DeciderOptions {
  policy: Policy;
  tracers: ReadonlyMap<string, RoutedTracer>;
  default: string;
  fallback: string;
  inbound: Inbound;
  outbound: Outbound;
  baggageKeys: readonly string[];
}

/** A tracer's name as the member of `tracestate`. */
interface Carried {
  readonly text: string;
  /** The state with this member alone. A state is immutable, so root spans share it. */
  readonly alone: TraceState;
}

/** Decides by a policy, or follows the decision of a remote parent. */
export class Decider {
  readonly #options: DeciderOptions;
  readonly #list: Tracers;
  readonly #fallback: RoutedTracer;
  readonly #fromTracestate: boolean;
  readonly #fromBaggage: boolean;
  /** The names by their text form in `tracestate`. */
  readonly #byText = new Map<string, RoutedTracer>();
  readonly #carried = new Map<RoutedTracer, Carried>();
  readonly #described = new Map<Decision, Route>();

  /** Throws a `TypeError` for a mistake in the list of tracers. */
  constructor(options: DeciderOptions) {
    this.#options = options;
    const { default: defaultName, fallback, inbound } = options;
    const names = [...options.tracers.keys()];
    this.#list = options.policy.tracers(names, { default: defaultName, fallback });
    for (const [name, tracer] of options.tracers) {
      const text = native.encodeName(name);
      this.#byText.set(text, tracer);
      this.#carried.set(tracer, { text, alone: createTraceState().set(MEMBER, text) });
    }
    const fallbackTracer = options.tracers.get(fallback);
    if (fallbackTracer === undefined) {
      throw new TypeError(`the fallback tracer ${JSON.stringify(fallback)} is not among the tracers`);
    }
    this.#fallback = fallbackTracer;
    this.#fromTracestate = inbound === "tracestate" || inbound === "both";
    this.#fromBaggage = inbound === "baggage" || inbound === "both";
  }

  /** Returns the route of a local root span. Never throws. */
  route(span: Span, parent: ApiSpan | undefined, context: Context): Route {
    try {
      const remote = parent?.spanContext();
      const followed = remote && this.#inbound(remote, context);
      if (followed !== undefined) {
        return followed;
      }
      const root = { name: span.name, kind: KINDS[span.kind], attributes: span.attributes };
      return this.#decided(this.#list.decide(this.#facts(context), root));
    } catch (thrown) {
      const reason = messageOf(thrown);
      diag.error(`spanmux: a decision failed; the trace goes to the fallback tracer: ${reason}`);
      return describe(this.#fallback, failedDecision(this.#fallback.name, reason));
    }
  }

  /** Writes the choice into the `tracestate` of a root span, so that it travels with the trace. */
  carry(span: ApiSpan, route: Route): void {
    const carried = this.#carried.get(route.tracer);
    if (this.#options.outbound === "none" || carried === undefined) {
      return;
    }
    try {
      put(span.spanContext(), carried);
    } catch (thrown) {
      // A propagator of the application made the state.
      diag.error(`spanmux: the choice is not in the tracestate: ${messageOf(thrown)}`);
    }
  }

  #facts(context: Context): Facts {
    const facts = currentRunContext();
    const baggage = this.#options.baggageKeys.length > 0 && propagation.getBaggage(context);
    if (!baggage) {
      return facts;
    }
    const more: Record<string, unknown> = {};
    for (const key of this.#options.baggageKeys) {
      more[key] = baggage.getEntry(key)?.value;
    }
    return { ...more, ...facts };
  }

  #inbound(parent: SpanContext, context: Context): Route | undefined {
    if (this.#fromTracestate) {
      // Another process may write numbers of its own behind the name.
      const text = parent.traceState?.get(MEMBER)?.split(":", 1)[0];
      const tracer = text === undefined ? undefined : this.#byText.get(text);
      if (tracer !== undefined) {
        return followed(tracer, "tracestate");
      }
    }
    if (this.#fromBaggage) {
      const name = propagation.getBaggage(context)?.getEntry(BAGGAGE)?.value;
      const tracer = name === undefined ? undefined : this.#options.tracers.get(name);
      if (tracer !== undefined) {
        return followed(tracer, "baggage");
      }
    }
    return undefined;
  }

  #decided(decision: Decision): Route {
    const known = this.#described.get(decision);
    if (known !== undefined) {
      return known;
    }
    const route = describe(this.#options.tracers.get(decision.tracer ?? "") ?? this.#fallback, decision);
    // Learned decisions are one object each; a failure has a text of its own.
    if (decision.fallback === null && decision.cached && this.#described.size < MAX_DESCRIBED) {
      this.#described.set(decision, route);
    }
    return route;
  }
}

/** Puts the member in front of the others. */
function put(ids: SpanContext, { text, alone }: Carried): void {
  let state = ids.traceState;
  if (state === undefined) {
    ids.traceState = alone;
    return;
  }
  if (state.get(MEMBER) === undefined) {
    const last = state.serialize().split(",")[MAX_MEMBERS - 1];
    // One of the others gives way.
    state = last === undefined ? state : state.unset(last.split("=", 1)[0] ?? "");
  }
  ids.traceState = state.set(MEMBER, text);
}

function followed(tracer: RoutedTracer, carrier: string): Route {
  return { tracer, attributes: { "spanmux.tracer": tracer.name, "spanmux.inbound": carrier } };
}

function describe(tracer: RoutedTracer, decision: Decision): Route {
  return { tracer, attributes: attributesOf(tracer.name, decision) };
}
