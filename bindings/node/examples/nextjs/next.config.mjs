// A package with a native module cannot be bundled.
export default {
  serverExternalPackages: ["spanmux", "@opentelemetry/sdk-trace-node", "@opentelemetry/sdk-trace-base", "@opentelemetry/exporter-trace-otlp-http"],
};
