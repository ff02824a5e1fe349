// Plain Mastra beside Mastra with Spanmux: the same rule as Mastra's own selector and as a selector
// of a policy. Each difference has its reason.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import { RequestContext } from "@mastra/core/request-context";
import { Observability, SamplingStrategyType, TestExporter } from "@mastra/observability";
import { mastraSelector } from "spanmux/mastra";

import { ROOT, policyOf } from "../../test/shared.mjs";
import { fakeModel } from "../fake-model.mjs";

const LONG = "x".repeat(300);

/** Makes a Mastra whose rule is its own selector, or a selector of a policy. */
async function build(t, withSpanmux, { names = ["a", "b"], rule, never = [], fallback, register, during }) {
  const exporters = new Map();
  const selector = withSpanmux
    ? mastraSelector(
        await policyOf(t, (facts, tracers) => rule(facts, tracers)),
        fallback === undefined ? {} : { fallback },
      )
    : ({ requestContext }, live) => rule(Object.fromEntries(requestContext?.entries() ?? []), live, requestContext);
  const configOf = (name) => {
    exporters.set(name, new TestExporter());
    return {
      serviceName: "shop",
      exporters: [exporters.get(name)],
      spanOutputProcessors: withSpanmux ? [selector.processor] : [],
      sampling: { type: never.includes(name) ? SamplingStrategyType.NEVER : SamplingStrategyType.ALWAYS },
    };
  };
  const configs = Object.fromEntries(names.map((name) => [name, configOf(name)]));
  const observability = new Observability({ configs, configSelector: selector });
  register?.(observability);
  const model = fakeModel("hello", async () => during?.(observability));
  const shop = new Agent({ id: "shop", name: "shop", instructions: "answer", model });
  const mastra = new Mastra({ logger: false, agents: { shop }, observability });
  return { mastra, observability, exporters };
}

/** Runs an agent, and returns the configurations that received its root span, or the rejection. */
async function outcome(t, withSpanmux, scenario) {
  const { mastra, exporters } = await build(t, withSpanmux, scenario);
  const facts = scenario.facts ?? { tenant: "x" };
  const requestContext = new RequestContext(Object.entries(facts));
  try {
    for (let run = 0; run < (scenario.runs ?? 1); run += 1) {
      await mastra.getAgent("shop").generate("hi", { requestContext });
    }
  } catch (error) {
    return `rejects: ${error.message}`;
  }
  const received = [];
  for (const [name, exporter] of exporters) {
    for (const span of exporter.getAllSpans().filter((one) => one.isRootSpan)) {
      received.push(name.slice(0, 5));
      scenario.seen?.(span, requestContext, withSpanmux);
    }
  }
  return received.join(" ") || "nowhere";
}

const throws = () => {
  throw new Error("no rule");
};
const reason = (expected) => (span, _, withSpanmux) =>
  withSpanmux && assert.match(`${span.metadata["spanmux.fallback"]}: ${span.metadata["spanmux.fallback.reason"]}`, expected);
const written = [];

// [scenario, plain Mastra, with Spanmux, the reason of a difference, settings]
const SCENARIOS = [
  ["a live name", "b", "b", "", { rule: () => "b" }],
  ["undefined", "a", "a", "", { rule: () => undefined, seen: reason(/^abstained/) }],
  ["an empty text", "a", "a", "", { rule: () => "", seen: reason(/^unknown_tracer/) }],
  ["a name that is not live", "a", "a", "", { rule: () => "c", seen: reason(/^unknown_tracer: no tracer is named "c"/) }],
  ["a name in another case", "a", "a", "", { rule: () => "B", seen: reason(/^unknown_tracer/) }],
  ["a name with a space", "a", "a", "", { rule: () => "b ", seen: reason(/^unknown_tracer/) }],
  ["a name in another Unicode form", "a", "a", "", { names: ["a", "\u00e9"], rule: () => "e\u0301" }],
  ["a number", "a", "a", "", { rule: () => 7, seen: reason(/^failed: .*not a value of type number/) }],
  ["an object", "a", "a", "", { rule: () => ({ name: "b" }), seen: reason(/^failed/) }],
  ["a promise", "a", "a", "", { rule: async () => "b", seen: reason(/^failed: .*not a promise/) }],
  ["an exception", "rejects: no rule", "a", "a fault of a rule never reaches the run of the user", { rule: throws, seen: reason(/^failed: .*no rule/) }],
  ["an exception, with a fallback", "rejects: no rule", "b", "failed decisions can have a destination of their own", { rule: throws, fallback: "b" }],
  ["an unknown name, with a fallback", "a", "b", "an unknown tenant's trace must not reach the default's backend", { rule: () => "c", fallback: "b" }],
  ["a fallback that is not live", "a", "a", "", { rule: () => "c", fallback: "d" }],
  ["no fact", "a", "a", "", { facts: {}, rule: ({ tenant }) => tenant }],
  ["a fact", "b", "b", "", { facts: { tenant: "b" }, rule: ({ tenant }) => tenant }],
  ["a nested fact", "b", "b", "", { facts: { user: { tier: "b" } }, rule: ({ user }) => user.tier }],
  ["a symbol as a fact", "b", "a", "a context that cannot be read whole is a recorded fallback", { facts: { other: Symbol("x") }, rule: () => "b", seen: reason(/^incomplete_context/) }],
  ["a map as a fact", "b", "a", "a context that cannot be read whole is a recorded fallback", { facts: { other: new Map() }, rule: () => "b", seen: reason(/^incomplete_context/) }],
  ["a rule that removes a tracer", "a", "b", "a rule receives copies of the names, and not the live map", { rule: (_, live) => (live.delete?.("b"), "b") }],
  ["a rule that writes to the context", "b", "b", "", { rule: (facts, _, context) => ((facts.tenant = "y"), context?.set("tenant", "y"), "b"), seen: (_, context, withSpanmux) => written.push([withSpanmux, context.get("tenant")]) }],
  ["one tracer", "a", "a", "", { names: ["a"], rule: () => undefined }],
  ["no tracer", "nowhere", "nowhere", "", { names: ["a"], rule: () => "a", register: (it) => it.unregisterInstance("a") }],
  ["a tracer that samples nothing", "nowhere", "nowhere", "", { never: ["b"], rule: () => "b" }],
  ["names that look like numbers", "10", "10", "", { names: ["b", "10"], rule: () => undefined }],
  ["a name of 300 bytes", "xxxxx", "a", "names are limited to 256 bytes", { names: ["a", LONG], rule: () => LONG, seen: reason(/^unknown_tracer/) }],
  ["a default that was removed", "b", "b", "", { rule: () => undefined, register: (it) => it.unregisterInstance("a") }],
  ["a tracer that is removed during the run", "b", "b", "", { rule: () => "b", during: (it) => it.unregisterInstance("b") }],
  ["a rule that is replaced during the run", "b", "b", "", { rule: () => "b", during: (it) => it.setConfigSelector(() => "a") }],
  ["a rule that is replaced between runs", "a b", "a b", "", { runs: 2, rule: () => "b", during: (it) => it.setConfigSelector(() => "a") }],
];

test("scenarios of plain Mastra and of Mastra with Spanmux", async (t) => {
  let different = 0;
  for (const [name, plain, routed, why, scenario] of SCENARIOS) {
    await t.test(name, async (t) => {
      assert.equal(await outcome(t, false, scenario), plain, "plain Mastra");
      assert.equal(await outcome(t, true, scenario), routed, "with Spanmux");
      assert.equal(why !== "", plain !== routed, "each difference has a reason, and nothing else has one");
      different += plain === routed ? 0 : 1;
      t.diagnostic(`${plain.padEnd(17)} | ${routed.padEnd(8)} | ${why || "alike"}`);
    });
  }
  t.diagnostic(`${SCENARIOS.length - different} alike, ${different} different by design`);
});

test("table of the documentation is that of the scenarios", () => {
  const rows = SCENARIOS.map(([name, plain, routed, why]) => `| ${name} | ${plain} | ${routed} | ${why} |`);
  const page = readFileSync(join(ROOT, "docs", "guide", "mastra.md"), "utf8");
  const table = page.split("\n").filter((line) => line.startsWith("| ")).slice(1);
  assert.deepEqual(table, rows);
  const different = SCENARIOS.filter(([, plain, routed]) => plain !== routed).length;
  assert.ok(page.includes(`Of ${SCENARIOS.length} scenarios, ${SCENARIOS.length - different} have the same outcome`));
});

test("rule that writes to the context is seen by the caller in plain Mastra alone", () => {
  assert.deepEqual(written, [[false, "y"], [true, "x"]]);
});

test("rule is called once for each root span and never for children", async (t) => {
  for (const withSpanmux of [false, true]) {
    let calls = 0;
    await outcome(t, withSpanmux, { rule: () => ((calls += 1), "b") });
    assert.equal(calls, 1);
  }
});
