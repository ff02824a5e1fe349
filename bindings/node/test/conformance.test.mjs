// Rust and JavaScript decide alike: every case of the conformance suite, in five languages.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { Policy } from "spanmux";
import { RoutingSpanProcessor, withRunContext } from "spanmux/opentelemetry";

import { ROOT } from "./shared.mjs";

const COMPONENTS = join(ROOT, "tests", "conformance", "components");
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");

/** The answers of the Rust library by component. */
function answersOfRust() {
  const program = join(TARGET, "debug", "conformance");
  const options = { encoding: "utf8", maxBuffer: 2 ** 30 };
  const lines = execFileSync(program, [COMPONENTS, "--answers"], options).trim().split("\n");
  const answers = new Map();
  for (const line of lines) {
    const answer = JSON.parse(line);
    answers.set(answer.component, [...(answers.get(answer.component) ?? []), answer]);
  }
  return answers;
}

/** The strings and the numbers of a JSON text. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const FLOATS = { nan: NaN, inf: Infinity, "-inf": -Infinity };
const floatOf = (text) => FLOATS[String(text).toLowerCase()] ?? Number(text);

/** JavaScript has one type for `7.0` and `7`, so a context with the former has no object. */
function hasObject({ context, floats }) {
  const numbers = (context.match(TOKENS) ?? []).filter((token) => !token.startsWith('"'));
  const isWhole = (float) => Number.isInteger(float) && Math.abs(float) < 1e21 && !Object.is(float, -0);
  const written = numbers.filter((token) => /[.eE]/.test(token));
  return ![...written, ...Object.values(floats)].some((text) => isWhole(floatOf(text)));
}

/** Returns the object of a context. Integers that a number would round are bigints. */
function objectOf({ context, floats }) {
  const isRounded = (token) => /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));
  const text = context.replace(TOKENS, (token) => (isRounded(token) ? `"bigint ${token}"` : token));
  const isBigint = (value) => typeof value === "string" && value.startsWith("bigint ");
  const object = JSON.parse(text, (_, value) => (isBigint(value) ? BigInt(value.slice(7)) : value));
  for (const [key, float] of Object.entries(floats)) {
    object[key] = floatOf(float);
  }
  return object;
}

const answers = answersOfRust();

for (const language of ["assemblyscript", "c", "rust", "wat", "zig"]) {
  test(`${language} decides as in Rust`, async (t) => {
    const all = answers.get(language);
    assert.ok(all.length > 150);
    const cases = all.filter(hasObject);
    t.diagnostic(`${cases.length} cases; ${all.length - cases.length} have no object in JavaScript`);
    assert.ok(cases.length > 200);
    const policy = await Policy.load(join(COMPONENTS, `${language}.wasm`));
    for (const answer of cases) {
      const context = objectOf(answer);
      // The second decision is the learned one, and the third takes the fast route.
      for (let time = 0; time < 3; time += 1) {
        const { tracer, selector, fallback, cause, reason } = policy.decide(context, answer.tracers);
        const expected = Object.fromEntries(["tracer", "selector", "fallback", "cause", "reason"].map((key) => [key, answer[key]]));
        assert.deepEqual({ tracer, selector, fallback, cause, reason }, expected, answer.case);
      }
    }
  });
}

test("name of a tracer has the text form of Rust in the tracestate", async () => {
  const policy = await Policy.load(join(COMPONENTS, "rust.wasm"));
  let compared = 0;
  for (const answer of answers.get("rust").filter(hasObject)) {
    const tracers = Object.fromEntries(answer.tracers.map((name) => [name, new InMemorySpanExporter()]));
    // Keys of an object that are numbers are in another order.
    if (answer.tracer === null || answer.tracers.length > 100 || Object.keys(tracers).join() !== answer.tracers.join()) {
      continue;
    }
    const processors = Object.entries(tracers).map(([name, exporter]) => [name, new SimpleSpanProcessor(exporter)]);
    const routing = new RoutingSpanProcessor({ policy, tracers: Object.fromEntries(processors) });
    const tracer = new BasicTracerProvider({ spanProcessors: [routing] }).getTracer("tests");
    const root = withRunContext(objectOf(answer), () => tracer.startSpan("root"));
    // A case about the keys of the context sees those of the span too.
    if (root.attributes["spanmux.tracer"] === answer.tracer) {
      assert.equal(root.spanContext().traceState.get("spanmux"), answer.tracestate, answer.case);
      compared += 1;
    }
  }
  assert.ok(compared > 50, `${compared} compared`);
});
