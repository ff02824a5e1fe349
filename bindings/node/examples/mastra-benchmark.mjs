// Root spans of Mastra with and without Spanmux, for bindings/node/benchmark.

import { getOrCreateSpan, SpanType } from "@mastra/core/observability";
import { RequestContext } from "@mastra/core/request-context";
import { Observability } from "@mastra/observability";
import { Policy } from "spanmux";
import { mastraSelector } from "spanmux/mastra";

/** Drops each span. */
class Dropped {
  name = "dropped";
  async exportTracingEvent() {}
  async flush() {}
  async shutdown() {}
}

function observabilityOf(configSelector, processors) {
  const config = () => ({ serviceName: "shop", exporters: [new Dropped()], spanOutputProcessors: processors });
  return new Observability({ configs: { langfuse: config(), datadog: config(), console: config() }, configSelector });
}

/** Measures a root span with a selector of a policy beside one with a function of Mastra's own. */
export async function rootSpans(paired, selectors, facts) {
  const policy = await Policy.load(selectors);
  const selector = mastraSelector(policy);
  const byEnvironment = ({ requestContext }) => (requestContext.get("environment") === "production" ? "langfuse" : "console");
  const requestContext = new RequestContext(Object.entries(facts));
  const rootOf = (observability) => () => {
    const options = { type: SpanType.AGENT_RUN, name: "agent run: 'shop'", attributes: {}, requestContext };
    getOrCreateSpan({ ...options, mastra: { observability } }).end();
  };
  const [plain, routed] = [observabilityOf(byEnvironment, []), observabilityOf(selector, [selector.processor])];
  await paired("root span of Mastra", rootOf(routed), "Mastra alone", rootOf(plain));
  await Promise.all([plain.shutdown(), routed.shutdown()]);
  policy.close();
}
