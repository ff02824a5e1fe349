"""The reference selector in Python. The key `op` selects its operation. See ../README.md."""

import os
import random
import struct
import sys

import spanmux


def select(context, tracers):
    match context.text("op"):
        case None:
            return by_environment(context)
        case "choose":
            return context["name"]
        case "fail":
            raise spanmux.Fail(context["message"])
        case "last":
            return tracers[-1] if tracers else None
        case "number":
            return 42
        case op:
            if op in ANSWERS:
                raise spanmux.Fail(ANSWERS[op](context, tracers))
            return None


def by_environment(context):
    match context.text("environment"):
        case "production":
            return "langfuse"
        case "development":
            return "console"


def get(context, _tracers):
    try:
        value = context[context["key"]]
    except KeyError:
        return "absent"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean {value}".lower()
    if isinstance(value, float):
        return f"float {struct.pack('>d', value).hex()}"
    kinds = {int: "integer", str: "text", spanmux.Json: "json"}
    return f"{kinds[type(value)]} {value}"


def bucket(context, _tracers):
    share = context.bucket(context["key"], context["salt"], context["buckets"])
    return "absent" if share is None else str(share)


def yes(condition):
    return "yes" if condition else "no"


def world(_context, _tracers):
    """Return random numbers, a hash, the environment and the arguments of the program."""
    return f"{random.random()} {hash('text')} {len(os.environ)} {len(sys.argv)}"


def trap(_context, _tracers):
    os.abort()


ANSWERS = {
    "tracers": lambda _, tracers: "\n".join(tracers),
    "get": get,
    "has": lambda context, _: yes(context["key"] in context),
    "keys": lambda context, _: "\n".join(context),
    "bucket": bucket,
    "same": lambda context, _: yes(context["left"] == context["right"]),
    "world": world,
    "mistake": lambda *_: {}["a mistake"],
    "trap": trap,
}

Selection = spanmux.exported(select)
