"""Write a Spanmux selector in Python: a function that is given the runtime context of one
trace and the names of the available tracers, and answers which of them receives the trace.

    import spanmux

    def select(context, tracers):
        if context.text("environment") == "production":
            return "langfuse"
        return None

    Selection = spanmux.exported(select)

- A name sends the trace to the tracer of this name; to the fallback if there is none.
- None abstains: the next selector decides; after the last one, the default tracer.
- `raise spanmux.Fail("why")` sends the trace to the fallback, and the reason is recorded.
  So is the type and the message of any other exception.
"""

try:
    from componentize_py_types import Err
    from wit_world.imports import runtime_context as host
except ImportError:  # in a test, which has a Mock
    Err = host = None


class Fail(Exception):
    """A failed decision, with a reason that a person can read."""


class Json(str):
    """An array, an object, or an integer beyond 2^53 - 1, as canonical JSON text."""


class Context:
    """What the application knows about the run that is about to be traced.

    `context[key]` is None, a bool, an int, a float, a str or Json, and a KeyError if there
    is no such key. `key in context` and `list(context)`, the costliest question, do what
    they do for a dict.
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
        """The value of a key, or the default if there is no such key."""
        try:
            return self[key]
        except KeyError:
            return default

    def text(self, key):
        """The value of a key if it is text, else None; so do the next ones for theirs."""
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
        """In which of `buckets` equal shares the value of a key falls, counted from 0; None
        if there is no such key."""
        return host.bucket(key, salt, buckets)


class Mock(Context):
    """A context for tests: its values by their whole keys, and the share of each key."""

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
    """What a selector decides: a name or None; a failed decision raises Fail."""
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
    """The class by which a component exports a selector; call it `Selection`."""

    class Selection:
        def select(self, available_tracers):
            try:
                return decide(select, Context(), available_tracers)
            except Fail as reason:
                raise Err(str(reason))

    return Selection
