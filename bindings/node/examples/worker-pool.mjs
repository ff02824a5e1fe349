// Jobs of tenants on worker threads: the spans of a job reach the tenant's backend.
//
// The main thread sends the facts with the job, because no thread sees the storage of another one.
// Each worker opens a policy and a provider of its own.

import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { withRunContext } from "spanmux/opentelemetry";

import { startTracing } from "./tracing.mjs";

/** Runs jobs on some threads, and ends the threads. Returns the results in the order of the jobs. */
export async function runJobs(settings, jobs, threads = 2) {
  const waiting = jobs.map((job, place) => ({ job, place }));
  const results = [];
  const work = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: settings });
      worker.on("message", (done) => {
        if (done !== null) {
          results[done.place] = done.result;
        }
        worker.postMessage(waiting.shift() ?? null);
      });
      worker.on("error", reject);
      worker.on("exit", resolve);
    });
  await Promise.all(Array.from({ length: threads }, work));
  return results;
}

if (!isMainThread && workerData?.endpoint !== undefined) {
  const tracing = await startTracing(workerData);
  const tracer = tracing.provider.getTracer("jobs");
  parentPort.postMessage(null);
  parentPort.on("message", async (next) => {
    if (next === null) {
      // A thread that ends loses the spans in its queues.
      await tracing.stop();
      parentPort.close();
      return;
    }
    const { job, place } = next;
    const result = await withRunContext({ tenant: job.tenant }, () =>
      tracer.startActiveSpan("job", async (span) => {
        tracer.startSpan("step").end();
        span.end();
        return job.number * 2;
      }),
    );
    parentPort.postMessage({ place, result });
  });
}
