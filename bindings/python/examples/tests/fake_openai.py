"""A server on loopback that answers as the chat completions of the OpenAI API do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def words(text: str) -> int:
    """Counts tokens as the fake does: one for each word."""
    return len(text.split())


def answer_to(question: str) -> str:
    """The answer of the fake."""
    return f"You asked: {question}"


class FakeOpenAI:
    """Answers each question with itself. If there are tools, it calls the first one before."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        #: The hosts that a process has tried to reach through this server as its proxy.
        self.tunnels: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if not self.path.endswith("/v1/chat/completions"):
                    self.answer(404, "application/json", b'{"error": {"message": "no such path"}}')
                    return
                fake.requests.append(body)
                if body.get("stream"):
                    events = "".join(f"data: {it}\n\n" for it in chunks(body))
                    self.answer(200, "text/event-stream", events.encode())
                else:
                    self.answer(200, "application/json", json.dumps(completion(body)).encode())

            def do_CONNECT(self) -> None:
                fake.tunnels.append(self.path)
                self.answer(403, "text/plain", b"")

            def answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Prints nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self.proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.proxy}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def message_to(body: dict[str, Any]) -> dict[str, Any]:
    messages = body["messages"]
    if body.get("tools") and messages[-1]["role"] != "tool":
        function = {"name": body["tools"][0]["function"]["name"], "arguments": "{}"}
        call = {"id": "call-1", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    question = [it["content"] for it in messages if it["role"] == "user"][-1]
    return {"role": "assistant", "content": answer_to(question)}


def usage(body: dict[str, Any], message: dict[str, Any]) -> dict[str, int]:
    prompt = sum(words(it.get("content") or "") for it in body["messages"])
    completion = words(message["content"] or "a call")
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def completion(body: dict[str, Any]) -> dict[str, Any]:
    message = message_to(body)
    reason = "tool_calls" if "tool_calls" in message else "stop"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": usage(body, message),
    }


def chunks(body: dict[str, Any]) -> Iterator[str]:
    """The parts of a streamed answer: a word each, the end, and the usage if it is asked for."""
    message = message_to(body)

    def chunk(choices: list[dict[str, Any]], **more: object) -> str:
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000}
        return json.dumps({**base, "model": body["model"], "choices": choices, **more})

    def choice(delta: dict[str, Any], reason: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "finish_reason": reason}]

    if calls := message.get("tool_calls"):
        yield chunk(choice({"role": "assistant", "tool_calls": [{"index": 0, **calls[0]}]}))
        yield chunk(choice({}, "tool_calls"))
    else:
        yield chunk(choice({"role": "assistant", "content": ""}))
        for number, word in enumerate(message["content"].split()):
            yield chunk(choice({"content": f" {word}" if number else word}))
        yield chunk(choice({}, "stop"))
    if (body.get("stream_options") or {}).get("include_usage"):
        yield chunk([], usage=usage(body, message))
    yield "[DONE]"
