// The code of the documents runs.

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { ROOT } from "./shared.mjs";

for (const page of ["docs/guide/node.md", "bindings/node/README.md"]) {
  test(`code of ${page} runs`, async (t) => {
    const text = readFileSync(join(ROOT, page), "utf8");
    const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
    assert.notEqual(blocks.length, 0);
    // One after the other, as a reader would, in a module beside this one, where the packages are found.
    const name = `${page.replaceAll(/\W/g, "-")}-${process.pid}.mjs`;
    const module = fileURLToPath(new URL(name, import.meta.url));
    writeFileSync(module, `import assert from "node:assert/strict";\n${blocks.join("\n")}`);
    const directory = process.cwd();
    process.chdir(ROOT);
    t.after(() => {
      process.chdir(directory);
      rmSync(module);
    });
    await import(pathToFileURL(module));
  });
}
