// A server that answers as the API of OpenAI does.

import { createServer } from "node:http";

/** The tokens in each answer. */
export const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

/** Starts the server on loopback, and returns its address. */
export async function startOpenAI(t) {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const message = { role: "assistant", content: "hello" };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      const answer = { id: "1", object: "chat.completion", created: 0, model: "gpt-4o-mini", choices, usage: USAGE };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}/v1`;
}
