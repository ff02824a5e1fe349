// The SDK of OpenAI with the instrumentation of OpenInference: each call's spans reach the backend of
// the tenant.

import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import OpenAI from "openai";
import { withRunContext } from "spanmux/opentelemetry";

import { startTracing } from "./tracing.mjs";

/** Starts the tracing of some tenants, and instruments the SDK. */
export async function start(endpoint, selectors, tenants, processorOf) {
  const tracing = await startTracing({ endpoint, tenants, selectors, processorOf });
  const instrumentation = new OpenAIInstrumentation({ tracerProvider: tracing.provider });
  instrumentation.manuallyInstrument(OpenAI);
  return tracing;
}

/** Answers a question of a tenant. */
export function answer(baseURL, tenant, question) {
  const client = new OpenAI({ apiKey: "none", baseURL, maxRetries: 0 });
  return withRunContext({ tenant }, async () => {
    const { choices } = await client.chat.completions.create({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: question }],
    });
    return choices[0].message.content;
  });
}
