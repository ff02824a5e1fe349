from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Literal, TypedDict, final

from typing_extensions import Self

from .events import Event

__version__: str

class PolicyError(Exception): ...

@final
class Decision:
    @property
    def tracer(self) -> str | None: ...
    @property
    def selector(self) -> str | None: ...
    @property
    def digest(self) -> str | None: ...
    @property
    def fallback(self) -> str | None: ...
    @property
    def cause(self) -> str | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def chosen(self) -> bool: ...
    @property
    def cached(self) -> bool: ...

class Limits(TypedDict, total=False):
    component_bytes: int
    memory_bytes: int
    fuel: int
    wall_clock: float
    sandboxes: int
    admission_wait: float
    selectors: int
    cached_answers: int
    cached_bytes: int

class WatchedFile(TypedDict):
    name: str
    path: str
    digest: str | None
    refused: str | None
    suspended: str | None

class Status(TypedDict):
    files: list[WatchedFile]
    trouble: str | None
    loads: int
    refusals: int
    events: bool

Selector = Callable[[dict[str, Any], list[str]], str | None]

class Policy:
    def __new__(
        cls,
        path: str | PathLike[str],
        *,
        watch: bool = True,
        lock: str | PathLike[str] | None = None,
        limits: Limits | None = None,
        cache: str | PathLike[str] | None = None,
        selectors: Iterable[tuple[str, Selector]] | None = None,
        on_event: Callable[[Event], object] | None = None,
        small: bool | None = None,
    ) -> Self: ...
    def decide(
        self,
        context: Mapping[str, object] | None,
        tracers: Sequence[str],
        default: str | None = None,
        fallback: str | None = None,
        *,
        span: tuple[str, str, Mapping[str, object] | None] | None = None,
    ) -> Decision: ...
    def explain(
        self,
        tracers: Sequence[str] | None = None,
        *,
        format: Literal["text", "json", "mermaid", "svg"] = "text",
    ) -> str: ...
    def _tracers(
        self, names: Sequence[str], default: str | None = None, fallback: str | None = None
    ) -> TracerList: ...
    def status(self) -> Status | None: ...
    @property
    def selectors(self) -> list[str]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def _before_fork(self) -> None: ...
    def _after_fork(self, is_child: bool) -> None: ...

def encode_name(name: str) -> str: ...
def run_command(arguments: list[str]) -> int: ...

class Delivery(TypedDict):
    ended: int
    delivered: int
    retries: int
    filtered: int
    sampled_out: int
    waiting: int
    buffered: int
    redacted: int
    lost: int

class Propagation(TypedDict):
    inbound: Literal["select", "tracestate", "baggage", "both"]
    outbound: Literal["tracestate", "both"]
    baggage_keys: list[str]
    copy_to_spans: list[str]
    copy_to_root_spans: list[str]

class TracerList:
    def decide(
        self,
        context: Mapping[str, object] | None,
        span: tuple[str, str, Mapping[str, object] | None] | None,
    ) -> Decision: ...

class Exporters:
    def __new__(
        cls, path: str | PathLike[str], resource: Mapping[str, object], provided: list[str]
    ) -> Self: ...
    @property
    def tracers(self) -> list[tuple[str, bool, float, bool]]: ...
    @property
    def default(self) -> str: ...
    @property
    def fallback(self) -> str: ...
    @property
    def context(self) -> Propagation: ...
    def started(self, tracer: str, trace_id: int, span_id: int) -> None: ...
    def ended(self, tracer: str, span: object) -> None: ...
    def flush(self, tracer: str, seconds: float) -> str | None: ...
    def shut_down(self, tracer: str, seconds: float) -> str | None: ...
    def delivery(self) -> dict[str, dict[str, Delivery]]: ...
