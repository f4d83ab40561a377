"""Figures with their spread, printed and kept: minimum, median and maximum of several runs."""

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    name: str
    unit: str
    minimum: float
    median: float
    maximum: float
    runs: int


def figure(name: str, unit: str, values: Sequence[float]) -> Figure:
    return Figure(name, unit, min(values), statistics.median(values), max(values), runs=len(values))


def publish(benchmark: str, figures: Sequence[Figure]) -> None:
    """Print a table and write `results/<benchmark>.json` with the machine and the date."""
    print(f"\n{benchmark}")
    for row in figures:
        print(
            f"  {row.name:<58} {row.median:>12,.1f} {row.unit:<8}"
            f" ({row.minimum:,.1f} .. {row.maximum:,.1f}, {row.runs} runs)"
        )
    RESULTS.mkdir(exist_ok=True)
    document = {
        "benchmark": benchmark,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": f"nox -s bench -- {benchmark}",
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "figures": [asdict(row) for row in figures],
    }
    (RESULTS / f"{benchmark}.json").write_text(json.dumps(document, indent=2) + "\n")
