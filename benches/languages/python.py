"""One key decides, as in selectors/one-key."""

from wit_world import exports
from wit_world.imports import runtime_context


class Selection(exports.Selection):
    def select(self, available_tracers):
        environment = runtime_context.get("environment")
        match getattr(environment, "value", None):
            case "production":
                return "langfuse"
            case "staging":
                return "datadog"
            case _:
                return "console"
