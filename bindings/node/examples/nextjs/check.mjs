// Starts the service that `next build` has built, and counts its spans at a receiver by the key of the
// tenant. `bindings/node/examples/nextjs/check` installs and builds it first.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { test } from "node:test";

import { startReceiver } from "../../test/receiver.mjs";
import { directoryOf, until } from "../../test/shared.mjs";

const [project] = process.argv.slice(2);
const TENANTS = ["t0", "t1", "t2", "t3", "t4"];

test("Next.js service sends the run of each request to its tenant", async (t) => {
  const receiver = await startReceiver(t);
  const next = createRequire(`${project}/package.json`).resolve("next/dist/bin/next");
  const env = {
    ...process.env,
    ENDPOINT: receiver.url,
    NEXT_TELEMETRY_DISABLED: "1",
    SELECTORS: directoryOf(t),
    TENANTS: TENANTS.join(","),
  };
  const child = spawn(process.execPath, [next, "start", "--port", "0", "--hostname", "127.0.0.1"], { cwd: project, env });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  await until(() => /Ready in/.test(output) || child.exitCode !== null);
  const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1];
  assert.ok(port, output);
  const ask = async (tenant) => {
    const headers = { "x-tenant": tenant, connection: "close" };
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/api/answer`, { headers })).text(), "hello");
  };
  await Promise.all(Array.from({ length: 50 }, (_, request) => ask(TENANTS[request % TENANTS.length])));
  const names = (key) => receiver.of(key).map((span) => span.name).sort();
  const expected = [...Array(10).fill("answer"), ...Array(10).fill("model")];
  await until(() => TENANTS.every((tenant) => names(tenant).length >= expected.length));
  for (const tenant of TENANTS) {
    assert.deepEqual(names(tenant), expected);
  }
  // The spans of Next.js itself.
  const requests = () => names("shared").filter((name) => name === "GET /api/answer").length;
  await until(() => requests() >= 50);
  assert.equal(requests(), 50);
  assert.ok(!names("shared").includes("answer"));
  child.kill("SIGTERM");
  await once(child, "exit");
});
