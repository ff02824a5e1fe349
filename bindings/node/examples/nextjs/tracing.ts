// A tracer for each tenant, and one for the spans of Next.js itself.

import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { Policy } from "spanmux";
import { RoutingSpanProcessor } from "spanmux/opentelemetry";

const byTenant = ({ tenant }: Record<string, unknown>, tracers: readonly string[]): string | null =>
  typeof tenant === "string" && tracers.includes(tenant) ? tenant : null;

const processorOf = (tenant: string): BatchSpanProcessor =>
  new BatchSpanProcessor(
    new OTLPTraceExporter({ url: process.env.ENDPOINT ?? "http://127.0.0.1:4318/v1/traces", headers: { authorization: tenant } }),
  );

export async function startTracing(): Promise<void> {
  const policy = await Policy.load(process.env.SELECTORS ?? "selectors", { selectors: [["by-tenant", byTenant]] });
  const names = ["shared", ...(process.env.TENANTS ?? "").split(",")];
  const tracers = Object.fromEntries(names.map((name) => [name, processorOf(name)]));
  new NodeTracerProvider({ spanProcessors: [new RoutingSpanProcessor({ policy, tracers })] }).register();
}
