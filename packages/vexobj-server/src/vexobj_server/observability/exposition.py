"""The text that Prometheus reads: the sum of all pages, and what is looked up when it is asked for.

Source: prometheus.io/docs/instrumenting/exposition_formats (text format 0.0.4).
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vexobj_server.observability import families
from vexobj_server.observability.families import Family, FamilyKind
from vexobj_server.observability.page import (
    Labels,
    ReadPage,
    Series,
    is_lasting,
    read_pages,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FAMILIES = {each.name: each for each in vars(families).values() if isinstance(each, Family)}
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """A number that was looked up rather than counted."""

    family: Family
    value: float
    labels: Labels = ()


def metrics_text(
    metrics_dir: Path, data_dir: Path, version: str, extra: Iterable[Sample] = ()
) -> bytes:
    """The body of `/metrics`. Reads a few files per process: call it in a thread."""
    pages = list(read_pages(metrics_dir))
    counted = _counted(pages)
    looked_up = [*_looked_up(pages, data_dir, version), *extra]
    lines: list[str] = []
    for family in _FAMILIES.values():
        of_family = {key: value for key, value in counted.items() if key.family == family.name}
        samples = [each for each in looked_up if each.family is family]
        if of_family or samples:
            lines += _head(family)
            lines += _histogram(family, of_family) if family.buckets else _plain(family, of_family)
            lines += [_line(family.name, each.labels, each.value) for each in samples]
    return ("\n".join(lines) + "\n").encode()


def _counted(pages: Iterable[ReadPage]) -> dict[Series, int]:
    total: dict[Series, int] = {}
    for page in pages:
        for series, value in page.values.items():
            family = _FAMILIES.get(series.family)
            if family is not None and (page.alive or is_lasting(family)):
                total[series] = total.get(series, 0) + value
    return total


def _looked_up(pages: Iterable[ReadPage], data_dir: Path, version: str) -> Iterator[Sample]:
    yield Sample(families.BUILD, 1, (("version", version),))
    usage = shutil.disk_usage(data_dir)
    yield Sample(families.DISK_FREE, usage.free)
    yield Sample(families.DISK_SIZE, usage.total)
    for page in pages:
        if page.alive:
            yield from _process(page)


def _process(page: ReadPage) -> Iterator[Sample]:
    """From /proc; nothing where there is none."""
    proc = Path("/proc") / str(page.pid)
    labels = (("role", page.role), ("pid", str(page.pid)))
    try:
        resident = int((proc / "statm").read_text(encoding="ascii").split()[1])
        # The command's name stands in parentheses and may hold anything.
        fields = (proc / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        open_files = sum(1 for _ in (proc / "fd").iterdir())
    except (OSError, IndexError, ValueError):
        return
    yield Sample(families.PROCESS_MEMORY, resident * os.sysconf("SC_PAGE_SIZE"), labels)
    yield Sample(families.PROCESS_CPU, (int(fields[11]) + int(fields[12])) / _TICKS, labels)
    yield Sample(families.PROCESS_FILES, open_files, labels)


def _head(family: Family) -> list[str]:
    kind = FamilyKind(family.kind).value
    return [f"# HELP {family.name} {family.meaning}", f"# TYPE {family.name} {kind}"]


def _plain(family: Family, counted: dict[Series, int]) -> list[str]:
    return [
        _line(family.name, series.labels, value / family.scale if family.scale > 1 else value)
        for series, value in counted.items()
    ]


def _histogram(family: Family, counted: dict[Series, int]) -> list[str]:
    lines = []
    bounds = [*(f"{bound:g}" for bound in family.buckets), "+Inf"]
    for labels in dict.fromkeys(series.labels for series in counted):
        total = 0
        for number, bound in enumerate(bounds):
            total += counted.get(Series(family.name, labels, str(number)), 0)
            lines.append(_line(f"{family.name}_bucket", (*labels, ("le", bound)), total))
        spent = counted.get(Series(family.name, labels, "sum"), 0) / family.scale
        lines.append(_line(f"{family.name}_sum", labels, spent))
        lines.append(_line(f"{family.name}_count", labels, total))
    return lines


def _line(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
