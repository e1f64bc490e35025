"""Small pieces of HTML: numbers as people read them, tables, cards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

ABSENT = "–"


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """1234.5 as "1,234" or with digits; a dash where there is none."""
    if value is None:
        return ABSENT
    text = f"{value:,.{digits}f}"
    return f"{text} {unit}" if unit and unit != "%" else text + unit


def percent(value: float | None) -> str:
    """Per cent with one decimal, two where one would round a shortfall away."""
    return number(value, 2 if value is not None and 99.95 <= value < 100 else 1, "%")


def duration(seconds: float | None) -> str:
    """Seconds as "45 s", "12 min", "3 h 05 min" or "2 d 4 h"."""
    if seconds is None:
        return ABSENT
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    return f"{hours // 24} d {hours % 24} h"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]], texts: int = 1) -> str:
    """A table whose first `texts` columns are text and whose others are numbers; cells are escaped."""

    def cell(column: int, value: Any) -> str:
        text = escape(str(value))
        if column == 0:
            return f'<th scope="row">{text}</th>'
        return f"<td>{text}</td>" if column < texts else f'<td class="number">{text}</td>'

    body = "".join(
        "<tr>" + "".join(cell(column, value) for column, value in enumerate(row)) + "</tr>" for row in rows
    )
    heads = "".join(
        f'<th scope="col"{"" if column < texts else " class=number"}>{escape(title)}</th>'
        for column, title in enumerate(head)
    )
    if not body:
        body = f'<tr><td colspan="{len(head)}">none</td></tr>'
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def card(label: str, value: str, note: str = "") -> str:
    """One key figure."""
    small = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<div class="card"><dt>{escape(label)}</dt><dd>{escape(value)}{small}</dd></div>'


def figure(name: str, title: str, note: str = "", tall: bool = False) -> str:
    """The place of a chart; `name` is its key in the page's figures."""
    small = f"<p>{escape(note)}</p>" if note else ""
    size = "chart tall" if tall else "chart"
    place = f'id="figure-{name}" data-figure="{name}" role="img" aria-label="{escape(title)}"'
    return (
        f"<figure><figcaption><h3>{escape(title)}</h3>{small}</figcaption>"
        f'<div class="{size}" {place}></div></figure>'
    )


def section(title: str, *parts: str) -> str:
    """A section of the page with its heading."""
    anchor = title.lower().replace(" ", "-")
    heading = f'<h2 id="{anchor}">{escape(title)}</h2>'
    return f'<section aria-labelledby="{anchor}">{heading}{"".join(parts)}</section>'
