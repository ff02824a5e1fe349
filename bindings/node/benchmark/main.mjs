// Measures the package beside the plain SDK and plain Mastra, side by side in one run.
//
//     bindings/node/build --profile wheel
//     (cd bindings/node/examples && npm ci)       # for Mastra
//     node bindings/node/benchmark/main.mjs
//
// Both sides do the same work in turns, and the median of the ratios is printed.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { Policy } from "spanmux";
import { RoutingSpanProcessor, withRunContext } from "spanmux/opentelemetry";

import { head, paired } from "./paired.mjs";

const pathOf = (path) => fileURLToPath(new URL(path, import.meta.url));
const SELECTORS = pathOf("../../../benches/selectors");
const EXAMPLES = pathOf("../../../selectors");
const TRACERS = ["langfuse", "datadog", "console"];
/** Facts for which four of the five example selectors abstain. */
const FEW = { tenant: "globex", tier: "free", region: "us-east", environment: "production" };
const MANY = { ...Object.fromEntries(Array.from({ length: 16 }, (_, number) => [`key.${number}`, `value ${number}`])), ...FEW };
/** Drops each span. */
const DROPPED = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };

async function decisions() {
  const [one, five] = await Promise.all(
    [`${SELECTORS}/one-key.wasm`, EXAMPLES].map(async (path) => (await Policy.load(path, { watch: false })).tracers(TRACERS)),
  );
  const unlearned = await Promise.all(
    [true, false].map(async (small) => {
      const limits = { cachedBytes: 0 };
      return (await Policy.load(`${SELECTORS}/users.wasm`, { limits, small })).tracers(TRACERS);
    }),
  );
  const hit = () => one.decide(FEW);
  const [miss, missOfLarge] = unlearned.map((list) => () => list.decide({ "user.id": "u-1" }));
  await paired("hit, one selector", hit, "the whole context as JSON", () => one.decideWhole(FEW));
  await paired("hit, five selectors", () => five.decide(FEW), "hit, one selector", hit);
  await paired("hit, five selectors", () => five.decide(FEW), "the whole context as JSON", () => five.decideWhole(FEW));
  await paired("hit, one selector, 20 facts", () => one.decide(MANY), "hit, 4 facts", hit);
  await paired("miss", miss, "hit, one selector", hit);
  await paired("miss, `small: false`", missOfLarge, "miss", miss);
}

async function spans() {
  const policy = await Policy.load(`${SELECTORS}/one-key.wasm`);
  const routing = new RoutingSpanProcessor({ policy, tracers: Object.fromEntries(TRACERS.map((name) => [name, DROPPED])) });
  const [one, other] = [DROPPED, routing].map((processor) =>
    new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("benchmark"),
  );
  // The plain SDK writes the same attributes.
  const attributes = { "spanmux.tracer": "langfuse", "spanmux.selector": "one-key", "spanmux.selector.digest": "0".repeat(64) };
  await withRunContext(FEW, async () => {
    await paired(
      "root span",
      () => other.startSpan("answer", {}, ROOT_CONTEXT).end(),
      "the SDK alone",
      () => one.startSpan("answer", { attributes }, ROOT_CONTEXT).end(),
    );
    const [first, second] = [one, other].map((tracer) => trace.setSpan(ROOT_CONTEXT, tracer.startSpan("answer")));
    await paired(
      "child span",
      () => other.startSpan("look up", {}, second).end(),
      "the SDK alone",
      () => one.startSpan("look up", {}, first).end(),
    );
  });
  policy.close();
}

async function mastra() {
  if (!existsSync(pathOf("../examples/node_modules/@mastra/core"))) {
    console.log("\nskipped: Mastra is not installed; `npm ci` in bindings/node/examples installs it");
    return;
  }
  const { rootSpans } = await import("../examples/mastra-benchmark.mjs");
  await rootSpans(paired, `${SELECTORS}/one-key.wasm`, FEW);
}

console.log(`Node.js ${process.versions.node}\n`);
head();
await decisions();
await spans();
await mastra();
