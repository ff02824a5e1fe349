"""Production goes to Langfuse, development to the console; all else is left to others."""

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
