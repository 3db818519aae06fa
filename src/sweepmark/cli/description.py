"""The tables that ``sweepmark data describe`` prints."""

from __future__ import annotations

from typing import Any

from rich import box

from sweepmark.cli.drawing import EscapedTable

__all__ = ["tables"]

_LONGEST_VALUE = 1000  # characters
_MEGABYTE = 1e6
_MEBIBYTE = 2**20


def tables(document: dict[str, Any]) -> list[EscapedTable]:
    """Return a data set's description, as :func:`sweepmark.data.summary.describe` gives it."""
    columns = [_columns(document)] if "columns" in document else []
    return [_facts(document), _distribution(document), *columns, _digests(document)]


def _facts(document: dict[str, Any]) -> EscapedTable:
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
    grid = _grid(title=document["name"], title_style="bold")
    for name, value in facts.items():
        grid.add_row(name, value)
    return grid


def _distribution(document: dict[str, Any]) -> EscapedTable:
    parts = document["parts"]
    table = EscapedTable(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("label", justify="right")
    cells = {}
    for name, part in parts.items():
        table.add_column(name, justify="right")
        table.add_column("share", justify="right")
        cells[name] = {line["label"]: line for line in part["labels"]}
    for label in document["classes"]:
        row = [str(label)]
        for name in parts:
            line = cells[name].get(label, {"count": 0, "share": 0.0})
            row += [f"{line['count']:,}", f"{line['share']:.2%}"]
        table.add_row(*row)
    return table


def _columns(document: dict[str, Any]) -> EscapedTable:
    table = EscapedTable(box=box.SIMPLE_HEAD, pad_edge=False, longest=_LONGEST_VALUE)
    table.add_column("column")
    table.add_column("type")
    table.add_column("given", justify="right")
    table.add_column("values")
    for column in document["columns"]:
        values = column["values"]
        listed = f"{column['n_distinct']:,} different"
        if values is not None:
            listed = ", ".join(f"{item['value']}: {item['count']:,}" for item in values)
        table.add_row(column["name"], column["type"], f"{column['n_given']:,}", listed)
    return table


def _grid(**settings: Any) -> EscapedTable:
    """Return a table without lines."""
    return EscapedTable(
        box=None,
        show_header=False,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 2),
        longest=_LONGEST_VALUE,
        **settings,
    )


def _digests(document: dict[str, Any]) -> EscapedTable:
    grid = _grid()
    grid.add_row("SHA-256", document["digest"])
    for role, digest in document["files"].items():
        grid.add_row(role.replace("_", " "), digest)
    return grid
