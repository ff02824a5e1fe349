"""Write a Spanmux selector in Python: a function that takes the runtime context of one trace
and the names of the available tracers, and decides which tracer receives the trace.

    import spanmux

    def select(context, tracers):
        if context.text("environment") == "production":
            return "langfuse"
        return None

    Selection = spanmux.exported(select)

- Return a name to send the trace to the tracer with this name, or to the fallback tracer if
  it does not exist.
- Return None to abstain: the next selector decides. If all selectors abstain, the trace goes
  to the default tracer.
- `raise spanmux.Fail("reason")` sends the trace to the fallback tracer and records the
  reason. Any other exception does the same and records its type and message.
"""

try:
    from componentize_py_types import Err
    from wit_world.imports import runtime_context as host
except ImportError:  # in a test, which uses a Mock
    Err = host = None


class Fail(Exception):
    """A failed decision with a human-readable reason."""


class Json(str):
    """An array, an object, or an integer beyond ±(2^53 - 1), as canonical JSON text."""


class Context:
    """The runtime context: key/value data about the run to be traced.

    `context[key]` returns None, a bool, an int, a float, a str or Json, and raises KeyError
    if the key does not exist. `key in context` and `list(context)` work as for a dict.
    `list(context)` is the most expensive question.
    """

    def __getitem__(self, key):
        value = host.get(key)
        if value is None:
            raise KeyError(key)
        kind = type(value).__name__
        if kind == "Value_Null":
            return None
        return Json(value.value) if kind == "Value_Json" else value.value

    def __contains__(self, key):
        return host.has(key)

    def __iter__(self):
        return iter(host.keys())

    def get(self, key, default=None):
        """Return the value of a key, or the default if the key does not exist."""
        try:
            return self[key]
        except KeyError:
            return default

    def text(self, key):
        """Return the value of a key if it is text, otherwise None. The other typed getters
        work the same way."""
        return self._typed(key, str)

    def boolean(self, key):
        return self._typed(key, bool)

    def integer(self, key):
        return self._typed(key, int)

    def json(self, key):
        return self._typed(key, Json)

    def float(self, key):
        integer = self._typed(key, int)
        return self._typed(key, float) if integer is None else float(integer)

    def _typed(self, key, of):
        value = self.get(key)
        return value if type(value) is of else None

    def bucket(self, key, salt, buckets):
        """Return the bucket of the value of a key, from 0 to `buckets` - 1, or None if the
        key does not exist."""
        return host.bucket(key, salt, buckets)


class Mock(Context):
    """A context for tests: values by complete key, and the share of each key."""

    def __init__(self, values, shares=None):
        self.values, self.shares = dict(values), shares or {}

    def __getitem__(self, key):
        return self.values[key]

    def __contains__(self, key):
        return key in self.values

    def __iter__(self):
        return iter(sorted(self.values))

    def bucket(self, key, salt, buckets):
        share = self.shares.get(key)
        return None if share is None else share % buckets


def decide(select, context, tracers):
    """Return the decision of a selector: a name or None. A failed decision raises Fail."""
    try:
        decision = select(context, tracers)
    except Fail:
        raise
    except Exception as mistake:
        raise Fail(f"{type(mistake).__name__}: {mistake}") from mistake
    if decision is None or isinstance(decision, str):
        return decision
    kind = type(decision).__name__
    raise Fail(f"the selector returned {kind}; return a tracer's name, or None to abstain")


def exported(select):
    """Return the class that exports a selector from a component. Name it `Selection`."""

    class Selection:
        def select(self, available_tracers):
            try:
                return decide(select, Context(), available_tracers)
            except Fail as reason:
                raise Err(str(reason))

    return Selection
