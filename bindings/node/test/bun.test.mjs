// The package in Bun: the program beside this one.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const bun = process.env.SPANMUX_BUN ?? "bun";
const hasBun = spawnSync(bun, ["--version"]).status === 0;

test("decisions and routes in Bun", { skip: hasBun ? false : "there is no bun; set SPANMUX_BUN" }, () => {
  const program = fileURLToPath(new URL("bun-program.mjs", import.meta.url));
  assert.equal(execFileSync(bun, [program], { encoding: "utf8" }), "3 decisions, 1 span\n");
});
