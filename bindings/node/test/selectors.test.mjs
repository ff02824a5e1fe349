import assert from "node:assert/strict";
import { test } from "node:test";

import { Policy } from "spanmux";

import { SELECTORS, TRACERS } from "./shared.mjs";

const options = { default: "console", fallback: "langfuse" };
const withSelector = (select) =>
  Policy.load(SELECTORS, { watch: false, selectors: [["own", select]] });

test("function decides before the components", async () => {
  const policy = await withSelector((facts) => (facts["user.tier"] === "gold" ? "langfuse" : null));
  const chosen = policy.decide({ "user.tier": "gold", tenant: "acme" }, TRACERS, options);
  assert.deepEqual([chosen.tracer, chosen.selector, chosen.digest], ["langfuse", "own", null]);
  assert.equal(policy.decide({ tenant: "acme" }, TRACERS, options).tracer, "tenant-acme");
});

test("function sees a copy of the facts, the root span and the tracers", async () => {
  let seen;
  const policy = await withSelector((facts, tracers) => {
    seen = structuredClone([facts, tracers]);
    facts.tenant = "changed";
    facts.user.id = 8;
    tracers.push("other");
    return undefined;
  });
  const context = { tenant: "acme", user: { id: 7 }, ratio: NaN, gone: undefined };
  const span = { name: "chat", kind: "server", attributes: { "http.route": "/chat", list: [1] } };
  const decision = policy.decide(context, TRACERS, { ...options, span });
  assert.equal(decision.tracer, "tenant-acme");
  assert.deepEqual(seen, [
    {
      tenant: "acme",
      user: { id: 7 },
      ratio: NaN,
      "span.name": "chat",
      "span.kind": "server",
      "span.http.route": "/chat",
      "span.list": [1],
    },
    TRACERS,
  ]);
  assert.deepEqual(context.user, { id: 7 });
});

for (const [name, select, reason] of [
  ["throws", () => { throw new Error("no rule"); }, /no rule/],
  ["throws null", () => { throw null; }, /null/],
  ["returns a number", () => 7, /not a value of type number/],
  ["is async", async () => "console", /not a promise/],
]) {
  test(`function that ${name} is a failed decision`, async () => {
    const decision = (await withSelector(select)).decide({ tenant: "acme" }, TRACERS, options);
    assert.equal(decision.fallback, "failed");
    assert.equal(decision.tracer, "langfuse");
    assert.match(decision.reason, reason);
  });
}

test("unknown name is a failed decision", async () => {
  const decision = (await withSelector(() => "nobody")).decide({}, TRACERS, options);
  assert.equal(decision.fallback, "unknown_tracer");
  assert.equal(decision.tracer, "langfuse");
});

test("function can use its policy, but not without an end", async () => {
  let depth = 0;
  const policy = await withSelector(() => {
    depth += 1;
    return depth < 5 ? policy.decide({ tenant: "acme" }, TRACERS).tracer : null;
  });
  assert.equal(policy.decide({ tenant: "acme" }, TRACERS).tracer, "tenant-acme");
  assert.equal(depth, 5);

  const endless = await withSelector(() => endless.decide({}, TRACERS).tracer);
  assert.equal(endless.decide({}, TRACERS, options).tracer !== null, true);
});

test("incomplete context calls no function", async () => {
  const policy = await withSelector(() => assert.fail("called"));
  assert.equal(policy.decide({ x: Symbol("x") }, TRACERS, options).fallback, "incomplete_context");
});

test("selector that is not a function is refused", async () => {
  await assert.rejects(withSelector("own"), /the selector "own" is not a function/);
});
