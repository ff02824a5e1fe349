/** Flushes and shuts down many processors within one limit. */

import { diag } from "@opentelemetry/api";
import type { SpanProcessor } from "@opentelemetry/sdk-trace-base";

import { messageOf } from "../facts.js";
import type { RoutedTracer } from "./route.js";

/** Runs a step for every processor in parallel. One that fails or hangs does not affect the others.
 *
 * Rejects with an `AggregateError` if any failed or did not end in time. */
export async function each(
  tracers: Iterable<RoutedTracer>,
  step: "forceFlush" | "shutdown",
  millis: number,
): Promise<void> {
  // One processor may serve several tracers.
  const processors = new Map<SpanProcessor, string>();
  for (const tracer of tracers) {
    for (const processor of tracer.processors) {
      if (!processors.has(processor)) {
        processors.set(processor, tracer.name);
      }
    }
  }
  const runs = Array.from(processors, ([processor, name]) => run(processor, name, step, millis));
  const errors = (await Promise.all(runs)).filter((error) => error !== undefined);
  if (errors.length > 0) {
    throw new AggregateError(errors, errors.map((error) => error.message).join("; "));
  }
}

async function run(
  processor: SpanProcessor,
  name: string,
  step: "forceFlush" | "shutdown",
  millis: number,
): Promise<Error | undefined> {
  const of = `the ${step} of the tracer ${JSON.stringify(name)}`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Error>((resolve) => {
    // The timer keeps the process alive, or the last spans would be lost.
    timer = setTimeout(() => {
      resolve(new Error(`${of} did not end within ${millis} ms`));
    }, millis);
  });
  const done = async (): Promise<Error | undefined> => {
    try {
      await processor[step]();
      return undefined;
    } catch (cause) {
      return new Error(`${of} failed: ${messageOf(cause)}`, { cause });
    }
  };
  const error = await Promise.race([done(), late]);
  clearTimeout(timer);
  if (error !== undefined) {
    diag.error(`spanmux: ${error.message}`);
  }
  return error;
}
