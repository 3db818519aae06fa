"""Rules of values that pydantic checks, in annotations of types.

Nothing here imports pydantic: workers read the annotated types without checking values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from pydantic_core import CoreSchema

__all__ = ["Check", "matching"]


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
