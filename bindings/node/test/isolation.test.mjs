// No tenant's spans reach another one: counted at a receiver, by the key of the sender.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { RoutingSpanProcessor, withRunContext } from "spanmux/opentelemetry";

import { startReceiver } from "./receiver.mjs";
import { policyOf } from "./shared.mjs";

const TENANTS = Array.from({ length: 50 }, (_, number) => `t${number}`);
const REQUESTS = 80;
/** The spans of a request. */
const SPANS = 5;

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

/** The processors of the tenants, each with a key of its own. */
function processorsOf(receiver) {
  const processors = TENANTS.map((tenant) => {
    const exporter = new OTLPTraceExporter({ url: receiver.url, headers: { authorization: tenant } });
    return [tenant, new BatchSpanProcessor(exporter, { maxQueueSize: 50_000 })];
  });
  return Object.fromEntries(processors);
}

/** Handles the requests of all tenants at the same time. Returns the tenant of each trace. */
async function handle(tracer, requests = REQUESTS) {
  const sent = new Map();
  const pause = () => setTimeout(Math.random() * 20);
  const request = async (tenant) => {
    await pause();
    const inside = await tracer.startActiveSpan(`root of ${tenant}`, async (root) => {
      sent.set(root.spanContext().traceId, tenant);
      await pause();
      await tracer.startActiveSpan(`model of ${tenant}`, async (model) => {
        await Promise.all([pause(), tracer.startActiveSpan("tool", async (tool) => (await pause(), tool.end()))]);
        model.end();
      });
      setImmediate(() => tracer.startSpan("callback").end());
      root.end();
      return context.active();
    });
    await pause();
    tracer.startSpan("late", {}, inside).end();
  };
  const all = TENANTS.flatMap((tenant) => Array.from({ length: requests }, () => tenant));
  await Promise.all(all.map((tenant) => withRunContext({ tenant }, () => request(tenant))));
  return sent;
}

/** Counts the spans that arrived wrong, are lost, and the traces that are torn. */
function verdict(receiver, sent) {
  const found = { wrong: 0, lost: sent.size * SPANS, torn: 0 };
  const senders = new Map();
  for (const sender of receiver.keys()) {
    for (const span of receiver.of(sender)) {
      if (sent.get(span.traceId) === sender) {
        found.lost -= 1;
      } else {
        found.wrong += 1;
      }
      senders.set(span.traceId, (senders.get(span.traceId) ?? new Set()).add(sender));
    }
  }
  for (const keys of senders.values()) {
    found.torn += keys.size > 1 ? 1 : 0;
  }
  return found;
}

test("50 tenants and 80 requests each: no span is wrong, lost or torn", async (t) => {
  const receiver = await startReceiver(t);
  const policy = await policyOf(t, ({ tenant }) => tenant);
  const routing = new RoutingSpanProcessor({ policy, tracers: processorsOf(receiver) });
  const provider = new BasicTracerProvider({ spanProcessors: [routing] });
  const sent = await handle(provider.getTracer("tests"));
  await provider.shutdown();
  const found = verdict(receiver, sent);
  t.diagnostic(`${sent.size} traces, ${sent.size * SPANS} spans: ${JSON.stringify(found)}`);
  assert.deepEqual(found, { wrong: 0, lost: 0, torn: 0 });
  assert.equal(sent.size, TENANTS.length * REQUESTS);
});

test("plain set-up with a processor for each tenant sends every span to every tenant", async (t) => {
  const receiver = await startReceiver(t);
  const provider = new BasicTracerProvider({ spanProcessors: Object.values(processorsOf(receiver)) });
  // One request of each tenant, because each span is sent 50 times.
  const sent = await handle(provider.getTracer("tests"), 1);
  await provider.shutdown();
  const found = verdict(receiver, sent);
  t.diagnostic(`${sent.size} traces, ${sent.size * SPANS} spans, without Spanmux: ${JSON.stringify(found)}`);
  const others = TENANTS.length - 1;
  assert.deepEqual(found, { wrong: TENANTS.length * SPANS * others, lost: 0, torn: TENANTS.length });
});
