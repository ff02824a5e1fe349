"""Validates recorded messages with Phoenix's own models, which are generated from the schemas of
the GenAI conventions.

    python validate_messages.py FILE

Each line of the file is JSON: {"key": "gen_ai.output.messages", "value": "[…]"}. Prints the number
of lines. Fails at the first value that Phoenix would drop.
"""

import importlib.util
import json
import sys
from pathlib import Path

# The models alone: the package itself starts much more.
package = importlib.util.find_spec("phoenix").submodule_search_locations[0]
path = Path(package, "trace", "gen_ai", "__generated__", "models.py")
spec = importlib.util.spec_from_file_location("models", path)
models = importlib.util.module_from_spec(spec)
sys.modules["models"] = models
spec.loader.exec_module(models)

MODELS = {
    "gen_ai.input.messages": models.InputMessages,
    "gen_ai.output.messages": models.OutputMessages,
    "gen_ai.system_instructions": models.SystemInstructions,
    "gen_ai.tool.definitions": models.ToolDefinitions,
}

lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
for line in lines:
    recorded = json.loads(line)
    try:
        MODELS[recorded["key"]].model_validate_json(recorded["value"])
    except ValueError as error:
        sys.exit(f"{error}\n{line}")
print(len(lines))
