// Values that cannot be facts: a decision never throws, and the trace goes to the fallback tracer with
// the name of the key.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Policy } from "spanmux";

import { SELECTORS, TRACERS } from "./shared.mjs";

const policy = await Policy.load(SELECTORS, { watch: false });
const options = { default: "console", fallback: "langfuse" };
const decide = (context) => policy.decide(context, TRACERS, options);

const cycle = {};
cycle.self = { cycle };
const wide = Array.from({ length: 30 }).reduce((inner) => ({ a: inner, b: inner }), "leaf");
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const throwing = () => {
  throw new Error("no value");
};
const hostile = {
  get message() {
    throw new Error("no message");
  },
};

describe("fact that cannot be read is a recorded fallback", () => {
  for (const [name, context, key, problem] of [
    ["symbol", { tenant: Symbol("acme") }, "tenant", /a symbol cannot be a fact/],
    ["function", { tenant: () => "acme" }, "tenant", /a function cannot be a fact/],
    ["large bigint", { tenant: 2n ** 64n }, "tenant", /does not fit into 64 bits/],
    ["map", { tenant: new Map([["a", 1]]) }, "tenant", /a Map cannot be a fact/],
    ["set", { tenant: new Set() }, "tenant", /a Set cannot be a fact/],
    ["promise", { tenant: Promise.resolve("acme") }, "tenant", /a Promise cannot be a fact/],
    ["error", { tenant: new Error("x") }, "tenant", /an Error cannot be a fact/],
    ["bytes", { tenant: new Uint8Array(3) }, "tenant", /an Uint8Array cannot be a fact/],
    ["cycle", { tenant: cycle }, "tenant", /contains itself/],
    ["exponential graph", { tenant: wide }, "tenant", /more than 16384 keys/],
    ["throwing getter", { get tenant() { return throwing(); } }, "tenant", /no value/],
    ["throwing getter inside", { tenant: { get id() { return throwing(); } } }, "tenant", /no value/],
    ["getter that throws no error", { get tenant() { throw hostile; } }, "tenant", /object Object/],
    ["getter that throws null", { get tenant() { throw null; } }, "tenant", /null/],
    ["throwing toJSON", { tenant: { toJSON: throwing } }, "tenant", /no value/],
    ["proxy that throws", new Proxy({}, { ownKeys: throwing }), "context", /no value/],
    ["proxy that throws inside", { tenant: new Proxy({}, { get: throwing }) }, "tenant", /no value/],
    ["revoked proxy", revoked, "context", /revoked/],
    ["revoked proxy inside", { tenant: revoked }, "tenant", /revoked/],
    ["huge text", { tenant: "x".repeat(2 ** 21) }, "tenant", /more than 1048576 bytes/],
    ["huge key", { ["x".repeat(2 ** 21)]: 1 }, "x".repeat(100) + "…", /more than 1048576 bytes/],
    ["huge array", { tenant: new Array(2 ** 20).fill(1) }, "tenant", /more than 1048576 bytes/],
    ["many keys", Object.fromEntries(Array.from({ length: 20_000 }, (_, key) => [key, 1])), "16384", /more than 16384 keys/],
    ["lone surrogate", { tenant: "\ud800" }, "tenant", /a lone surrogate/],
    ["lone surrogate inside", { tenant: ["\udfff"] }, "tenant", /a lone surrogate/],
    ["lone surrogate in a key", { "\ud800": 1 }, "\ufffd", /a lone surrogate/],
    ["lone surrogate where none asks", { other: "\ud800", tenant: "acme" }, "other", /a lone surrogate/],
    ["symbol where none asks", { other: Symbol("x"), tenant: "acme" }, "other", /a symbol/],
    ["NaN inside", { tenant: [NaN] }, "tenant", /NaN inside of/],
    ["map with another key", new Map([[1, "acme"]]), "context", /a key must be a string, not a number/],
    ["array", ["acme"], "context", /not an array/],
    ["text", "acme", "context", /not a string/],
    ["number", 7, "context", /not a number/],
    ["symbol as context", Symbol("x"), "context", /not a symbol/],
    ["promise as context", Promise.resolve({}), "context", /not a Promise/],
    ["set as context", new Set(["acme"]), "context", /not a Set/],
  ]) {
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
