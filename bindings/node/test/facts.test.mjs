// Values that cannot be facts: a decision never throws, and the trace goes to the fallback tracer with
// the name of the key.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Policy } from "spanmux";

import { SELECTORS, TRACERS } from "./shared.mjs";
import { UNREADABLE, throwing } from "./unreadable.mjs";

const policy = await Policy.load(SELECTORS, { watch: false });
const options = { default: "console", fallback: "langfuse" };
const decide = (context) => policy.decide(context, TRACERS, options);

describe("fact that cannot be read is a recorded fallback", () => {
  for (const [name, context, key, problem] of UNREADABLE) {
    test(name, () => {
      // The second and third decision would be on the fast route.
      decide({ tenant: "acme" });
      for (let time = 0; time < 3; time += 1) {
        const decision = decide(context);
        assert.equal(decision.fallback, "incomplete_context");
        assert.equal(decision.tracer, "langfuse");
        assert.ok(decision.reason.includes(`\`${key}\``), decision.reason);
        assert.match(decision.reason, problem);
      }
    });
  }
});

describe("fact is read", () => {
  for (const [name, context, tracer] of [
    ["text", { tenant: "acme" }, "tenant-acme"],
    ["nothing", undefined, "console"],
    ["null", null, "console"],
    ["undefined value", { tenant: undefined, "user.tier": "free" }, "console"],
    ["null value", { other: null, tenant: "acme" }, "tenant-acme"],
    ["map", new Map([["tenant", "acme"]]), "tenant-acme"],
    ["object without prototype", Object.assign(Object.create(null), { tenant: "acme" }), "tenant-acme"],
    ["proxy", new Proxy({ tenant: "acme" }, {}), "tenant-acme"],
    ["getter", { get tenant() { return "acme"; } }, "tenant-acme"],
    ["frozen object", Object.freeze({ tenant: "acme" }), "tenant-acme"],
    ["instance", new (class { tenant = "acme"; })(), "tenant-acme"],
    ["__proto__ key", JSON.parse('{"__proto__": {"tenant": "x"}, "tenant": "acme"}'), "tenant-acme"],
    ["__proto__ text", JSON.parse('{"__proto__": "x", "tenant": "acme"}'), "tenant-acme"],
    ["symbol key", { [Symbol("x")]: 1, tenant: "acme" }, "tenant-acme"],
    ["bigint", { other: 2n ** 63n, tenant: "acme" }, "tenant-acme"],
    ["floats", { a: NaN, b: -0, c: Infinity, d: 1e21, tenant: "acme" }, "tenant-acme"],
    ["date", { at: new Date(0), bad: new Date(NaN), tenant: "acme" }, "tenant-acme"],
    ["sparse array", { list: [1, , 3], tenant: "acme" }, "tenant-acme"],
    ["shared object", { a: { x: 1 }, b: { x: 1 }, tenant: "acme" }, "tenant-acme"],
  ]) {
    test(name, () => {
      for (let time = 0; time < 3; time += 1) {
        const decision = decide(context);
        assert.equal(decision.fallback, null, decision.reason);
        assert.equal(decision.tracer, tracer);
      }
    });
  }
});

test("inherited keys are not facts", () => {
  assert.equal(decide(Object.create({ tenant: "acme" })).tracer, "console");
  Object.prototype.tenant = "acme";
  try {
    assert.equal(decide({ other: 1 }).tracer, "console");
  } finally {
    delete Object.prototype.tenant;
  }
});

test("attribute of a span that cannot be read is absent", () => {
  const attributes = { bad: Symbol("x"), get worse() { return throwing(); }, route: "/chat" };
  const decision = policy.decide({ tenant: "acme" }, TRACERS, { span: { name: "x", attributes } });
  assert.equal(decision.tracer, "tenant-acme");
});
