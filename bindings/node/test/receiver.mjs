// A receiver of OTLP over HTTP as JSON, which keeps the spans of each key apart.

import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";

/** Starts a server on loopback. It tells its senders apart by their `authorization` header. */
export async function startReceiver(t) {
  const spans = new Map();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    let body = Buffer.concat(chunks);
    if (request.headers["content-encoding"] === "gzip") {
      body = gunzipSync(body);
    }
    if (request.url.endsWith("/v1/traces")) {
      take(spans, request.headers.authorization ?? "", JSON.parse(body));
    }
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/v1/traces`,
    /** Returns the spans that were sent with a key. */
    of: (key) => spans.get(key) ?? [],
    keys: () => [...spans.keys()],
  };
}

function take(spans, key, { resourceSpans = [] }) {
  const all = spans.get(key) ?? [];
  spans.set(key, all);
  for (const { scopeSpans = [] } of resourceSpans) {
    for (const { spans: more = [] } of scopeSpans) {
      for (const span of more) {
        const attributes = span.attributes.map(({ key: name, value }) => [name, Object.values(value)[0]]);
        all.push({ ...span, attributes: Object.fromEntries(attributes) });
      }
    }
  }
}
