// The example programs, whose spans are counted at a receiver by the key of the tenant.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { startReceiver } from "../../test/receiver.mjs";
import { directoryOf } from "../../test/shared.mjs";
import * as aiSdk from "../ai-sdk.mjs";
import { fakeModel } from "../fake-model.mjs";
import * as openinference from "../openinference.mjs";
import { runJobs } from "../worker-pool.mjs";
import { startOpenAI } from "./fake-openai.mjs";

const TENANTS = Array.from({ length: 10 }, (_, number) => `t${number}`);

/** Counts the spans of each name that each key sent. */
function counted(receiver) {
  const found = {};
  for (const key of receiver.keys()) {
    for (const { name } of receiver.of(key)) {
      found[key] ??= {};
      found[key][name] = (found[key][name] ?? 0) + 1;
    }
  }
  return found;
}

test("Express service sends the spans of each request to its tenant", async (t) => {
  const receiver = await startReceiver(t);
  const program = fileURLToPath(new URL("../express-tenants.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, receiver.url, directoryOf(t), "0", ...TENANTS]);
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  const port = /listening on (\d+)/.exec(line)[1];
  const ask = async (headers) => {
    const response = await fetch(`http://127.0.0.1:${port}/answer`, { headers: { ...headers, connection: "close" } });
    assert.equal(await response.text(), "hello 3");
  };
  const requests = Array.from({ length: 200 }, (_, request) => ask({ "x-tenant": TENANTS[request % TENANTS.length] }));
  await Promise.all([...requests, ask({}), ask({ "x-tenant": "stranger" })]);
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);

  const each = (count) => ({ "GET /answer": count, search: count, model: count });
  const expected = Object.fromEntries(TENANTS.map((tenant) => [tenant, each(20)]));
  assert.deepEqual(counted(receiver), { ...expected, shared: each(2) });
});

test("AI SDK sends the spans of each call to the Langfuse project of its tenant", async (t) => {
  const receiver = await startReceiver(t);
  const tracing = await aiSdk.start(receiver.url, directoryOf(t), TENANTS);
  const calls = Array.from({ length: 100 }, (_, call) => aiSdk.answer(fakeModel(), TENANTS[call % TENANTS.length], "hi"));
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["hello"]));
  await tracing.stop();

  const found = counted(receiver);
  const keyOf = (tenant) => `Basic ${Buffer.from(`pk-${tenant}:sk-${tenant}`).toString("base64")}`;
  assert.deepEqual(Object.keys(found).sort(), TENANTS.map(keyOf).sort());
  for (const spans of Object.values(found)) {
    assert.deepEqual(spans, { "ai.generateText": 10, "ai.generateText.doGenerate": 10, feedback: 10 });
  }
});

test("OpenInference sends the spans of each call to its tenant", async (t) => {
  const [receiver, api] = [await startReceiver(t), await startOpenAI(t)];
  const tracing = await openinference.start(receiver.url, directoryOf(t), TENANTS);
  const calls = Array.from({ length: 100 }, (_, call) => openinference.answer(api, TENANTS[call % TENANTS.length], "hi"));
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(["hello"]));
  await tracing.stop();
  const expected = TENANTS.map((tenant) => [tenant, { "OpenAI Chat Completions": 10 }]);
  assert.deepEqual(counted(receiver), Object.fromEntries(expected));
});

test("worker threads send the spans of each job to its tenant", async (t) => {
  const receiver = await startReceiver(t);
  const settings = { endpoint: receiver.url, tenants: TENANTS, selectors: directoryOf(t) };
  const jobs = Array.from({ length: 100 }, (_, number) => ({ tenant: TENANTS[number % TENANTS.length], number }));
  assert.deepEqual(await runJobs(settings, jobs), jobs.map(({ number }) => number * 2));
  const expected = TENANTS.map((tenant) => [tenant, { job: 10, step: 10 }]);
  assert.deepEqual(counted(receiver), Object.fromEntries(expected));
});
