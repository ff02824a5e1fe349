// An Express service with a tenant per request: the spans of a request reach the tenant's backend.
//
//     node express-tenants.mjs ENDPOINT SELECTORS PORT TENANT ...
//     curl -H 'x-tenant: acme' localhost:PORT/answer

import { pathToFileURL } from "node:url";

import { trace } from "@opentelemetry/api";
import express from "express";
import { withRunContext } from "spanmux/opentelemetry";

import { startTracing } from "./tracing.mjs";

const tracer = trace.getTracer("shop");

/** Runs an asynchronous function in a span. */
function inSpan(name, run) {
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await run();
    } finally {
      span.end();
    }
  });
}

export function service() {
  const app = express();
  // Everything after this middleware sees the facts of the request.
  app.use((request, _response, next) => {
    withRunContext({ tenant: request.get("x-tenant") }, next);
  });
  app.get("/answer", async (request, response) => {
    const text = await inSpan("GET /answer", async () => {
      const [facts, words] = await Promise.all([inSpan("search", async () => 3), inSpan("model", async () => "hello")]);
      return `${words} ${facts}`;
    });
    response.send(text);
  });
  return app;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [endpoint, selectors, port, ...tenants] = process.argv.slice(2);
  const tracing = await startTracing({ endpoint, tenants, selectors });
  const server = service().listen(Number(port), "127.0.0.1", () => {
    console.log(`listening on ${server.address().port}`);
  });
  process.once("SIGTERM", () => {
    server.close(() => void tracing.stop());
  });
}
