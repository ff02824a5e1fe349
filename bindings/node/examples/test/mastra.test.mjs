// Mastra with its own exporters, whose spans are counted at a receiver by the key of the tracer.

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import { RequestContext } from "@mastra/core/request-context";
import { Observability, TestExporter } from "@mastra/observability";
import { OtelExporter } from "@mastra/otel-exporter";
import { Policy } from "spanmux";
import { mastraSelector } from "spanmux/mastra";

import { startReceiver } from "../../test/receiver.mjs";
import { SELECTORS, directoryOf, policyOf, until } from "../../test/shared.mjs";
import { fakeModel } from "../fake-model.mjs";

/** A Mastra with a configuration for each exporter. */
function mastraOf(exporters, selector, model = fakeModel()) {
  const configs = Object.entries(exporters).map(([name, exporter]) => [
    name,
    { serviceName: "shop", exporters: [exporter], spanOutputProcessors: [selector.processor] },
  ]);
  const shop = new Agent({ id: "shop", name: "shop", instructions: "answer", model });
  const observability = new Observability({ configs: Object.fromEntries(configs), configSelector: selector });
  return new Mastra({ logger: false, agents: { shop }, observability });
}

const ask = (mastra, facts) =>
  mastra.getAgent("shop").generate("hi", { requestContext: new RequestContext(Object.entries(facts)) });

const testExporters = (...names) => Object.fromEntries(names.map((name) => [name, new TestExporter()]));
const roots = (exporter) => exporter.getAllSpans().filter((span) => span.isRootSpan);
const counts = (exporters) =>
  Object.fromEntries(Object.entries(exporters).map(([name, exporter]) => [name, roots(exporter).length]));

test("traces of concurrent tenants arrive in their own backends and in no other", async (t) => {
  const receiver = await startReceiver(t);
  const tenants = Array.from({ length: 20 }, (_, number) => `t${number}`);
  const exporters = Object.fromEntries(
    ["console", ...tenants.map((tenant) => `tenant-${tenant}`)].map((name) => [
      name,
      new OtelExporter({
        provider: { custom: { endpoint: receiver.url, headers: { authorization: name }, protocol: "http/json" } },
        signals: { logs: false },
      }),
    ]),
  );
  const policy = await policyOf(t, ({ tenant }) => `tenant-${tenant}`);
  const mastra = mastraOf(exporters, mastraSelector(policy));
  const expected = new Map();
  await Promise.all(
    Array.from({ length: 100 }, async (_, run) => {
      const tenant = tenants[run % tenants.length];
      const { traceId } = await ask(mastra, { tenant });
      expected.set(traceId, `tenant-${tenant}`);
    }),
  );
  await mastra.observability.flush();
  await mastra.observability.shutdown();

  let wrong = 0;
  const seen = new Map();
  for (const key of receiver.keys()) {
    for (const span of receiver.of(key)) {
      wrong += expected.get(span.traceId) === key ? 0 : 1;
      seen.set(span.traceId, (seen.get(span.traceId) ?? 0) + 1);
    }
  }
  const spans = Math.max(...seen.values());
  const whole = [...seen.values()].filter((count) => count === spans).length;
  t.diagnostic(`${seen.size} traces of ${spans} spans: ${wrong} spans wrong, ${100 - seen.size} traces lost, ${seen.size - whole} torn`);
  assert.deepEqual({ wrong, traces: seen.size, whole }, { wrong: 0, traces: 100, whole: 100 });
  assert.ok(spans >= 3);
  assert.equal(receiver.of("console").length, 0);
});

test("root span has the decision, and the reason of a fallback", async () => {
  const exporters = testExporters("console", "langfuse", "quarantine", "tenant-acme");
  const policy = await Policy.load(SELECTORS, { watch: false });
  const mastra = mastraOf(exporters, mastraSelector(policy, { fallback: "quarantine" }));
  await ask(mastra, { tenant: "acme" });
  await ask(mastra, { user: { tier: "enterprise" } });
  await ask(mastra, { tenant: Symbol("acme") });
  await ask(mastra, {});
  assert.deepEqual(counts(exporters), { console: 1, langfuse: 0, quarantine: 2, "tenant-acme": 1 });

  const [chosen] = roots(exporters["tenant-acme"]);
  assert.equal(chosen.metadata["spanmux.tracer"], "tenant-acme");
  assert.equal(chosen.metadata["spanmux.selector"], "20-tenant");
  assert.match(chosen.metadata["spanmux.selector.digest"], /^[0-9a-f]{64}$/);
  assert.equal(chosen.metadata["spanmux.fallback"], undefined);

  const [failed, incomplete] = roots(exporters.quarantine);
  assert.equal(failed.metadata["spanmux.fallback"], "failed");
  assert.match(failed.metadata["spanmux.fallback.reason"], /`region` is missing/);
  assert.equal(incomplete.metadata["spanmux.fallback"], "incomplete_context");
  assert.match(incomplete.metadata["spanmux.fallback.reason"], /`tenant`.*a symbol/);

  const [abstained] = roots(exporters.console);
  assert.equal(abstained.metadata["spanmux.fallback"], "abstained");
  assert.equal(abstained.metadata["spanmux.tracer"], undefined);
});

test("change of the selectors applies to the next trace and moves no open one", async (t) => {
  const exporters = testExporters("console", "tenant-acme");
  const directory = directoryOf(t, "20-tenant.wasm");
  const policy = await Policy.load(directory);
  t.after(() => policy.close());
  let duringRun = async () => {};
  const model = fakeModel("hello", () => duringRun());
  const mastra = mastraOf(exporters, mastraSelector(policy), model);
  duringRun = async () => {
    rmSync(join(directory, "20-tenant.wasm"));
    await until(() => policy.selectors.length === 0);
  };
  await ask(mastra, { tenant: "acme" });
  assert.deepEqual(counts(exporters), { console: 0, "tenant-acme": 1 });
  const all = exporters["tenant-acme"].getAllSpans().length;
  assert.ok(all >= 3);
  assert.equal(exporters.console.getAllSpans().length, 0);

  duringRun = async () => {};
  await ask(mastra, { tenant: "acme" });
  assert.deepEqual(counts(exporters), { console: 1, "tenant-acme": 1 });
});

test("configuration that is registered or removed applies to the next trace", async () => {
  const exporters = testExporters("console", "tenant-acme");
  const policy = await Policy.load(SELECTORS, { watch: false });
  const mastra = mastraOf(exporters, mastraSelector(policy));
  const { observability } = mastra;
  const instance = observability.getInstance("tenant-acme");
  observability.unregisterInstance("tenant-acme");
  await ask(mastra, { tenant: "acme" });
  assert.deepEqual(counts(exporters), { console: 1, "tenant-acme": 0 });
  observability.registerInstance("tenant-acme", instance);
  await ask(mastra, { tenant: "acme" });
  assert.deepEqual(counts(exporters), { console: 1, "tenant-acme": 1 });
});

test("hook that throws, and a hostile request context, reach no caller", async () => {
  const exporters = testExporters("console", "tenant-acme");
  const policy = await Policy.load(SELECTORS, { watch: false });
  const throwing = () => {
    throw new Error("no hook");
  };
  const selector = mastraSelector(policy, { onDecision: throwing });
  const mastra = mastraOf(exporters, selector);
  await ask(mastra, { tenant: "acme" });
  assert.deepEqual(counts(exporters), { console: 0, "tenant-acme": 1 });
  const names = new Map(Object.keys(exporters).map((name) => [name, {}]));
  for (const requestContext of [undefined, null, 7, "x", { entries: throwing }, new Proxy({}, { get: throwing })]) {
    assert.equal(selector({ requestContext }, names), undefined);
  }
  assert.equal(selector({}, new Map()), undefined);
});
