// Shared by the tests: the example selectors, and a directory of their own.

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Policy } from "spanmux";

/** The repository. The tests also run in another directory, with the packed package. */
export const ROOT = process.env.SPANMUX_REPOSITORY ?? fileURLToPath(new URL("../../..", import.meta.url));
export const SELECTORS = join(ROOT, "selectors");
export const TRACERS = ["console", "langfuse", "tenant-acme"];

if (!existsSync(SELECTORS)) {
  throw new Error(`no repository at ${ROOT}; set SPANMUX_REPOSITORY`);
}

/** Returns a directory with these example selectors, removed when the test ends. */
export function directoryOf(t, ...names) {
  const directory = mkdtempSync(join(tmpdir(), "spanmux-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of names) {
    cpSync(join(SELECTORS, name), join(directory, name));
  }
  return directory;
}

/** Returns a policy with one function and no component. */
export function policyOf(t, select) {
  return Policy.load(directoryOf(t), { watch: false, selectors: [["own", select]] });
}

/** Waits until a condition holds. */
export async function until(holds, millis = 60_000) {
  const deadline = Date.now() + millis;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`the condition did not hold within ${millis} ms`);
    }
    await setTimeout(5);
  }
}

const HERE = dirname(fileURLToPath(import.meta.url));

/** Runs a module in a process of its own. Returns its exit code, its output, and its signal. */
export async function run(text, ...argv) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", text, ...argv], { cwd: HERE });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const kill = AbortSignal.timeout(60_000);
  kill.addEventListener("abort", () => child.kill("SIGKILL"));
  const [code, signal] = await new Promise((resolve) => child.on("close", (...ended) => resolve(ended)));
  return { code, signal, output };
}
