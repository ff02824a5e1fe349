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

/** Writes what the processor of Spanmux writes. */
const SAME_METADATA = {
  name: "same",
  process(span) {
    const decision = { "spanmux.tracer": "langfuse", "spanmux.selector": "one-key", "spanmux.selector.digest": "0".repeat(64) };
    if (span?.isRootSpan === true) {
      span.metadata = { ...span.metadata, ...decision };
    }
    return span;
  },
  async shutdown() {},
};

/** Measures root spans with a selector of a policy beside some with a function of Mastra's own. */
export async function rootSpans(paired, selectors, facts) {
  const policy = await Policy.load(selectors);
  const selector = mastraSelector(policy);
  const byEnvironment = ({ requestContext }) => (requestContext.get("environment") === "production" ? "langfuse" : "console");
  const requestContext = new RequestContext(Object.entries(facts));
  const all = [];
  const rootOf = (...settings) => {
    const observability = observabilityOf(...settings);
    all.push(observability);
    const options = { type: SpanType.AGENT_RUN, name: "agent run: 'shop'", attributes: {}, requestContext };
    return () => getOrCreateSpan({ ...options, mastra: { observability } }).end();
  };
  const [plain, same] = [rootOf(byEnvironment, []), rootOf(byEnvironment, [SAME_METADATA])];
  const described = rootOf(selector, [selector.processor]);
  await paired("root span of Mastra, without the reason", rootOf(selector, []), "Mastra alone", plain);
  await paired("root span of Mastra", described, "Mastra alone", plain);
  await paired("root span of Mastra", described, "Mastra with the same metadata", same);
  await Promise.all(all.map((one) => one.shutdown()));
  policy.close();
}
