// The tracing of the examples: a tracer for each tenant, which sends to one endpoint with a key.

import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { Policy } from "spanmux";
import { RoutingSpanProcessor } from "spanmux/opentelemetry";

/** Routes by the fact `tenant`, where it is the name of a tracer. */
const byTenant = ({ tenant }, tracers) => (tracers.includes(tenant) ? tenant : null);

/** A processor that sends with the key of a tenant. */
function sendTo(endpoint, tenant) {
  const exporter = new OTLPTraceExporter({ url: endpoint, headers: { authorization: tenant } });
  return new BatchSpanProcessor(exporter);
}

/** Registers a provider with a tracer for traces without a tenant, and one for each tenant. `selectors`
 * is a directory of components, which decide after the function. */
export async function startTracing({ endpoint, tenants, selectors, processorOf = sendTo }) {
  const policy = await Policy.load(selectors, { selectors: [["by-tenant", byTenant]] });
  const tracers = Object.fromEntries(["shared", ...tenants].map((name) => [name, processorOf(endpoint, name)]));
  const provider = new NodeTracerProvider({ spanProcessors: [new RoutingSpanProcessor({ policy, tracers })] });
  provider.register();
  return {
    provider,
    stop: async () => {
      await provider.shutdown();
      policy.close();
    },
  };
}
