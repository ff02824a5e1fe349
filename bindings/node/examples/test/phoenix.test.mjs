// The example programs with a real Phoenix, whose projects are read back over its API.
//
// `tests/backends/install` installs Phoenix in an environment of its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT, directoryOf, until } from "../../test/shared.mjs";
import * as aiSdk from "../ai-sdk.mjs";
import { fakeModel } from "../fake-model.mjs";
import * as openinference from "../openinference.mjs";
import { phoenixProject, phoenixWithLangfuse } from "../phoenix.mjs";
import { USAGE, startOpenAI } from "./fake-openai.mjs";

const ENVIRONMENT = process.env.SPANMUX_BACKENDS_ENV ?? join(ROOT, "target", "backends", "env");
const PYTHON = join(ENVIRONMENT, "bin", "python");
const TENANTS = Array.from({ length: 5 }, (_, number) => `t${number}`);
const CALLS = 50;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts Phoenix with an empty store. Returns its address. */
async function startPhoenix(t) {
  const home = mkdtempSync(join(tmpdir(), "spanmux-phoenix-"));
  const [http, grpc] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    PHOENIX_HOST: "127.0.0.1",
    PHOENIX_PORT: `${http}`,
    PHOENIX_GRPC_PORT: `${grpc}`,
    PHOENIX_WORKING_DIR: home,
    PHOENIX_TELEMETRY_ENABLED: "false",
    PHOENIX_ALLOW_EXTERNAL_RESOURCES: "false",
  };
  const child = spawn(PYTHON, [join(ROOT, "tests", "backends", "serve_phoenix.py")], { env });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  t.after(async () => {
    if (child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(home, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${http}`;
  const isReady = () => fetch(`${url}/healthz`).then((response) => response.ok, () => false);
  await until(async () => child.exitCode !== null || (await isReady()), 180_000);
  assert.equal(child.exitCode, null, output);
  return url;
}

async function get(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return response.json();
}

/** Returns the spans of each project that has any. */
async function projectsOf(phoenix) {
  const { data: projects } = await get(`${phoenix}/v1/projects?limit=100`);
  const found = new Map();
  for (const { name } of projects) {
    const { data: spans, next_cursor: more } = await get(`${phoenix}/v1/projects/${name}/spans?limit=1000`);
    assert.equal(more, null, "all spans of a project are on one page");
    if (spans.length > 0) {
      found.set(name, spans);
    }
  }
  return found;
}

/** Reads all projects once they have this many spans. Phoenix stores spans after it has answered. */
async function stored(phoenix, count) {
  let projects;
  await until(async () => {
    projects = await projectsOf(phoenix);
    return [...projects.values()].flat().length >= count;
  });
  return projects;
}

/** Checks that each tenant has these spans, each trace is in one project, and no other project has any. */
function check(t, projects, expected) {
  assert.deepEqual([...projects.keys()].sort(), TENANTS);
  const projectOf = new Map();
  for (const [project, spans] of projects) {
    const names = {};
    for (const { name, context } of spans) {
      names[name] = (names[name] ?? 0) + 1;
      assert.equal(projectOf.get(context.trace_id) ?? project, project, "a trace is in one project");
      projectOf.set(context.trace_id, project);
    }
    assert.deepEqual(names, expected, project);
  }
  t.diagnostic(`${projectOf.size} traces of ${TENANTS.length} tenants in Phoenix`);
}

const skip = !existsSync(PYTHON) && "there is no Phoenix; tests/backends/install installs it";

test("Phoenix has the spans of each tenant in a project of its own", { skip }, async (t) => {
  const tenantOf = (call) => TENANTS[call % TENANTS.length];
  const calls = Array.from({ length: CALLS }, (_, call) => call);
  const each = CALLS / TENANTS.length;

  await t.test("AI SDK with the processor of Langfuse", async (t) => {
    const phoenix = await startPhoenix(t);
    const tracing = await aiSdk.start(phoenix, directoryOf(t), TENANTS, phoenixWithLangfuse);
    await Promise.all(calls.map((call) => aiSdk.answer(fakeModel(), tenantOf(call), "hi")));
    await tracing.stop();
    const projects = await stored(phoenix, 3 * CALLS);
    check(t, projects, { "ai.generateText": each, "ai.generateText.doGenerate": each, feedback: each });
    const feedback = [...projects.values()].flat().filter(({ name }) => name === "feedback");
    assert.ok(feedback.every(({ attributes }) => attributes["langfuse.observation.output"] === "hello"));
  });

  await t.test("OpenInference", async (t) => {
    const [phoenix, api] = [await startPhoenix(t), await startOpenAI(t)];
    const tracing = await openinference.start(phoenix, directoryOf(t), TENANTS, phoenixProject);
    await Promise.all(calls.map((call) => openinference.answer(api, tenantOf(call), "hi")));
    await tracing.stop();
    const projects = await stored(phoenix, CALLS);
    check(t, projects, { "OpenAI Chat Completions": each });
    for (const { span_kind: kind, attributes } of [...projects.values()].flat()) {
      assert.equal(kind, "LLM");
      assert.equal(attributes["llm.model_name"], "gpt-4o-mini");
      assert.equal(attributes["llm.token_count.prompt"], USAGE.prompt_tokens);
      assert.equal(attributes["llm.token_count.completion"], USAGE.completion_tokens);
      assert.equal(attributes["spanmux.selector"], "by-tenant");
    }
  });
});
