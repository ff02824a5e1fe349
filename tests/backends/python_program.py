"""A Python program whose traces go to the backend that its run names.

    python_program.py SPANMUX_TOML

Half of the spans are those of OpenInference for the OpenAI SDK, which talks to a server in this
process. Prints, as a line of JSON for each trace: the tracer, the trace id and the span ids.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import OpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import SpanProcessor
from spanmux.opentelemetry import RoutingTracerProvider, run_context

TRACES = 10
ANSWER = {
    "id": "answer-1",
    "object": "chat.completion",
    "created": 0,
    "model": "model-1-of-the-server",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "It has left the warehouse."},
        }
    ],
    "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
}


class Model(BaseHTTPRequestHandler):
    """Answers every request alike."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Prints nothing."""


class Ids(SpanProcessor):
    """Remembers the ids of the spans of each trace."""

    def __init__(self):
        self.traces = {}

    def on_end(self, span):
        ids = span.context
        trace = self.traces.setdefault(f"{ids.trace_id:032x}", [])
        trace.append(f"{ids.span_id:016x}")


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    provider = RoutingTracerProvider.from_config(
        sys.argv[1],
        selectors=[("by-backend", lambda context, tracers: context.get("backend"))],
    )
    ids = {name: Ids() for name in provider.tracer_names}
    for name, of_tracer in ids.items():
        provider.at(name).add_span_processor(of_tracer)
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    client = OpenAI(api_key="none", base_url=f"http://127.0.0.1:{server.server_port}/v1")
    tracer = provider.get_tracer("shop")
    for number in range(TRACES):
        for name in provider.tracer_names:
            with run_context(backend=name), tracer.start_as_current_span("answer") as root:
                root.set_attribute("order", number)
                client.chat.completions.create(
                    model="model-1", messages=[{"role": "user", "content": "Where is my order?"}]
                )
    assert provider.force_flush(60_000), provider.delivery()
    for name, of_tracer in ids.items():
        counts = next(iter(provider.delivery()[name].values()))
        assert counts["delivered"] == counts["ended"] == 2 * TRACES, counts
        for trace, spans in of_tracer.traces.items():
            print(json.dumps({"tracer": name, "trace": trace, "spans": spans}))
    provider.shutdown()


main()
