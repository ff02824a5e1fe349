// The tarballs of the platforms, and their limit.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT, directoryOf } from "./shared.mjs";

const PACK = join(ROOT, "bindings", "node", "pack");
const pack = (...argv) => spawnSync(process.execPath, [PACK, ...argv], { encoding: "utf8" });

/** Returns a directory, and a library of this size in it that does not get smaller. */
function library(t, size) {
  const directory = directoryOf(t);
  const path = join(directory, "library");
  writeFileSync(path, randomBytes(size));
  return [directory, path];
}

test("package of a platform that is published is no larger than 12 MB", (t) => {
  const [directory, path] = library(t, 12_100_000);
  const large = pack("--release", directory, "darwin-arm64", path);
  assert.equal(large.status, 1);
  assert.match(large.stderr, /has 12\d+ bytes, more than the limit of 12000000/);
  // A debug build has no limit.
  assert.equal(pack(directory, "darwin-arm64", path).status, 0);

  const [smaller, small] = library(t, 11_900_000);
  assert.equal(pack("--release", smaller, "darwin-arm64", small).status, 0);
});

test("package of a platform has the module, and names its system", (t) => {
  const [directory, path] = library(t, 1_000);
  for (const [platform, expected] of [
    ["darwin-x64", { os: ["darwin"], cpu: ["x64"], libc: undefined }],
    ["win32-x64-msvc", { os: ["win32"], cpu: ["x64"], libc: undefined }],
  ]) {
    const tarball = pack(directory, platform, path).stdout.trim();
    const manifest = JSON.parse(execFileSync("tar", ["-xzOf", tarball, "package/package.json"]));
    const { name, os, cpu, libc } = manifest;
    assert.deepEqual({ name, os, cpu, libc }, { name: `@spanmux/${platform}`, ...expected });
    const module = execFileSync("tar", ["-xzOf", tarball, `package/${manifest.main}`]);
    assert.deepEqual(module, readFileSync(path));
  }
});

test("release workflow packs with the limit", () => {
  const workflow = readFileSync(join(ROOT, ".github", "workflows", "node.yml"), "utf8");
  const packed = workflow.split("\n").filter((line) => /\bpack .*libr|\bpack .*\.so/.test(line));
  assert.equal(packed.length, 2);
  for (const line of packed) {
    assert.match(line, /node pack --release /);
  }
});

test("platform that is not known is refused", (t) => {
  const [directory, path] = library(t, 10);
  const { status, stderr } = pack(directory, "sunos-x64", path);
  assert.equal(status, 2);
  assert.match(stderr, /no platform is named sunos-x64; available: .*linux-x64-gnu/);
});
