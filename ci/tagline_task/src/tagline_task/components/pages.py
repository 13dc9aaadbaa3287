"""A page about predictions that stands alone: the numbers, and the matrix of who was taken for whom."""

from collections.abc import Mapping, Sequence
from html import escape

_STYLE = (
    "body{font:14px sans-serif;margin:24px}table{border-collapse:collapse;margin:12px 0}"
    "td,th{border:1px solid #bbb;padding:4px 10px;text-align:right}th{background:#f3f3f3}"
    "td.right{background:#e3f3e3}"
)


def page(title: str, rows: int, metrics: Mapping[str, float], tables: Sequence[str] = ()) -> str:
    """The page as HTML, without anything from elsewhere."""
    lines = [f"<tr><th>{escape(name)}</th><td>{value:.6g}</td></tr>" for name, value in metrics.items()]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1><p>{rows} rows</p><table>{''.join(lines)}</table>"
        f"{''.join(tables)}</html>\n"
    )


def matrix(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """A confusion matrix as a table: a row for each true class, a column for each predicted one."""
    head = "".join(f"<th>{escape(name)}</th>" for name in classes)
    body = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(_cell(number, each, row) for each in range(len(row)))}</tr>"
        for number, (name, row) in enumerate(zip(classes, counts, strict=True))
    )
    return f"<h2>true class (rows) and predicted class</h2><table><tr><th></th>{head}</tr>{body}</table>"


def _cell(number: int, each: int, row: Sequence[int]) -> str:
    mark = ' class="right"' if number == each else ""
    return f"<td{mark}>{row[each]}</td>"
