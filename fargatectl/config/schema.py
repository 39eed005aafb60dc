"""The JSON Schema of the file, for editors: made from the models, so that it cannot say anything else."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from fargatectl.config.models import Config
from fargatectl.config.section import Section

_TABLE = {"const": False, "description": "Remove this table from what the rest of the file has."}
_SUFFIX = "Overlay"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the file, environments included."""
    schema = Config.model_json_schema(by_alias=True, schema_generator=_Generator)
    definitions = schema.setdefault("$defs", {})
    overlays = {f"{name}{_SUFFIX}": _overlay(definition) for name, definition in definitions.items()}
    overlay = {key: value for key, value in _overlay(schema).items() if key not in {"$defs", "title"}}
    schema["properties"]["environments"] = {
        "type": "object",
        "description": "Differences by environment, chosen with -e NAME: tables merge, everything else is replaced.",
        "propertyNames": {"pattern": "^[a-z0-9-]{1,32}$"},
        "additionalProperties": {"$ref": f"#/$defs/Environment{_SUFFIX}"},
    }
    definitions |= {**overlays, f"Environment{_SUFFIX}": overlay}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "fargatectl.toml"}


class _Generator(GenerateJsonSchema):
    """Adds the fields' docstrings, which pydantic would otherwise have to read at every start."""

    def model_schema(self, schema: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's type of a core schema
        """Describe a table and its keys."""
        table = super().model_schema(schema)
        section = schema["cls"]
        for name, text in _docstrings(section).items():
            key = section.model_fields[name].alias or name
            table["properties"][key].setdefault("description", text)
        table["description"] = (inspect.getdoc(section) or "").partition("\n\n")[0]
        return table


@cache
def _docstrings(section: type[Section]) -> dict[str, str]:
    """Return the docstring below each field of a table, inherited ones too."""
    found: dict[str, str] = {}
    for kind in reversed(section.__mro__):
        if not issubclass(kind, Section) or kind is Section:
            continue
        (definition,) = ast.parse(inspect.getsource(kind)).body
        body = definition.body if isinstance(definition, ast.ClassDef) else []
        for field, text in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                found[field.target.id] = inspect.cleandoc(str(ast.literal_eval(text.value)))
    return found


def _overlay(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Return `schema` with nothing required, and `false` allowed for each table."""
    if isinstance(schema, list):
        return [_overlay(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    loose = {key: _overlay(value) for key, value in schema.items() if key not in {"required", "default"}}
    if "$ref" in loose:
        loose["$ref"] += _SUFFIX
    elif schema.get("additionalProperties", False) is False:
        return loose
    description = {"description": loose.pop("description")} if "description" in loose else {}
    return {"anyOf": [loose, _TABLE], **description}
