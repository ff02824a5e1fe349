import assert from "node:assert/strict";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import * as spanmux from "spanmux";
import { Policy, PolicyError } from "spanmux";

import { SELECTORS, TRACERS, directoryOf, until } from "./shared.mjs";

const policy = await Policy.load(SELECTORS, { watch: false });

test("decision names the tracer, the selector and its digest", () => {
  const decision = policy.decide({ tenant: "acme" }, TRACERS, { default: "console" });
  assert.equal(decision.tracer, "tenant-acme");
  assert.equal(decision.selector, "20-tenant");
  assert.match(decision.digest, /^[0-9a-f]{64}$/);
  assert.equal(decision.fallback, null);
  assert.equal(decision.cause, null);
  assert.equal(decision.reason, "a selector chose the tracer");
  assert.equal(decision.chosen, true);
  const again = policy.decide({ tenant: "acme" }, TRACERS, { default: "console" });
  assert.equal(again.cached, true);
  assert.ok(Object.isFrozen(again));
});

test("abstention selects the default tracer", () => {
  const decision = policy.decide({}, TRACERS, { default: "langfuse" });
  assert.equal(decision.tracer, "langfuse");
  assert.equal(decision.selector, null);
  assert.equal(decision.cause, "abstained");
  assert.equal(decision.fallback, null);
  assert.equal(decision.chosen, false);
});

test("failed decision selects the fallback tracer", () => {
  const options = { default: "console", fallback: "langfuse" };
  for (let time = 0; time < 3; time += 1) {
    const decision = policy.decide({ user: { tier: "enterprise" } }, TRACERS, options);
    assert.equal(decision.tracer, "langfuse");
    assert.equal(decision.fallback, "failed");
    assert.match(decision.reason, /`region` is missing/);
  }
});

test("deep stack is a decision or the error of the caller, and never the end of the process", () => {
  const deeper = () => {
    policy.decide({ tenant: "acme", other: 1n }, TRACERS);
    return deeper() + 1;
  };
  assert.throws(deeper, RangeError);
});

test("empty list of tracers has no tracer", () => {
  assert.equal(policy.decide({}, []).tracer, null);
  assert.equal(policy.decide({}, []).cause, "no_tracers");
});

test("root span is seen under span.", () => {
  const tracers = ["console", "discard"];
  const span = { name: "GET /healthz", kind: "server" };
  for (let time = 0; time < 3; time += 1) {
    assert.equal(policy.decide({}, tracers, { span }).tracer, "discard");
    assert.equal(policy.decide({ "span.name": "other" }, tracers, { span }).tracer, "console");
    assert.equal(policy.decide({}, tracers, { span: { name: "chat" } }).tracer, "console");
  }
});

test("mistakes in the list of tracers throw", () => {
  for (const [tracers, options, message] of [
    [["a", "a"], {}, /"a"/],
    [["a"], { default: "b" }, /the default tracer: no tracer is named "b"; registered are: a/],
    [["a"], { fallback: "b" }, /the fallback tracer/],
    [[""], {}, /name/],
    [[1], {}, /./],
    [undefined, {}, /./],
  ]) {
    assert.throws(() => policy.decide({}, tracers, options), { name: "TypeError", message });
  }
});

test("explanation has the learned rules in four formats", () => {
  policy.decide({ tenant: "acme" }, TRACERS);
  assert.match(policy.explain(), /tenant-acme/);
  assert.equal(JSON.parse(policy.explain({ format: "json" })).length, 5);
  assert.match(policy.explain({ tracers: TRACERS, format: "mermaid" }), /flowchart/);
  assert.match(policy.explain({ format: "svg" }), /<svg/);
  assert.throws(() => policy.explain({ format: "html" }), /available: text, json, mermaid, svg/);
});

test("change of the directory is applied while the policy is watched", async (t) => {
  const directory = directoryOf(t);
  const watched = await Policy.load(pathToFileURL(directory));
  const decide = () => watched.decide({ tenant: "acme" }, TRACERS);
  assert.equal(decide().cause, "no_selector");
  cpSync(join(SELECTORS, "20-tenant.wasm"), join(directory, "20-tenant.wasm"));
  await until(() => decide().tracer === "tenant-acme");
  assert.deepEqual(watched.selectors, ["20-tenant"]);
  const { files, loads, refusals } = watched.status();
  assert.equal(files[0].name, "20-tenant");
  assert.deepEqual([loads, refusals], [1, 0]);

  rmSync(join(directory, "20-tenant.wasm"));
  await until(() => decide().tracer === "console");

  watched.close();
  watched.close();
  assert.equal(watched.status(), null);
  cpSync(join(SELECTORS, "20-tenant.wasm"), join(directory, "20-tenant.wasm"));
  assert.equal(decide().tracer, "console");
});

test("broken file is a fallback with a reason, and a status", async (t) => {
  const directory = directoryOf(t);
  writeFileSync(join(directory, "10-broken.wasm"), "no component");
  const broken = await Policy.load(directory);
  t.after(() => broken.close());
  const decision = broken.decide({}, TRACERS, { default: "console", fallback: "langfuse" });
  assert.equal(decision.tracer, "langfuse");
  assert.equal(decision.fallback, "unavailable");
  assert.match(broken.status().files[0].refused, /component/);
});

test("path that cannot be used rejects with its remedy", async (t) => {
  const directory = directoryOf(t);
  const config = join(directory, "spanmux.toml");
  writeFileSync(config, "service = 3\ntracer = 4\n");
  for (const [path, options, message] of [
    [join(directory, "missing"), {}, /nothing exists at/],
    [config, {}, /service.*\n.*tracer/s],
    [SELECTORS, { lock: join(directory, "missing.lock") }, /missing\.lock/],
    [SELECTORS, { limits: { fule: 1 } }, /no limit is named "fule"; available: component_bytes/],
    [SELECTORS, { limits: { fuel: 1.5 } }, /expected a whole number/],
  ]) {
    await assert.rejects(Policy.load(path, options), (error) => {
      assert.ok(error instanceof PolicyError);
      assert.match(error.message, message);
      return true;
    });
  }
});

test("limits apply", async (t) => {
  const directory = directoryOf(t, "20-tenant.wasm");
  const limits = { fuel: 1, wallClockMs: 500, sandboxes: 2 };
  const limited = await Policy.load(directory, { limits });
  t.after(() => limited.close());
  assert.equal(limited.decide({ tenant: "acme" }, TRACERS).fallback, "unavailable");
  assert.match(limited.status().files[0].refused, /ran out of fuel/);
});

test("both module systems share one implementation", () => {
  const required = createRequire(import.meta.url)("spanmux");
  assert.equal(required.Policy, spanmux.Policy);
  const names = (module) => Object.keys(module).filter((name) => /^[A-Z]/.test(name));
  assert.deepEqual(names(required).sort(), names(spanmux).sort());
});
