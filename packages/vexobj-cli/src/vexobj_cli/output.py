"""Tables for people, JSON for scripts."""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from rich.cells import cell_len

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_PAGE = 1000
_GAP = "  "


def human_size(size: float) -> str:
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def show_json(value: object) -> None:
    """A value of the SDK, or a list of them, as one JSON document; iterators as they come."""
    if not isinstance(value, Iterator):
        print(_json(value))
        return
    separator = "["
    for item in value:
        print(f"{separator}\n{_json(item)}", end="")
        separator = ","
    print("[]" if separator == "[" else "\n]")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns, never cut or wrapped; a thousand rows at a time are looked at."""
    widths = [len(column) for column in columns]
    lines = iter(rows)
    page = [columns, *([_cell(value) for value in row] for row in islice(lines, _PAGE))]
    while page:
        for row in page:
            widths = [max(known, cell_len(cell)) for known, cell in zip(widths, row, strict=True)]
        for row in page:
            padded = (
                cell + " " * (width - cell_len(cell))
                for cell, width in zip(row, widths, strict=True)
            )
            print(_GAP.join(padded).rstrip())
        page = [[_cell(value) for value in row] for row in islice(lines, _PAGE)]


def visible(text: str) -> str:
    """Text that cannot steer the terminal: control characters are shown, not sent."""
    return "".join(_escaped(c) if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else visible(str(value))


def _json(value: object) -> str:
    return json.dumps(_plain(value), indent=2, ensure_ascii=False)


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
