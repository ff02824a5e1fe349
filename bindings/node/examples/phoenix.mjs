// Phoenix as the backend of the example programs: a project for each tenant.

import { LangfuseSpanProcessor } from "@langfuse/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

/** An exporter to a project, which Phoenix creates if it does not exist. Phoenix accepts protobuf alone. */
const exporterOf = (endpoint, project) =>
  new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers: { "x-project-name": project } });

/** The processor of a tenant's project. */
export const phoenixProject = (endpoint, tenant) => new BatchSpanProcessor(exporterOf(endpoint, tenant));

/** The same with the processor of Langfuse, which adds the attributes of its SDK. */
export const phoenixWithLangfuse = (endpoint, tenant) =>
  new LangfuseSpanProcessor({
    publicKey: `pk-${tenant}`,
    secretKey: `sk-${tenant}`,
    exporter: exporterOf(endpoint, tenant),
    shouldExportSpan: () => true,
  });
