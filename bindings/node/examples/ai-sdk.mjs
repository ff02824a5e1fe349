// The AI SDK of Vercel with its telemetry: each call's spans reach the Langfuse project of the tenant.
//
// The processors are those of Langfuse, one for each project.

import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startObservation } from "@langfuse/tracing";
import { generateText } from "ai";
import { withRunContext } from "spanmux/opentelemetry";

import { startTracing } from "./tracing.mjs";

/** The processor of a tenant's Langfuse project. */
const projectOf = (baseUrl, tenant) =>
  new LangfuseSpanProcessor({ publicKey: `pk-${tenant}`, secretKey: `sk-${tenant}`, baseUrl, shouldExportSpan: () => true });

/** Starts the tracing of some tenants. */
export const start = (endpoint, selectors, tenants, processorOf = projectOf) =>
  startTracing({ endpoint, tenants, selectors, processorOf });

/** Answers a question of a tenant. */
export function answer(model, tenant, question) {
  return withRunContext({ tenant }, async () => {
    const { text } = await generateText({
      model,
      prompt: question,
      experimental_telemetry: { isEnabled: true, functionId: "answer" },
    });
    startObservation("feedback", { input: question, output: text }).end();
    return text;
  });
}
