"""Rules of values that pydantic checks, in annotations of types, and the wording of broken ones.

Nothing here imports pydantic: workers read the annotated types without checking values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from annotated_types import Ge, Gt, Lt

from sweepmark.terminal import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import ConfigDict, TypeAdapter
    from pydantic_core import CoreSchema, ErrorDetails

__all__ = [
    "Broken",
    "Check",
    "Natural",
    "Plain",
    "Positive",
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


def check_plain(value: Any) -> None:
    """Raise ValueError unless a value is finite, of 64 bits, and nested 50 deep at most."""
    for path, rule, item in _not_plain(value, ()):
        raise ValueError(rule, path, item)


def _not_plain(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield what JSON and SQLite cannot represent, and what is too deep for recursion."""
    if isinstance(value, dict | list):
        if len(path) >= _DEEPEST:
            yield path[:1], f"must be nested at most {_DEEPEST} deep", value
            return
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from _not_plain(item, (*path, str(key)))
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, "must be finite", value
    elif isinstance(value, int) and abs(value) >= _LARGEST_INTEGER:
        yield path, "must be an integer below 2**63 in size", value


Plain = Annotated[Mapping[str, Any], Check(check_plain)]
"""A mapping of values that :func:`check_plain` takes."""


class Broken(NamedTuple):
    """A broken rule: where, which ("must be …"), and the value as :func:`shown`."""

    path: str
    rule: str
    value: str


def broken(error: ErrorDetails) -> Broken:
    """Return the rule of an error of pydantic, but for missing and unknown keys."""
    path, value, rule = error["loc"], error["input"], error["msg"]
    path = tuple(part for part in path if part not in _MEMBERS)
    if error["type"] == "value_error":
        rule, *where = error["ctx"]["error"].args
        path, value = ((*path, *where[0]), where[1]) if where else (path, value)
    rule = re.sub("^.*?should ", "must ", rule)  # "Input should be …"
    rule = rule.replace("an object", "a mapping").replace("valid array", "list")
    return Broken(".".join(map(str, path)), rule, shown(value))


def shown(value: object) -> str:
    """Return a value as a message shows it: as in YAML, a long one by its beginning.

    Examples
    --------
    >>> shown(True), shown("a"), shown(range(3))
    ('true', "'a'", 'range(0, 3)')
    """
    return cut(str(value).lower() if isinstance(value, bool) else repr(value), _LONGEST_SHOWN)
