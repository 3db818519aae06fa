"""Rules of values that pydantic checks, in annotations of types, and the wording of broken ones.

Nothing here imports pydantic: workers read the annotated types without checking values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt, Lt, MinLen

from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ConfigDict, TypeAdapter
    from pydantic_core import CoreSchema, ErrorDetails

__all__ = [
    "Check",
    "Natural",
    "Plain",
    "Positive",
    "Text",
    "adapter",
    "broken",
    "check_plain",
    "matching",
    "shown",
]

_STRICT: ConfigDict = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
_DEEPEST = 50
_LARGEST_INTEGER = 2**63  # SQLite's integers
_LONGEST_SHOWN = 80
_MEMBERS = ("bool", "float", "int", "str")
"""What pydantic adds to the path of an error in a union."""

Natural = Annotated[int, Ge(0), Lt(_LARGEST_INTEGER)]
Positive = Annotated[int, Gt(0), Lt(_LARGEST_INTEGER)]
Text = Annotated[str, MinLen(1)]
"""A path or a name: what an unset variable of a shell leaves of one is refused."""


@cache
def adapter(annotated: Any) -> TypeAdapter[Any]:
    """Return what validates JSON as an annotated type, strictly.

    Keys that the type does not have are refused, and so is a value of another type, except for an
    integer in the place of a float. The same holds for the dataclasses and mappings within it.
    """
    from pydantic import TypeAdapter

    if isinstance(annotated, type):
        annotated.__pydantic_config__ = _STRICT  # type: ignore[attr-defined]
        return TypeAdapter(annotated)
    return TypeAdapter(annotated, config=_STRICT)


@dataclass(frozen=True, slots=True)
class Check:
    """An annotation: what a value of the right type must satisfy as well.

    Parameters
    ----------
    check : callable
        Takes the value, and raises ValueError if a rule is broken: with the rule, such as "must be
        finite", and optionally with the path and the value of the part that breaks it.
    """

    check: Callable[[Any], object]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], CoreSchema]
    ) -> CoreSchema:
        """Return the schema of the annotated type with this check after it."""
        from pydantic_core import core_schema

        def checked(value: Any) -> Any:
            self.check(value)
            return value

        return core_schema.no_info_after_validator_function(checked, handler(source))


def matching(pattern: re.Pattern[str], rule: str) -> Check:
    """Return the check that a text matches a pattern as a whole."""

    def check(text: str) -> None:
        if pattern.fullmatch(text) is None:
            raise ValueError(rule)

    return Check(check)


def check_plain(value: Any, path: tuple[str, ...] = ()) -> None:
    """Raise ValueError on what JSON and SQLite cannot represent, and what is nested too deeply."""
    if isinstance(value, dict | list):
        if len(path) == _DEEPEST:
            raise ValueError(f"must be nested at most {_DEEPEST} deep", path[:1], value)
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            check_plain(item, (*path, str(key)))
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be finite", path, value)
    elif isinstance(value, int) and abs(value) >= _LARGEST_INTEGER:
        raise ValueError("must be an integer below 2**63 in size", path, value)


Plain = Annotated[Mapping[str, Any], Check(check_plain)]
"""A mapping of values that :func:`check_plain` takes."""


def broken(error: ErrorDetails) -> tuple[str, str, str]:
    """Return the path, the rule ("must be …") and the value of an error of pydantic."""
    path, value, rule = error["loc"], error["input"], error["msg"]
    path = tuple(part for part in path if part not in _MEMBERS)
    if error["type"] == "string_too_short":
        rule = "must not be empty"
    if error["type"] == "value_error":
        rule, *where = error["ctx"]["error"].args
        path, value = ((*path, *where[0]), where[1]) if where else (path, value)
    rule = re.sub("^.*?should ", "must ", rule)  # "Input should be …"
    rule = rule.replace("an object", "a mapping").replace("valid array", "list")
    return ".".join(map(str, path)), rule, shown(value)


def shown(value: object) -> str:
    """Return a value as a message shows it: as in YAML, a long one by its beginning.

    Examples
    --------
    >>> shown(True), shown("a"), shown(range(3))
    ('true', "'a'", 'range(0, 3)')
    """
    return cut(str(value).lower() if isinstance(value, bool) else repr(value), _LONGEST_SHOWN)
