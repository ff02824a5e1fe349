"""A receiver of OTLP over HTTP, which keeps the spans of each key apart."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver:
    """A server on loopback. It tells its senders apart by their ``authorization`` header."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = defaultdict(list)
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path.endswith("/v1/traces"):
                    receiver._take(self.headers.get("authorization", ""), body)
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Prints nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def config(self, keys: Mapping[str, str]) -> str:
        """Returns a ``spanmux.toml`` with a tracer for each name, which sends with its key."""
        tables = [
            f"""
            [tracers.{name}.exporter]
            type = "otlp"
            endpoint = "{self.url}"
            headers = {{ authorization = "{key}" }}
            """
            for name, key in keys.items()
        ]
        return "\n".join(['service = "shop"', *tables])

    def _take(self, key: str, body: bytes) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        with self._lock:
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans[key].extend(scope.spans)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
