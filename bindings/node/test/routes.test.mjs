// The fast route and the slow route decide alike.

import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";

import { Policy } from "spanmux";

import { ROOT, SELECTORS, directoryOf, until } from "./shared.mjs";

const NAMES = ["console", "langfuse", "langfuse-eu", "tenant-acme", "discard", "candidate"];

/** Random numbers that are the same in every run. */
function randomOf(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const VALUES = ["acme", "globex", "enterprise", "free", "eu", "production", "GET /healthz", "u-3", "", "ü🦀"];
const ODD = [
  () => undefined,
  () => null,
  () => true,
  () => 7,
  () => -0,
  () => NaN,
  () => Infinity,
  () => 2 ** 53,
  () => 1e300,
  () => 0.1,
  () => 5n,
  () => 2n ** 70n,
  () => Symbol("x"),
  () => "\ud800",
  () => ["acme"],
  () => ({ tier: "enterprise", id: "u-3" }),
  () => ({ tier: "free" }),
  () => new Map(),
  () => "x".repeat(400_000),
];

function contextOf(random, keys) {
  const context = {};
  for (const key of keys) {
    const kind = random(50);
    if (kind < 15) {
      context[key] = VALUES[random(VALUES.length)];
    } else if (kind === 15) {
      context[key] = ODD[random(ODD.length)]();
    }
  }
  return context;
}

function spanOf(random) {
  if (random(2) === 0) {
    return undefined;
  }
  const attributes = {
    "http.route": VALUES[random(VALUES.length)],
    odd: ODD[random(ODD.length)](),
  };
  return { name: VALUES[random(VALUES.length)], kind: "server", ...(random(2) && { attributes }) };
}

const plain = ({ cached: _, ...decision }) => decision;

/** Decides on both routes, and returns the number of decisions on the fast route. */
function compare(policy, tracers, reference, keys, rounds) {
  const random = randomOf(rounds);
  const list = policy.tracers(tracers, { fallback: "langfuse" });
  const whole = reference.tracers(tracers, { fallback: "langfuse" });
  // The slow route is a method, so each call of it is seen.
  let slow = 0;
  const decideWhole = list.decideWhole.bind(list);
  list.decideWhole = (...given) => {
    slow += 1;
    return decideWhole(...given);
  };
  for (let round = 0; round < rounds; round += 1) {
    const [context, span] = [contextOf(random, keys), spanOf(random)];
    const expected = whole.decideWhole(context, span);
    const decision = list.decide(context, span);
    assert.deepEqual(plain(decision), plain(expected), inspect(context));
  }
  return rounds - slow;
}

test("example selectors decide alike on both routes", async () => {
  const [policy, reference] = await Promise.all([
    Policy.load(SELECTORS, { watch: false }),
    Policy.load(SELECTORS, { watch: false }),
  ]);
  const keys = ["tenant", "user", "user.tier", "user.id", "region", "environment", "span.name", "other"];
  const fast = compare(policy, NAMES, reference, keys, 3_000);
  assert.ok(fast > 500, `${fast} decisions on the fast route`);
});

test("components of every language decide alike on both routes", async () => {
  const components = join(ROOT, "tests", "conformance", "components");
  for (const language of ["rust", "wat", "zig", "c", "assemblyscript"]) {
    const path = join(components, `${language}.wasm`);
    const [policy, reference] = [await Policy.load(path), await Policy.load(path)];
    const keys = ["case", "environment", "tenant", "user", "user.tier", "user.id", "a.b", "a"];
    compare(policy, NAMES, reference, keys, 1_000);
  }
});

test("fast route follows a change of the selectors", async (t) => {
  const directory = directoryOf(t, "20-tenant.wasm");
  const policy = await Policy.load(directory);
  t.after(() => policy.close());
  const list = policy.tracers(NAMES);
  const decide = () => list.decide({ tenant: "acme", environment: "production" });
  for (let time = 0; time < 10; time += 1) {
    assert.equal(decide().tracer, "tenant-acme");
  }
  cpSync(join(SELECTORS, "50-environment.wasm"), join(directory, "10-environment.wasm"));
  await until(() => decide().tracer === "langfuse");
  rmSync(join(directory, "10-environment.wasm"));
  await until(() => decide().tracer === "tenant-acme");
});

/** A directory with the example selectors and one more, which ask nine keys. */
function nineKeys(t) {
  const directory = directoryOf(t);
  cpSync(SELECTORS, directory, { recursive: true, filter: (path) => path === SELECTORS || path.endsWith(".wasm") });
  cpSync(join(ROOT, "benches", "selectors", "four-keys.wasm"), join(directory, "45-four-keys.wasm"));
  return directory;
}

test("nine keys decide alike on both routes", async (t) => {
  const directory = nineKeys(t);
  const [policy, reference] = await Promise.all([1, 2].map(() => Policy.load(directory, { watch: false })));
  // Without a tracer for the tenant, the last selectors are asked too.
  const names = ["console", "langfuse", "datadog"];
  const keys = ["tenant", "user", "user.tier", "user.id", "tier", "region", "environment", "span.name", "other"];
  const fast = compare(policy, names, reference, keys, 2_000);
  assert.ok(fast > 300, `${fast} decisions on the fast route`);
  const asked = policy.tracers(names, { fallback: "langfuse" }).native.askedKeys();
  assert.ok(asked.keys.length >= 9, `${asked.keys}`);
});

test("more keys than one call hands over are read once, and decide on the slow route", async (t) => {
  const policy = await Policy.load(nineKeys(t), { watch: false });
  const list = policy.tracers(NAMES);
  const decide = () => list.decide({ tenant: "globex", tier: "free" }, { name: "chat" });
  const { native } = list;
  let reads = 0;
  native.askedKeys = () => {
    reads += 1;
    const { generation, keys } = Object.getPrototypeOf(native).askedKeys.call(native);
    return { generation, keys: [...keys, ...Array.from({ length: 32 }, (_, number) => `key.${number}`)] };
  };
  let whole = 0;
  const { decide: decideWhole } = native;
  native.decide = (...given) => ((whole += 1), decideWhole.apply(native, given));
  assert.equal(decide().selector, "45-four-keys");
  decide();
  reads = 0;
  whole = 0;
  for (let time = 0; time < 100; time += 1) {
    assert.equal(decide().cached, true);
  }
  assert.deepEqual([reads, whole], [0, 100]);
});

test("function as a selector has the slow route", async () => {
  let calls = 0;
  const selectors = [["counts", () => void (calls += 1)]];
  const policy = await Policy.load(SELECTORS, { watch: false, selectors });
  for (let time = 0; time < 10; time += 1) {
    assert.equal(policy.decide({ tenant: "acme" }, NAMES).tracer, "tenant-acme");
  }
  assert.equal(calls, 10);
});

test("failed decision leaves learned decisions on the fast route", async () => {
  const policy = await Policy.load(SELECTORS, { watch: false });
  const list = policy.tracers(NAMES);
  const decide = () => list.decide({ tenant: "acme" });
  decide();
  const learned = decide();
  assert.equal(list.decide({ tenant: Symbol("x") }).fallback, "incomplete_context");
  assert.equal(decide(), learned);
  policy.close();
});
