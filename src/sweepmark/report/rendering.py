"""HTML pages that need nothing but themselves, by Jinja2; every text in them is untrusted.

Values are escaped for HTML and have no control characters. A page's content security policy allows
the scripts that it was made with, by their digests, and nothing from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweepmark import __version__
from sweepmark.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweepmark.report.figure import Figure

__all__ = ["render"]

_HERE = Path(__file__).parent
_WORDS = frozenset(
    {"trial", "status", "experiment", "metric", "positive", "actual", "predicted", "label"}
    | {"store", "name", "band", "sweep or run", "note"}
)
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data: blob:; "
    "style-src 'unsafe-inline'; script-src {}"
)


def render(template: str, *, figures: Sequence[Figure] = (), **values: Any) -> bytes:
    """Return a page.

    Parameters
    ----------
    template : str
        The name of a template beside this module.
    figures : sequence of Figure
        Its interactive figures; without any, the page has no script.
    **values : Any
        What else the template names. Strings in them may come from anywhere.

    Returns
    -------
    bytes
        HTML in UTF-8.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def harmless(value: Any) -> Any:
        if isinstance(value, str) and not isinstance(value, Markup):
            return escape(value, lines=True)
        return value

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = _scripts() if figures else []
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts) or "'none'"
    text = environment.get_template(template).render(
        figures={figure.name: figure for figure in figures},
        policy=_POLICY.format(digests),
        scripts=[Markup(script) for script in scripts],  # noqa: S704 -- Plotly's and ours
        version=__version__,
        words=_WORDS,
        **values,
    )
    return text.encode()


def _scripts() -> list[str]:
    """Return Plotly's script, and ours that has it draw."""
    from plotly.offline import get_plotlyjs

    return [get_plotlyjs(), (_HERE / "figures.js").read_text(encoding="utf-8")]


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
