// The selector and its processor have the types that Mastra expects.

import { Observability, TestExporter } from "@mastra/observability";
import { Policy } from "spanmux";
import { mastraSelector } from "spanmux/mastra";

const selector = mastraSelector(await Policy.load("selectors"), { fallback: "quarantine" });

export const observability = new Observability({
  configs: {
    langfuse: { serviceName: "shop", exporters: [new TestExporter()], spanOutputProcessors: [selector.processor] },
  },
  configSelector: selector,
});
