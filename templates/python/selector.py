"""Sends production to Langfuse and development to the console. Abstains otherwise."""

import spanmux


def select(context, tracers):
    match context.text("environment"):
        case "production":
            return "langfuse"
        case "development":
            return "console"
        case _:
            return None


Selection = spanmux.exported(select)
