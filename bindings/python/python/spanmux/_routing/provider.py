"""The tracer provider that routes each trace."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
    SpanExporter,
)
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Tracer

from .. import Policy, PolicyError
from .._native import Exporters
from .decide import Decider, Members
from .exporting import ExportingProcessor
from .processor import RoutingProcessor
from .route import RoutedTracer, logger
from .sampler import Pending, RoutingSampler

if TYPE_CHECKING:
    from typing_extensions import Self

    from .._native import Delivery, Selector
    from ..events import Event

Destination = SpanProcessor | SpanExporter
Selectors = str | os.PathLike[str] | Policy


class RoutingTracerProvider(TracerProvider):
    """A tracer provider that sends each trace to the tracer that a policy selects.

    ``tracers`` maps names to processors or exporters, or to lists of them. The first name is the
    default, unless ``default`` names another one; ``fallback`` receives failed decisions.
    ``selectors`` is a directory, a component, a configuration file, or an open
    :class:`spanmux.Policy`. A policy that the provider opens is closed by :meth:`shutdown`.

    ``inbound`` says whether the choice of a remote parent is followed: ``"select"`` ignores it,
    ``"tracestate"``, ``"baggage"`` and ``"both"`` follow it. Follow only callers of your own.
    ``outbound`` writes the choice to the ``tracestate`` of the spans, or nowhere (``"none"``).

    ``baggage_keys`` are copied from the caller's baggage into the context of the selectors.
    ``copy_to_spans`` and ``copy_to_root_spans`` are keys of the run context that become attributes.
    """

    def __init__(
        self,
        tracers: Mapping[str, Destination | Iterable[Destination]],
        *,
        selectors: Selectors,
        default: str | None = None,
        fallback: str | None = None,
        resource: Resource | None = None,
        sampler: Sampler | None = None,
        id_generator: IdGenerator | None = None,
        span_limits: SpanLimits | None = None,
        shutdown_on_exit: bool = True,
        inbound: Literal["select", "tracestate", "baggage", "both"] = "select",
        outbound: Literal["tracestate", "none"] = "tracestate",
        baggage_keys: Sequence[str] = (),
        copy_to_spans: Sequence[str] = (),
        copy_to_root_spans: Sequence[str] = (),
    ) -> None:
        """Creates a provider. Raises ``ValueError`` for wrong settings."""
        if not tracers:
            raise ValueError("a provider needs at least one tracer")
        self._exporters: Exporters | None = None
        _one_of("inbound", inbound, ("select", "tracestate", "baggage", "both"))
        _one_of("outbound", outbound, ("tracestate", "none"))
        default = default if default is not None else next(iter(tracers))
        fallback = fallback if fallback is not None else default
        for role, name in (("default", default), ("fallback", fallback)):
            if name not in tracers:
                raise ValueError(
                    f"the {role} tracer {name!r} is not among the tracers: {', '.join(tracers)}"
                )
        self._routed = {name: RoutedTracer(name, _processors(it)) for name, it in tracers.items()}
        self._owned = None if isinstance(selectors, Policy) else Policy(selectors)
        self._policy: Policy = selectors if isinstance(selectors, Policy) else self._owned  # type: ignore[assignment]
        # Refuses wrong names now and not with the first span.
        self._policy.decide({}, list(tracers), default, fallback)
        decider = Decider(self._policy, self._routed, default, fallback, inbound, baggage_keys)
        pending = Pending()
        self._routing = RoutingProcessor(
            decider, pending, list(self._routed.values()), copy_to_spans, copy_to_root_spans
        )
        super().__init__(
            sampler=RoutingSampler(
                sampler, decider, pending, Members(tracers) if outbound == "tracestate" else None
            ),
            resource=resource,
            shutdown_on_exit=shutdown_on_exit,
            active_span_processor=self._routing,  # type: ignore[arg-type]
            id_generator=id_generator,
            span_limits=span_limits,
        )
        if hasattr(os, "register_at_fork"):
            routing = weakref.ref(self._routing)

            def after_fork() -> None:
                if (alive := routing()) is not None:
                    alive.after_fork()

            os.register_at_fork(after_in_child=after_fork)

    @classmethod
    def from_config(
        cls,
        path: str | os.PathLike[str],
        *,
        tracers: Mapping[str, Destination | Iterable[Destination]] | None = None,
        selectors: Iterable[tuple[str, Selector]] | None = None,
        watch: bool = True,
        on_event: Callable[[Event], object] | None = None,
        resource: Resource | None = None,
        sampler: Sampler | None = None,
        id_generator: IdGenerator | None = None,
        span_limits: SpanLimits | None = None,
        shutdown_on_exit: bool = True,
    ) -> Self:
        """Creates a provider from a ``spanmux.toml``, with the exporters that the file names.

        Spans are handed over when they end, and leave through the redaction, the queue, the disk
        buffer and the presets of the Rust library. Its threads do the work: a backend that hangs
        delays no thread of the program.

        ``tracers`` has the destinations of the tracers that the file declares with ``type =
        "provided"``, and of further ones. ``selectors`` are Python functions that run before the
        components, and ``on_event`` is that of :class:`spanmux.Policy`. The attributes of
        ``resource`` are those of the process; the file takes precedence, also with its service
        name.

        Raises :class:`spanmux.PolicyError` with every mistake of the file.
        """
        given = dict(tracers or {})
        resource = resource if resource is not None else Resource.create()
        exporters = Exporters(path, resource.attributes, list(given))
        context = exporters.context
        if context["outbound"] != "tracestate":
            raise PolicyError(
                "context.outbound: the Python package writes the choice to the tracestate only; "
                'set "tracestate"'
            )
        destinations: dict[str, Destination | Iterable[Destination]] = {}
        shares: dict[str, float] = {}
        for name, is_provided, share, wants_starts in exporters.tracers:
            shares[name] = share
            destinations[name] = (
                given[name] if is_provided else ExportingProcessor(exporters, name, wants_starts)
            )
        policy = Policy(path, watch=watch, selectors=selectors, on_event=on_event)
        provider = cls(
            destinations,
            selectors=policy,
            default=exporters.default,
            fallback=exporters.fallback,
            resource=resource,
            sampler=sampler,
            id_generator=id_generator,
            span_limits=span_limits,
            shutdown_on_exit=shutdown_on_exit,
            inbound=context["inbound"],
            baggage_keys=context["baggage_keys"],
            copy_to_spans=context["copy_to_spans"],
            copy_to_root_spans=context["copy_to_root_spans"],
        )
        provider._owned = policy
        provider._exporters = exporters
        for name, share in shares.items():
            provider._routed[name].share = share
        return provider

    def delivery(self) -> dict[str, dict[str, Delivery]]:
        """Returns the delivery counts of this process, by tracer and exporter.

        Only the exporters of a configuration file are counted: spans that ``ended``, were
        ``delivered``, ``filtered``, are ``waiting`` in the queue or ``buffered`` on disk, or were
        ``lost``. Spans of traces that an exporter does not receive are ``sampled_out``.
        """
        return {} if self._exporters is None else self._exporters.delivery()

    @property
    def policy(self) -> Policy:
        """The policy that decides."""
        return self._policy

    @property
    def tracer_names(self) -> list[str]:
        """The names of the tracers in order."""
        return list(self._routed)

    def at(self, name: str) -> TracerView:
        """Returns a view for a library that adds a processor of its own.

        The processor receives the traces of this tracer and no others. Spans that the library
        starts are routed as any other.
        """
        if name not in self._routed:
            known = ", ".join(self._routed)
            raise ValueError(f"no tracer is named {name!r}; the tracers are: {known}")
        return TracerView(self, self._routed[name])

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Adds a processor that receives every trace of every tracer, and warns about it.

        To add it to one tracer, use ``provider.at(name).add_span_processor``.
        """
        kind = type(span_processor)
        logger.warning(
            "%s.%s was added to the whole provider and receives the traces of every tracer; give "
            'the library that added it `tracer_provider=provider.at("NAME")` to add it to one',
            kind.__module__,
            kind.__qualname__,
        )
        self._routing.add_everywhere(span_processor)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flushes every tracer in parallel. Returns ``False`` if one failed or was too slow."""
        return self._routing.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: int = 30_000) -> None:
        """Shuts every tracer down in parallel within a time limit, and closes its own policy."""
        self._routing.shutdown_within(timeout_millis / 1000)
        if self._owned is not None:
            self._owned.close()
        super().shutdown()


class TracerView(TracerProvider):
    """A view of a provider, for a library that adds a processor of its own.

    It starts spans as the provider does. Its processors receive the traces of one tracer. To shut
    it down changes nothing, because the provider is still in use.
    """

    def __init__(self, provider: RoutingTracerProvider, tracer: RoutedTracer) -> None:
        """Creates a view of one tracer."""
        # The constructor of the SDK would make a second provider.
        self._provider = provider
        self._tracer = tracer
        self.sampler = provider.sampler
        self.id_generator = provider.id_generator
        self._span_limits = provider._span_limits
        self._active_span_processor = provider._active_span_processor
        self._atexit_handler = None
        self._disabled = provider._disabled

    @property
    def resource(self) -> Resource:
        """The resource of the provider."""
        return self._provider.resource

    def get_tracer(self, *args: object, **kwargs: object) -> Tracer:
        """Returns a tracer of the provider."""
        return self._provider.get_tracer(*args, **kwargs)  # type: ignore[arg-type]

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Adds a processor that receives the traces of this tracer."""
        self._tracer.add(span_processor)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flushes the provider."""
        return self._provider.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Does nothing."""


def _processors(given: Destination | Iterable[Destination]) -> tuple[SpanProcessor, ...]:
    many = [given] if isinstance(given, (SpanProcessor, SpanExporter)) else list(given)
    return tuple(_processor(one) for one in many)


def _processor(given: Destination) -> SpanProcessor:
    if isinstance(given, SpanProcessor):
        return given
    if isinstance(given, ConsoleSpanExporter):
        return SimpleSpanProcessor(given)
    if isinstance(given, SpanExporter):
        return BatchSpanProcessor(given)
    raise ValueError(
        f"a tracer needs a span processor or a span exporter, not {type(given).__name__}"
    )


def _one_of(setting: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{setting} must be one of {', '.join(known)}, not {value!r}")
