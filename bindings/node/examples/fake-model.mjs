// A model of the AI SDK that answers on this machine.

const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };

/** Returns a model that answers every prompt with a text. `before` runs first. */
export function fakeModel(text = "hello", before = async () => {}) {
  return {
    specificationVersion: "v2",
    provider: "fake",
    modelId: "fake-1",
    supportedUrls: {},
    async doGenerate() {
      await before();
      return { content: [{ type: "text", text }], finishReason: "stop", usage, warnings: [] };
    },
    async doStream() {
      await before();
      const parts = [
        { type: "stream-start", warnings: [] },
        { type: "text-start", id: "1" },
        { type: "text-delta", id: "1", delta: text },
        { type: "text-end", id: "1" },
        { type: "finish", finishReason: "stop", usage },
      ];
      return { stream: ReadableStream.from(parts) };
    },
  };
}
