"""The base of all tables of the file.

The modules with tables do not postpone their annotations: pydantic would have to compile each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


class Section(BaseModel):
    """A table of the file: frozen, and without unknown keys. Field names are the keys.

    `shorthand` names the field that a lone string stands for: `health_check = "/"` is `health_check = { path = "/" }`.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)
    shorthand: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _expand_shorthand(cls, value: object) -> object:
        return {cls.shorthand: value} if cls.shorthand and isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow the shorthand beside the table."""
        table = handler(schema)
        return {"anyOf": [{"type": "string"}, table]} if cls.shorthand else table
