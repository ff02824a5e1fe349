// The package in processes and threads: their end, their number, and platforms without a module.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";

import { Policy } from "spanmux";

import { startReceiver } from "./receiver.mjs";
import { SELECTORS, TRACERS, run } from "./shared.mjs";

const OPEN = `
  import { Policy } from "spanmux";
  const policy = await Policy.load(process.argv[1]);
  const { tracer } = policy.decide({ tenant: "acme" }, ${JSON.stringify(TRACERS)});
  console.log(tracer);
`;

for (const [name, end] of [
  ["without a close", ""],
  ["after a close", "policy.close();"],
  ["by process.exit", "process.exit(0);"],
  ["by an exception", "process.on('uncaughtException', () => process.exit(0)); throw new Error();"],
]) {
  test(`process that watches ends ${name}`, async () => {
    assert.deepEqual(await run(OPEN + end, SELECTORS), { code: 0, signal: null, output: "tenant-acme\n" });
  });
}

test("process that ends without a shutdown delivers its spans when it flushes", async (t) => {
  const receiver = await startReceiver(t);
  const { code, output } = await run(
    OPEN +
      `
      import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
      import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
      import { RoutingSpanProcessor, withRunContext } from "spanmux/opentelemetry";
      const exporter = (name) => new OTLPTraceExporter({ url: process.argv[2], headers: { authorization: name } });
      const tracers = { console: exporter("console"), "tenant-acme": exporter("tenant-acme") };
      const provider = new BasicTracerProvider({ spanProcessors: [new RoutingSpanProcessor({ policy, tracers })] });
      withRunContext({ tenant: "acme" }, () => provider.getTracer("x").startSpan("last").end());
      process.once("beforeExit", () => provider.forceFlush());
      `,
    SELECTORS,
    receiver.url,
  );
  assert.deepEqual([code, output], [0, "tenant-acme\n"]);
  assert.deepEqual(receiver.of("tenant-acme").map((span) => span.name), ["last"]);
  assert.deepEqual(receiver.of("console"), []);
});

for (const [name, end] of [
  ["ends at once without a flush", ""],
  ["ends within the limit of its flush", "process.once('beforeExit', () => provider.forceFlush().catch((errors) => console.log(`${errors}`)));"],
  ["ends by process.exit during a flush", "provider.forceFlush().catch(() => {}); setTimeout(() => process.exit(0), 10);"],
]) {
  test(`process with a processor that never resolves ${name}`, async () => {
    const program = `
      import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
      import { RoutingSpanProcessor, withRunContext } from "spanmux/opentelemetry";
      const never = () => new Promise(() => {});
      const hangs = { onStart() {}, onEnd() {}, forceFlush: never, shutdown: never };
      const tracers = { console: hangs, "tenant-acme": hangs };
      const provider = new BasicTracerProvider({
        spanProcessors: [new RoutingSpanProcessor({ policy, tracers, timeoutMillis: 100 })],
      });
      withRunContext({ tenant: "acme" }, () => provider.getTracer("x").startSpan("last").end());
    `;
    const { code, signal, output } = await run(OPEN + program + end, SELECTORS);
    assert.deepEqual([code, signal], [0, null], output);
    assert.match(output, end.includes("errors") ? /did not end within 100 ms/ : /^tenant-acme\n$/);
  });
}

/** A worker that decides until it is stopped. */
const WORKER = new URL("deciding-worker.mjs", import.meta.url);

test("threads decide at the same time, each with a policy of its own", async () => {
  // Before anything else is awaited: a message that nobody listens to is lost.
  const results = Array.from({ length: 3 }, () => {
    const worker = new Worker(WORKER, { workerData: { rounds: 500 } });
    return new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
  });
  const policy = await Policy.load(SELECTORS, { watch: false });
  assert.equal(policy.decide({ tenant: "acme" }, TRACERS).tracer, "tenant-acme");
  assert.deepEqual(await Promise.all(results), [500, 500, 500]);
});

test("worker that is terminated during decisions ends, and the process goes on", async () => {
  for (let time = 0; time < 5; time += 1) {
    const worker = new Worker(WORKER, { workerData: { rounds: Infinity } });
    await new Promise((resolve, reject) => worker.on("message", resolve).on("error", reject));
    await setTimeout(time * 3);
    assert.equal(await worker.terminate(), 1);
  }
  const policy = await Policy.load(SELECTORS, { watch: false });
  assert.equal(policy.decide({ tenant: "acme" }, TRACERS).tracer, "tenant-acme");
});

test("message for a platform names the package that is missing", () => {
  const root = dirname(createRequire(import.meta.url).resolve("spanmux/package.json"));
  const { load } = createRequire(import.meta.url)(join(root, "dist", "native.js"));
  const missing = (name) => {
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
  };
  assert.throws(() => load("darwin-x64", "/nowhere", missing), {
    message: /the package @spanmux\/darwin-x64 is missing or broken; install it .*--omit=optional/,
  });
  assert.throws(() => load("sunos-x64", "/nowhere", missing), {
    message: /there is no package for sunos-x64; there are packages for .*linux-x64-gnu.*Build it from source/,
  });
  assert.equal(load("linux-x64-gnu", "/nowhere", (name) => name), "@spanmux/linux-x64-gnu");
});
