import assert from "node:assert/strict";
import { test } from "node:test";

import { ROOT_CONTEXT, SpanKind, context, createTraceState, diag, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { suppressTracing } from "@opentelemetry/core";
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  ConsoleSpanExporter,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { Policy } from "spanmux";
import { RoutingSpanProcessor, currentRunContext, withRunContext } from "spanmux/opentelemetry";

import { SELECTORS, TRACERS, policyOf } from "./shared.mjs";
import { UNREADABLE } from "./unreadable.mjs";

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const policy = await Policy.load(SELECTORS, { watch: false });

/** A provider whose tracers remember their spans. */
function setUp({ names = TRACERS, sampler, ...options } = {}) {
  const exporters = Object.fromEntries(names.map((name) => [name, new InMemorySpanExporter()]));
  const processors = Object.entries(exporters).map(([name, it]) => [name, new SimpleSpanProcessor(it)]);
  const routing = new RoutingSpanProcessor({ policy, tracers: Object.fromEntries(processors), ...options });
  const provider = new BasicTracerProvider({ spanProcessors: [routing], ...(sampler && { sampler }) });
  const tracer = provider.getTracer("tests");
  const spans = (name) => exporters[name].getFinishedSpans();
  /** The names of the spans of each tracer that has any. */
  const received = () =>
    Object.fromEntries(names.map((name) => [name, spans(name).map((span) => span.name)]).filter(([, it]) => it.length));
  return { routing, provider, tracer, spans, received };
}

const acme = (run) => withRunContext({ tenant: "acme" }, run);
const remote = (more = {}) =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: 1,
    isRemote: true,
    ...more,
  });

test("children follow the decision of their root, whatever their own context says", () => {
  const { tracer, received, spans } = setUp();
  acme(() =>
    tracer.startActiveSpan("root", (root) => {
      withRunContext({ tenant: "hooli" }, () => tracer.startSpan("child").end());
      root.end();
      tracer.startSpan("late").end();
    }),
  );
  tracer.startSpan("other").end();
  assert.deepEqual(received(), { console: ["other"], "tenant-acme": ["child", "root", "late"] });
  const [child, root] = spans("tenant-acme");
  assert.equal(root.attributes["spanmux.tracer"], "tenant-acme");
  assert.equal(root.attributes["spanmux.selector"], "20-tenant");
  assert.match(root.attributes["spanmux.selector.digest"], /^[0-9a-f]{64}$/);
  assert.equal(root.attributes["spanmux.fallback"], undefined);
  assert.deepEqual(child.attributes, {});
});

test("reason of a fallback is on the root span", () => {
  const { tracer, spans } = setUp({ fallback: "langfuse" });
  withRunContext({ user: { tier: "enterprise" } }, () => tracer.startSpan("failed").end());
  withRunContext({ tenant: Symbol("x") }, () => tracer.startSpan("incomplete").end());
  tracer.startSpan("abstained").end();
  const [failed, incomplete] = spans("langfuse").map((span) => span.attributes);
  assert.equal(failed["spanmux.fallback"], "failed");
  assert.match(failed["spanmux.fallback.reason"], /`region` is missing/);
  assert.equal(incomplete["spanmux.fallback"], "incomplete_context");
  const [abstained] = spans("console").map((span) => span.attributes);
  assert.equal(abstained["spanmux.fallback"], "abstained");
  assert.equal(abstained["spanmux.selector"], undefined);
});

test("root span and its attributes are seen by selectors", async (t) => {
  const own = await policyOf(t, (facts) => {
    assert.equal(facts["span.kind"], "server");
    return facts["span.http.route"] === "/chat" ? "langfuse" : null;
  });
  const { tracer, received } = setUp({ policy: own });
  tracer.startSpan("a", { kind: SpanKind.SERVER, attributes: { "http.route": "/chat" } }).end();
  tracer.startSpan("b", { kind: SpanKind.SERVER }).end();
  assert.deepEqual(received(), { console: ["b"], langfuse: ["a"] });
});

test("context that was rebuilt from ids finds the route of its trace", () => {
  const { tracer, received } = setUp();
  const root = acme(() => tracer.startSpan("root"));
  const rebuilt = trace.setSpanContext(ROOT_CONTEXT, { ...root.spanContext() });
  tracer.startSpan("open", {}, rebuilt).end();
  root.end();
  tracer.startSpan("ended", {}, rebuilt).end();
  assert.deepEqual(received(), { "tenant-acme": ["open", "root", "ended"] });
});

test("two local roots of one trace can differ", () => {
  const { tracer, received } = setUp();
  const first = acme(() => tracer.startSpan("first", {}, remote()));
  const second = tracer.startSpan("second", {}, remote());
  for (const [name, root] of [["a", first], ["b", second]]) {
    tracer.startSpan(name, {}, trace.setSpan(ROOT_CONTEXT, root)).end();
    tracer.startSpan(`${name} by ids`, {}, trace.setSpanContext(ROOT_CONTEXT, { ...root.spanContext() })).end();
    root.end();
  }
  assert.deepEqual(received(), {
    console: ["b", "b by ids", "second"],
    "tenant-acme": ["a", "a by ids", "first"],
  });
});

test("local root that is forgotten leaves the others of its trace", () => {
  const { tracer, received, spans } = setUp();
  const [first, second, third] = ["acme", "hooli", "acme"].map((tenant, number) =>
    withRunContext({ tenant }, () => tracer.startSpan(`root ${number}`, {}, remote())),
  );
  const child = (name, root) => tracer.startSpan(name, {}, trace.setSpanContext(ROOT_CONTEXT, { ...root.spanContext() })).end();
  second.end();
  for (let root = 0; root < 5_000; root += 1) {
    acme(() => tracer.startSpan("other").end());
  }
  child("of first", first);
  child("of second", second);
  child("of third", third);
  // The trace is still known, so the root that is forgotten follows the latest one.
  const named = (name) => spans(name).map((span) => span.name).filter((one) => one.startsWith("of"));
  assert.deepEqual(named("tenant-acme"), ["of first", "of second", "of third"]);
  assert.deepEqual(received().console, ["root 1"]);
  third.end();
  first.end();
});

test("choice of a remote parent is followed if it is trusted", () => {
  for (const [inbound, state, followed] of [
    ["select", "spanmux=langfuse", false],
    ["tracestate", "spanmux=langfuse", true],
    ["tracestate", "spanmux=langfuse:3-7,other=1", true],
    ["tracestate", "spanmux=nobody", false],
    ["both", "spanmux=langfuse", true],
    ["baggage", "spanmux=langfuse", false],
  ]) {
    const { tracer, received, spans } = setUp({ inbound });
    const parent = remote({ traceState: createTraceState(state) });
    acme(() => tracer.startSpan("root", {}, parent).end());
    assert.deepEqual(received(), { [followed ? "langfuse" : "tenant-acme"]: ["root"] }, `${inbound} ${state}`);
    const [root] = spans(followed ? "langfuse" : "tenant-acme");
    assert.equal(root.attributes["spanmux.inbound"], followed ? "tracestate" : undefined);
  }
  const { tracer, received } = setUp({ inbound: "both" });
  const baggage = propagation.createBaggage({ "spanmux.tracer": { value: "langfuse" } });
  tracer.startSpan("root", {}, propagation.setBaggage(remote(), baggage)).end();
  assert.deepEqual(received(), { langfuse: ["root"] });
});

test("choice travels in the tracestate of the root and of its children", () => {
  const { tracer } = setUp();
  const many = Array.from({ length: 32 }, (_, key) => `k${key}=v`).join(",");
  const root = acme(() => tracer.startSpan("root", {}, remote({ traceState: createTraceState(many) })));
  const members = root.spanContext().traceState.serialize().split(",");
  assert.equal(members[0], "spanmux=tenant-acme");
  assert.equal(members.length, 32);
  const child = tracer.startSpan("child", {}, trace.setSpan(ROOT_CONTEXT, root));
  assert.equal(child.spanContext().traceState.get("spanmux"), "tenant-acme");

  const silent = setUp({ outbound: "none" }).tracer.startSpan("root");
  assert.equal(silent.spanContext().traceState, undefined);
});

test("baggage of the caller can be a fact", () => {
  const { tracer, received } = setUp({ baggageKeys: ["tenant"] });
  const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
  const from = propagation.setBaggage(ROOT_CONTEXT, baggage);
  tracer.startSpan("a", {}, from).end();
  withRunContext({ tenant: "hooli" }, () => tracer.startSpan("b", {}, from).end());
  assert.deepEqual(received(), { console: ["b"], "tenant-acme": ["a"] });
});

test("facts are copied to spans", () => {
  const { tracer, spans } = setUp({ copyToSpans: ["tenant"], copyToRootSpans: ["plan", "odd"] });
  withRunContext({ tenant: "acme", plan: "gold", odd: { a: 1 } }, () =>
    tracer.startActiveSpan("root", { attributes: { plan: "own" } }, (root) => {
      tracer.startSpan("child").end();
      root.end();
    }),
  );
  const [child, root] = spans("tenant-acme").map((span) => span.attributes);
  assert.deepEqual(child, { tenant: "acme" });
  assert.deepEqual([root.tenant, root.plan, root.odd], ["acme", "own", undefined]);
});

test("run context follows asynchronous code and can be nested", async () => {
  const seen = await withRunContext({ a: 1, b: 1 }, async () => {
    await Promise.resolve();
    const inner = withRunContext(new Map([["b", 2]]), () => ({ ...currentRunContext() }));
    await new Promise((resolve) => setTimeout(resolve, 1));
    return [inner, { ...currentRunContext() }];
  });
  assert.deepEqual(seen, [{ a: 1, b: 2 }, { a: 1, b: 1 }]);
  assert.deepEqual({ ...currentRunContext() }, {});
  assert.throws(() => withRunContext({}, () => { throw new Error("own"); }), /own/);
});

test("facts that cannot be read are a fallback, and no exception of the traced function", () => {
  const { tracer, spans, received } = setUp({ fallback: "langfuse" });
  // The outer facts would choose a tenant.
  for (const [name, facts, , problem] of UNREADABLE) {
    const result = acme(() => withRunContext(facts, () => (tracer.startSpan(name).end(), name)));
    assert.equal(result, name);
    const { attributes } = spans("langfuse").at(-1);
    assert.equal(attributes["spanmux.fallback"], "incomplete_context", name);
    assert.match(attributes["spanmux.fallback.reason"], problem, name);
  }
  assert.deepEqual(received(), { langfuse: UNREADABLE.map(([name]) => name) });

  withRunContext(null, () => tracer.startSpan("null").end());
  withRunContext(undefined, () => tracer.startSpan("undefined").end());
  assert.deepEqual(received().console, ["null", "undefined"]);
});

test("attribute that cannot be read is absent, and no exception of the traced function", () => {
  const { tracer, received } = setUp();
  for (const value of [Symbol("x"), 1n, () => {}, new Map(), "\ud800", { get a() { throw new Error(); } }]) {
    acme(() => tracer.startSpan("root", { attributes: { odd: value } }).end());
  }
  assert.deepEqual(Object.keys(received()), ["tenant-acme"]);
  assert.equal(received()["tenant-acme"].length, 6);
});

test("spans that are not recorded or suppressed are not decided", async (t) => {
  let calls = 0;
  const own = await policyOf(t, () => void (calls += 1));
  const { tracer } = setUp({ policy: own, sampler: new AlwaysOffSampler() });
  tracer.startSpan("off").end();
  const { tracer: on } = setUp({ policy: own });
  on.startSpan("suppressed", {}, suppressTracing(ROOT_CONTEXT)).end();
  assert.equal(calls, 0);
});

test("processor beside the routing one is named in a warning", (t) => {
  const warnings = [];
  diag.setLogger({ error() {}, warn: (message) => warnings.push(message), info() {}, debug() {}, verbose() {} });
  t.after(() => diag.disable());
  const alone = setUp();
  alone.tracer.startSpan("alone").end();
  assert.deepEqual(warnings, []);

  class VendorProcessor extends SimpleSpanProcessor {}
  const vendor = new InMemorySpanExporter();
  const routing = new RoutingSpanProcessor({ policy, tracers: { console: new InMemorySpanExporter() } });
  const provider = new BasicTracerProvider({ spanProcessors: [routing, new VendorProcessor(vendor)] });
  provider.getTracer("tests").startSpan("a").end();
  provider.getTracer("tests").startSpan("b").end();
  assert.equal(vendor.getFinishedSpans().length, 2);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /has VendorProcessor beside the RoutingSpanProcessor.*spans of every tracer; move it/);

  // Two providers in turns are no change.
  const other = new BasicTracerProvider({ spanProcessors: [routing] });
  for (const one of [other, provider, other, provider]) {
    one.getTracer("tests").startSpan("c").end();
  }
  assert.equal(warnings.length, 1);
});

test("private members of the SDK and a logger that throws do not reach the caller", (t) => {
  const fail = () => {
    throw new Error("broken");
  };
  diag.setLogger({ error() {}, warn: fail, info() {}, debug() {}, verbose() {} });
  t.after(() => diag.disable());
  const routing = new RoutingSpanProcessor({ policy, tracers: { console: new InMemorySpanExporter() } });
  const beside = new SimpleSpanProcessor(new InMemorySpanExporter());
  const provider = new BasicTracerProvider({ spanProcessors: [routing, beside] });
  provider.getTracer("tests").startSpan("a").end();
  const span = provider.getTracer("tests").startSpan("b");
  const own = { _spanProcessors: new Set([routing]), onEnding() {}, onEnd() {} };
  Object.defineProperty(span, "_spanProcessor", { value: own });
  routing.onStart(span, ROOT_CONTEXT);
  span.end();
});

test("processor that throws is reported once, and affects no other one", async (t) => {
  const errors = [];
  diag.setLogger({ error: (message) => errors.push(message), warn() {}, info() {}, debug() {}, verbose() {} });
  t.after(() => diag.disable());
  const fail = () => {
    throw new Error("broken");
  };
  const broken = { onStart: fail, onEnding: fail, onEnd: fail, forceFlush: async () => fail(), shutdown: fail };
  // Its message cannot name a class.
  Object.setPrototypeOf(broken, null);
  const good = new InMemorySpanExporter();
  const { tracer, routing } = setUp({ tracers: { console: [broken, new SimpleSpanProcessor(good)] } });
  tracer.startSpan("a").end();
  tracer.startSpan("b").end();
  assert.equal(good.getFinishedSpans().length, 2);
  assert.equal(errors.length, 1);
  assert.match(errors[0], /of the tracer "console" failed in onStart.*broken/);
  await assert.rejects(routing.forceFlush(), /the forceFlush of the tracer "console" failed: broken/);
  await assert.rejects(routing.shutdown(), /the shutdown of the tracer "console" failed: broken/);
});

test("processor that never resolves delays nobody else, and has a limit", async () => {
  const hangs = { onStart() {}, onEnd() {}, forceFlush: () => new Promise(() => {}), shutdown: () => new Promise(() => {}) };
  let flushed = 0;
  const good = { ...hangs, forceFlush: async () => void (flushed += 1), shutdown: async () => void (flushed += 1) };
  const { routing } = setUp({ tracers: { a: hangs, b: good, c: good }, timeoutMillis: 50 });
  await assert.rejects(routing.forceFlush(), /"a" did not end within 50 ms/);
  // One processor of two tracers is flushed once.
  assert.equal(flushed, 1);
  await assert.rejects(routing.shutdown(), /"a" did not end within 50 ms/);
  await assert.rejects(routing.shutdown(), /"a" did not end within 50 ms/);
  assert.equal(flushed, 2);
});

test("exporter is wrapped, and mistakes in the settings throw", async () => {
  const exporter = new InMemorySpanExporter();
  const { tracer, routing } = setUp({ tracers: { console: exporter, print: new ConsoleSpanExporter() } });
  tracer.startSpan("a").end();
  await routing.forceFlush();
  assert.equal(exporter.getFinishedSpans().length, 1);
  for (const [options, message] of [
    [{ tracers: {} }, /at least one tracer/],
    [{ tracers: { a: {} } }, /"a" needs a span processor or a span exporter/],
    [{ tracers: { a: null } }, /./],
    [{ tracers: { "": exporter } }, /name/],
    [{ default: "other" }, /the default tracer: no tracer is named "other"/],
    [{ fallback: "other" }, /the fallback tracer/],
    [{ inbound: "always" }, /inbound must be one of select, tracestate, baggage, both, not "always"/],
    [{ outbound: "baggage" }, /outbound must be one of/],
  ]) {
    assert.throws(() => setUp(options), { name: "TypeError", message });
  }
});

test("table of routes is bounded", () => {
  const { tracer, spans } = setUp();
  const roots = Array.from({ length: 5_000 }, () => {
    const root = acme(() => tracer.startSpan("root"));
    root.end();
    return root;
  });
  const late = (root) => tracer.startSpan("late", {}, trace.setSpanContext(ROOT_CONTEXT, { ...root.spanContext() }));
  // The route of the first one is forgotten, so it is a local root again.
  late(roots[0]).end();
  late(roots.at(-1)).end();
  assert.deepEqual(spans("console").map((span) => span.name), ["late"]);
  assert.equal(spans("tenant-acme").length, 5_001);
  // An object keeps its route for ever.
  tracer.startSpan("child", {}, trace.setSpan(ROOT_CONTEXT, roots[0])).end();
  assert.equal(spans("tenant-acme").length, 5_002);
});
