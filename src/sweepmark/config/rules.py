"""Rules of values that pydantic checks, in annotations of types, and the wording of broken ones.

Nothing here imports pydantic: workers read the annotated types without checking values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

    from pydantic_core import CoreSchema, ErrorDetails

__all__ = ["Broken", "Check", "Plain", "broken", "check_plain", "matching", "shown"]

_DEEPEST = 50
_LARGEST_INTEGER = 2**63  # SQLite's integers
_LONGEST_SHOWN = 60


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
    path, value = error["loc"], error["input"]
    if error["type"] == "value_error":
        rule, *where = error["ctx"]["error"].args
        path, value = ((*path, *where[0]), where[1]) if where else (path, value)
    else:
        rule = f"must {error['msg'].partition(' should ')[2]}"  # "Input should be …"
        rule = rule.partition(", unable")[0].partition(", got")[0]
    return Broken(".".join(map(str, path)), rule, shown(value))


def shown(value: object) -> str:
    """Return a value as a message shows it: a long one by its beginning."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
