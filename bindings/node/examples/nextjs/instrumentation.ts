// Next.js calls `register` once, when the server starts.

export async function register(): Promise<void> {
  // The edge runtime has no native modules.
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { startTracing } = await import("./tracing");
    await startTracing();
  }
}
