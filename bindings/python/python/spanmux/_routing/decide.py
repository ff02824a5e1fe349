"""Decides the route of a local root span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import baggage
from opentelemetry.trace import SpanKind, TraceState

from .._native import Decision, Policy, encode_name
from .context import current_facts
from .route import Route, RoutedTracer, logger

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext

#: The member of ``tracestate`` that names the selected tracer.
MEMBER = "spanmux"
#: The key of the baggage that names the selected tracer.
BAGGAGE = "spanmux.tracer"
_KINDS: dict[SpanKind | None, str] = {
    None: "internal",
    **{kind: kind.name.lower() for kind in SpanKind},
}
#: The decisions whose attributes are kept. A reload changes the digests.
_MAX_CHOSEN = 4_096


class Decider:
    """Decides by a policy, or follows the decision of a remote parent."""

    def __init__(
        self,
        policy: Policy,
        tracers: Mapping[str, RoutedTracer],
        default: str,
        fallback: str,
        inbound: str,
        baggage_keys: Sequence[str],
    ) -> None:
        """Creates a decider."""
        self._tracers = tracers
        self._list = policy._tracers(list(tracers), default, fallback)
        self._fallback = fallback
        self._from_tracestate = inbound in ("tracestate", "both")
        self._from_baggage = inbound in ("baggage", "both")
        self._baggage_keys = tuple(baggage_keys)
        self._encoded = {encode_name(name): name for name in tracers}
        self._chosen: dict[tuple[str, str | None, str | None], dict[str, str]] = {}

    def route(
        self,
        context: Context | None,
        parent: SpanContext,
        name: str,
        kind: SpanKind | None,
        attributes: Mapping[str, Any] | None,
    ) -> Route:
        """Returns the route of a local root span. Never raises."""
        is_remote = parent.is_valid
        try:
            if is_remote and (followed := self._inbound(context, parent)):
                return followed
            facts = current_facts()
            for key in self._baggage_keys:
                value = baggage.get_baggage(key, context)
                if value is not None and key not in facts:
                    facts = {**facts, key: value}
            span = (name, _KINDS[kind], attributes)
            return self._decided(self._list.decide(facts, span), is_remote)
        except Exception as error:
            logger.exception("a decision failed; the trace goes to %r", self._fallback)
            return Route(
                self._tracers[self._fallback],
                {
                    "spanmux.tracer": self._fallback,
                    "spanmux.fallback": "host",
                    "spanmux.fallback.reason": str(error),
                },
                is_remote,
            )

    def _inbound(self, context: Context | None, parent: SpanContext) -> Route | None:
        if self._from_tracestate and (member := parent.trace_state.get(MEMBER)):
            # Another process may write numbers of its own behind the name.
            name = self._encoded.get(member.split(":", 1)[0])
            if name is not None:
                return self._followed(name, "tracestate")
        if self._from_baggage:
            carried = baggage.get_baggage(BAGGAGE, context)
            if isinstance(carried, str) and carried in self._tracers:
                return self._followed(carried, "baggage")
        return None

    def _followed(self, name: str, carrier: str) -> Route:
        attributes = {"spanmux.tracer": name, "spanmux.inbound": carrier}
        return Route(self._tracers[name], attributes, True)

    def _decided(self, decision: Decision, is_remote: bool) -> Route:
        name = decision.tracer or self._fallback
        if decision.cause is None:
            # The same few decisions occur again and again.
            key = (name, decision.selector, decision.digest)
            attributes = self._chosen.get(key)
            if attributes is None:
                attributes = _described(name, decision)
                if len(self._chosen) < _MAX_CHOSEN:
                    self._chosen[key] = attributes
            return Route(self._tracers[name], attributes, is_remote)
        attributes = _described(name, decision)
        attributes["spanmux.fallback"] = decision.cause
        attributes["spanmux.fallback.reason"] = decision.reason
        return Route(self._tracers[name], attributes, is_remote)


def _described(name: str, decision: Decision) -> dict[str, str]:
    attributes = {"spanmux.tracer": name}
    if decision.selector is not None:
        attributes["spanmux.selector"] = decision.selector
    if decision.digest is not None:
        attributes["spanmux.selector.digest"] = decision.digest
    return attributes


class Members:
    """Writes the member for a tracer into a ``tracestate``."""

    def __init__(self, names: Iterable[str]) -> None:
        """Encodes the names once."""
        self._encoded = {name: encode_name(name) for name in names}
        # A state cannot be changed, so traces without another member share one.
        self._alone = {name: TraceState([(MEMBER, it)]) for name, it in self._encoded.items()}

    def put(self, state: TraceState | None, name: str) -> TraceState:
        """Returns the state with the member for this tracer in front."""
        if not state:
            return self._alone[name]
        if MEMBER in state:
            state = state.delete(MEMBER)
        # With 32 members, one of the others gives way.
        keys = list(state)
        if len(keys) >= 32:
            state = state.delete(keys[-1])
        return state.add(MEMBER, self._encoded[name])
