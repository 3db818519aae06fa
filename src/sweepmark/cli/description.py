"""The tables that ``sweepmark data describe`` prints."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from sweepmark.cli.drawing import table

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["tables"]

_LONGEST_VALUE = 1000  # characters
_MEGABYTE = 1e6
_MEBIBYTE = 2**20


def tables(document: dict[str, Any]) -> list[Table]:
    """Return a data set's description, as :func:`sweepmark.data.summary.describe` gives it."""
    columns = [_columns(document)] if "columns" in document else []
    return [_facts(document), _distribution(document), *columns, _digests(document)]


def _facts(document: dict[str, Any]) -> Table:
    shape = document["image_shape"]
    rows = ", ".join(f"{part['n_rows']:,} {name}" for name, part in document["parts"].items())
    published = {None: "nothing is published under this name", True: "yes"}.get(
        document["published"], "no: these are files of your own"
    )
    tables = [
        f"{part['n_rows']:,} x {document['n_features'] + 1}: {part['int64_bytes'] / _MEBIBYTE:,.1f}"
        for part in document["parts"].values()
        if "int64_bytes" in part
    ]
    facts = {
        "rows": f"{document['n_rows']:,} ({rows})",
        "features": f"{document['n_features']}" + (f" ({shape[0]} x {shape[1]})" if shape else ""),
        "type": document["dtype"],
        "in memory": f"{document['bytes'] / _MEGABYTE:,.1f} MB",
        **({"as int64 table": f"{'; '.join(tables)} MiB"} if tables else {}),
        "source": document["source"],
        "as published": published,
    }
    return _grid(facts, title=document["name"], title_style="bold")


def _distribution(document: dict[str, Any]) -> Table:
    parts = document["parts"]
    none = {"count": 0, "share": 0.0}
    counts = [{line["label"]: line for line in part["labels"]} for part in parts.values()]
    rows = []
    for label in document["classes"]:
        lines = [each.get(label, none) for each in counts]
        cells = ((f"{line['count']:,}", f"{line['share']:.2%}") for line in lines)
        rows.append([str(label), *itertools.chain.from_iterable(cells)])
    headings = [heading for name in parts for heading in (name, "share")]
    return table(["label", *headings], rows, words=())


def _columns(document: dict[str, Any]) -> Table:
    rows = []
    for column in document["columns"]:
        listed = f"{column['n_distinct']:,} different"
        if column["values"] is not None:
            listed = ", ".join(f"{item['value']}: {item['count']:,}" for item in column["values"])
        rows.append((column["name"], column["type"], f"{column['n_given']:,}", listed))
    headings = ("column", "type", "given", "values")
    words = {"column", "type", "values"}
    return table(headings, rows, words=words, longest=_LONGEST_VALUE)


def _digests(document: dict[str, Any]) -> Table:
    files = {role.replace("_", " "): digest for role, digest in document["files"].items()}
    return _grid({"SHA-256": document["digest"]} | files)


def _grid(facts: dict[str, str], **settings: Any) -> Table:
    """Return names and values as a table without lines."""
    columns = ("name", "value")
    return table(
        columns,
        list(facts.items()),
        words=columns,
        longest=_LONGEST_VALUE,
        box=None,
        show_header=False,
        collapse_padding=True,
        padding=(0, 2),
        **settings,
    )
