// Measures the package beside the plain SDK, side by side in one run.
//
//     bindings/node/build --release && bindings/node/module target release
//     node bindings/node/benchmark.mjs
//
// Both sides do the same work in turns, and the median of the ratios is printed.

import { fileURLToPath } from "node:url";

import { ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { Policy } from "spanmux";
import { RoutingSpanProcessor, withRunContext } from "spanmux/opentelemetry";

const SELECTORS = fileURLToPath(new URL("../../benches/selectors", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../selectors", import.meta.url));
const ROUNDS = 61;
const TRACERS = ["langfuse", "datadog", "console"];
const FEW = { tenant: "acme", tier: "free", region: "us-east", environment: "production" };
const MANY = { ...Object.fromEntries(Array.from({ length: 16 }, (_, number) => [`key.${number}`, `value ${number}`])), ...FEW };
/** Drops each span. */
const DROPPED = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };

const median = (numbers) => numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];

/** Returns the nanoseconds of processor time that one run of the work takes. */
function timed(work, times) {
  const before = process.cpuUsage();
  for (let time = 0; time < times; time += 1) {
    work();
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / times;
}

/** Returns how often the work runs in about 10 ms. */
function runs(work) {
  let times = 1;
  while (timed(work, times) * times < 1e7) {
    times *= 2;
  }
  return times;
}

const micros = (nanos) => `${(nanos / 1000).toFixed(2)} µs`;

/** Prints the time of a work that has no counterpart. */
function alone(name, work) {
  const times = runs(work);
  const found = Array.from({ length: ROUNDS }, () => timed(work, times));
  console.log(`| ${name} | | ${micros(median(found))} | |`);
}

/** Prints the times of both sides, and the median of their ratios. */
function paired(name, plain, routed) {
  const times = Math.max(runs(plain), runs(routed));
  const sides = Array.from({ length: ROUNDS }, (_, number) => {
    if (number % 2 === 0) {
      return [timed(plain, times), timed(routed, times)];
    }
    const second = timed(routed, times);
    return [timed(plain, times), second];
  });
  const [first, second] = [0, 1].map((side) => median(sides.map((pair) => pair[side])));
  const ratio = median(sides.map(([one, other]) => other / one));
  console.log(`| ${name} | ${micros(first)} | ${micros(second)} | ${ratio.toFixed(2)} |`);
}

async function decisions() {
  for (const [name, path, tenant] of [
    ["one selector, one key", `${SELECTORS}/one-key.wasm`, "acme"],
    ["one selector, four keys", `${SELECTORS}/four-keys.wasm`, "acme"],
    // Four of them abstain for this tenant.
    ["five selectors", EXAMPLES, "globex"],
  ]) {
    const list = (await Policy.load(path, { watch: false })).tracers(TRACERS);
    const [few, many] = [FEW, MANY].map((facts) => ({ ...facts, tenant }));
    alone(`learned, ${name}, 4 facts`, () => list.decide(few));
    alone(`learned, ${name}, 20 facts`, () => list.decide(many));
    alone(`learned, ${name}, 4 facts, whole context`, () => list.decideWhole(few));
  }
  const users = await Policy.load(`${SELECTORS}/users.wasm`, { limits: { cachedBytes: 0 } });
  alone("not learned", () => users.decide({ user: "u" }, TRACERS));
}

async function spans() {
  const policy = await Policy.load(`${SELECTORS}/one-key.wasm`);
  const routing = new RoutingSpanProcessor({ policy, tracers: Object.fromEntries(TRACERS.map((name) => [name, DROPPED])) });
  const [one, other] = [DROPPED, routing].map((processor) =>
    new BasicTracerProvider({ spanProcessors: [processor] }).getTracer("benchmark"),
  );
  // The plain SDK writes the same attributes.
  const attributes = { "spanmux.tracer": "langfuse", "spanmux.selector": "one-key", "spanmux.selector.digest": "0".repeat(64) };
  withRunContext(FEW, () => {
    paired(
      "root span",
      () => one.startSpan("answer", { attributes }, ROOT_CONTEXT).end(),
      () => other.startSpan("answer", {}, ROOT_CONTEXT).end(),
    );
    const [first, second] = [one, other].map((tracer) => trace.setSpan(ROOT_CONTEXT, tracer.startSpan("answer")));
    paired(
      "child span",
      () => one.startSpan("look up", {}, first).end(),
      () => other.startSpan("look up", {}, second).end(),
    );
  });
}

console.log(`Node.js ${process.versions.node}\n`);
console.log("| | SDK alone | Spanmux | times |\n|---|---:|---:|---:|");
await decisions();
await spans();
