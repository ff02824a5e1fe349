// The events of a policy, for `onEvent`, and the address space that a policy reserves.

import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";

import { Policy } from "spanmux";

import { ROOT, SELECTORS, TRACERS, directoryOf, run, until } from "./shared.mjs";

const CONFIG = "service = 'shop'\ntracers.console.exporter = { type = 'discard' }\n";

/** A callback that keeps the events, and returns the next one. */
function seen() {
  const events = [];
  const callback = (event) => void events.push(event);
  return [callback, () => until(() => events.length > 0).then(() => events.shift()), events];
}

test("changes of a directory are events", async (t) => {
  const directory = directoryOf(t, "20-tenant.wasm");
  const [onEvent, next] = seen();
  const policy = await Policy.load(directory, { onEvent });
  t.after(() => policy.close());
  const path = join(directory, "20-tenant.wasm");
  const { digest, ...loaded } = await next();
  assert.deepEqual(loaded, { kind: "loaded", selector: "20-tenant", path, bytes: statSync(path).size });
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(await next(), { kind: "changed", selectors: ["20-tenant"] });

  const broken = join(directory, "30-new.wasm");
  writeFileSync(broken, "no component");
  const { reason, ...refused } = await next();
  assert.deepEqual(refused, { kind: "refused", selector: "30-new", path: broken, kept: false });
  assert.match(reason, /component/);
  assert.deepEqual(await next(), { kind: "changed", selectors: ["20-tenant", "30-new"] });

  rmSync(broken);
  const removed = await next();
  assert.deepEqual(removed, { kind: "removed", selector: "30-new", path: broken });
  assert.ok(Object.isFrozen(removed));
});

test("component alone and a configuration file have events", async (t) => {
  const config = join(directoryOf(t), "spanmux.toml");
  writeFileSync(config, `${CONFIG}[selectors]\ndirectory = '${directoryOf(t, "20-tenant.wasm")}'\n`);
  for (const path of [join(SELECTORS, "20-tenant.wasm"), config]) {
    const [onEvent, next] = seen();
    const policy = await Policy.load(path, { onEvent });
    t.after(() => policy.close());
    const { kind, selector } = await next();
    assert.deepEqual([kind, selector], ["loaded", "20-tenant"]);
  }
});

test("closed policy releases a callback that refers to it", async (t) => {
  setFlagsFromString("--expose_gc");
  const gc = runInNewContext("gc");
  const load = async () => {
    let policy;
    const onEvent = () => policy?.status();
    policy = await Policy.load(directoryOf(t, "20-tenant.wasm"), { onEvent });
    policy.close();
    return new WeakRef(onEvent);
  };
  const callback = await load();
  await until(() => {
    gc();
    return callback.deref() === undefined;
  });
});

test("callback may use the policy", async (t) => {
  const directory = directoryOf(t);
  let decided;
  const policy = await Policy.load(directory, {
    onEvent: ({ kind, selectors }) => {
      if (kind === "changed" && selectors.length > 0) {
        decided = policy.decide({ tenant: "acme" }, TRACERS).tracer;
        policy.close();
      }
    },
  });
  cpSync(join(SELECTORS, "20-tenant.wasm"), join(directory, "20-tenant.wasm"));
  await until(() => decided !== undefined);
  assert.equal(decided, "tenant-acme");
  assert.equal(policy.status(), null);
});

test("decision waits for no callback", async (t) => {
  const [onEvent, next, events] = seen();
  const policy = await Policy.load(directoryOf(t, "20-tenant.wasm"), { onEvent });
  t.after(() => policy.close());
  await until(() => events.length === 2);
  // The event loop does not run between here and the end of the loop.
  const path = join(directoryOf(t), "30-new.wasm");
  writeFileSync(path, "no component");
  const directory = policy.status().files[0].path.replace("20-tenant", "30-new");
  cpSync(path, directory);
  const deadline = Date.now() + 60_000;
  while (policy.status().refusals === 0 && Date.now() < deadline) {
    assert.equal(policy.decide({ tenant: "acme" }, TRACERS).tracer, "tenant-acme");
  }
  assert.equal(policy.status().refusals, 1);
  assert.equal(events.length, 2);
  events.length = 0;
  assert.equal((await next()).kind, "refused");
});

for (const [name, fails] of [
  ["throws", () => { throw new Error("broken"); }],
  ["rejects", async () => { throw new Error("broken"); }],
  ["returns a hostile thenable", () => ({ get then() { throw new Error("broken"); } })],
]) {
  test(`callback that ${name} is reported once and reaches no caller`, async (t) => {
    const warnings = [];
    const warn = (warning) => warning.message.startsWith("spanmux:") && warnings.push(warning.message);
    process.on("warning", warn);
    t.after(() => process.off("warning", warn));
    let calls = 0;
    const onEvent = () => ((calls += 1), fails());
    const policy = await Policy.load(directoryOf(t, "20-tenant.wasm"), { onEvent });
    t.after(() => policy.close());
    assert.equal(policy.decide({ tenant: "acme" }, TRACERS).tracer, "tenant-acme");
    await until(() => calls === 2 && warnings.length > 0);
    assert.deepEqual(warnings, ["spanmux: onEvent failed: broken; further failures are not reported"]);
  });
}

test("callback must be a function", async () => {
  await assert.rejects(Policy.load(SELECTORS, { onEvent: 3 }), { name: "TypeError", message: "onEvent is not a function" });
});

test("process ends with an open policy that has a callback", async () => {
  const program = `
    import { Policy } from "spanmux";
    let events = 0;
    const policy = await Policy.load(process.argv[1], { onEvent: () => void (events += 1) });
    console.log(policy.decide({ tenant: "acme" }, ["console", "tenant-acme"]).tracer);
  `;
  for (const end of ["", "process.exit(0);", "policy.close();"]) {
    assert.deepEqual(await run(program + end, SELECTORS), { code: 0, signal: null, output: "tenant-acme\n" });
  }
});

test("worker with a callback can be terminated", async () => {
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    const { Policy } = require(workerData.spanmux);
    Policy.load(workerData.selectors, { onEvent: ({ kind }) => parentPort.postMessage(kind) });
  `;
  const spanmux = createRequire(import.meta.url).resolve("spanmux");
  for (let time = 0; time < 3; time += 1) {
    const worker = new Worker(program, { eval: true, workerData: { spanmux, selectors: SELECTORS } });
    // The worker may end before its first event, because a callback does not keep it alive.
    const kind = await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject).on("exit", resolve));
    assert.ok(kind === "loaded" || kind === 0, `${kind}`);
    await worker.terminate();
  }
  const policy = await Policy.load(SELECTORS, { watch: false });
  assert.equal(policy.decide({ tenant: "acme" }, TRACERS).tracer, "tenant-acme");
});

/** Writes files that cannot be loaded to a directory. */
function breakFiles(directory, count) {
  for (let number = 0; number < count; number += 1) {
    writeFileSync(join(directory, `${number}.wasm`), "no component");
  }
  return directory;
}

test("events beyond those that wait are counted", async (t) => {
  const files = 1_500;
  const [onEvent, , events] = seen();
  const directory = directoryOf(t);
  const policy = await Policy.load(directory, { onEvent, limits: { selectors: files } });
  t.after(() => policy.close());
  breakFiles(directory, files);
  // The event loop stands still until all events have happened.
  const deadline = Date.now() + 60_000;
  while (policy.status().refusals < files && Date.now() < deadline) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  const missed = () => events.filter(({ kind }) => kind === "missed").reduce((sum, { count }) => sum + count, 0);
  const delivered = () => events.filter(({ kind }) => kind !== "missed").length;
  // One for each file, and at least one for the chain.
  await until(() => delivered() + missed() > files);
  t.diagnostic(`${delivered()} events delivered, ${missed()} missed`);
  assert.ok(missed() > 0);
});

test("worker whose events wait can be terminated", async (t) => {
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    const { Policy } = require(workerData.spanmux);
    Policy.load(workerData.directory, { onEvent() {} });
    parentPort.postMessage("loading");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  `;
  const workerData = { spanmux: createRequire(import.meta.url).resolve("spanmux"), directory: breakFiles(directoryOf(t), 200) };
  for (let time = 0; time < 5; time += 1) {
    const worker = new Worker(program, { eval: true, workerData });
    await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
    await setTimeout(time * 100);
    assert.equal(await worker.terminate(), 1);
  }
});

test("every event of the library is described", () => {
  const host = readFileSync(join(ROOT, "host/component/src/event.rs"), "utf8");
  const kinds = [...host.matchAll(/^ +Self::\w+ \{ \.\. \} => "(\w+)",$/gm)].map(([, kind]) => kind);
  assert.ok(kinds.length >= 10);
  const types = readFileSync(join(ROOT, "bindings/node/lib/events.ts"), "utf8");
  for (const kind of [...kinds, "missed"]) {
    assert.match(types, new RegExp(`kind: "${kind}"`));
  }
});

const STATM = "/proc/self/statm";

/** The MiB of address space that a process reserves for a policy. */
async function reserved(path, options) {
  const program = `
    import { readFileSync } from "node:fs";
    import { Policy } from "spanmux";
    const pages = () => Number(readFileSync("${STATM}", "utf8").split(" ")[0]);
    const before = pages();
    const policy = await Policy.load(process.argv[1], JSON.parse(process.argv[2]));
    console.assert(policy.decide({ tenant: "acme" }, ["console", "tenant-acme"]).tracer === "tenant-acme");
    console.log((pages() - before) * 4 / 1024);
  `;
  const { code, output } = await run(program, path, JSON.stringify(options));
  assert.equal(code, 0, output);
  return Number(output);
}

test("policy reserves little address space, unless it is not small", { skip: !existsSync(STATM) && `there is no ${STATM}` }, async (t) => {
  const plain = join(directoryOf(t), "spanmux.toml");
  writeFileSync(plain, `${CONFIG}[selectors]\ndirectory = '${SELECTORS}'\n`);
  const large = join(directoryOf(t), "spanmux.toml");
  writeFileSync(large, `${readFileSync(plain, "utf8")}small = false\n`);
  for (const [path, options, isSmall] of [
    [SELECTORS, {}, true],
    [SELECTORS, { small: true }, true],
    [SELECTORS, { small: false }, false],
    [plain, {}, true],
    [large, {}, false],
    [large, { small: true }, true],
  ]) {
    const found = await reserved(path, options);
    assert.ok(isSmall ? found < 1024 : found > 2048, `${path} ${JSON.stringify(options)}: ${found} MiB`);
  }
});
