// A request of a tenant. The spans of Next.js begin before the tenant is known, so the run of the agent
// is a trace of its own.

import { trace } from "@opentelemetry/api";
import { withRunContext } from "spanmux/opentelemetry";

const tracer = trace.getTracer("shop");

export async function GET(request: Request): Promise<Response> {
  return withRunContext({ tenant: request.headers.get("x-tenant") ?? undefined }, () =>
    tracer.startActiveSpan("answer", { root: true }, async (answer) => {
      await tracer.startActiveSpan("model", async (model) => {
        model.end();
      });
      answer.end();
      return new Response("hello");
    }),
  );
}
