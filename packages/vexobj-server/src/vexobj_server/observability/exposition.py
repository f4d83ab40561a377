"""What Prometheus reads: the sum of all pages and what was looked up, in the words of its library.

prometheus_client takes 8 MB: import this module only when somebody asks for metrics.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from vexobj_server.observability import families
from vexobj_server.observability.families import FAMILIES, Family, FamilyKind
from vexobj_server.observability.lookups import Sample, disk_samples, process_samples
from vexobj_server.observability.page import Labels, ReadPage, Series, is_lasting, read_pages


def exposition(
    accept: str, metrics_dir: Path, data_dir: Path, version: str, extra: Iterable[Sample] = ()
) -> tuple[bytes, str]:
    """The body of `/metrics` and its content type: text 0.0.4, or OpenMetrics if it is accepted.

    Reads a few files per process: call it in a thread.
    """
    pages = list(read_pages(metrics_dir))
    looked_up = [
        Sample(families.BUILD, 1, (("version", version),)),
        *disk_samples(data_dir),
        *process_samples(pages),
        *extra,
    ]
    encode, content_type = choose_encoder(accept)
    return encode(_Read(_counted(pages), looked_up)), content_type


class _Read(Collector):
    """One reading of everything."""

    def __init__(self, counted: dict[Series, int], looked_up: Iterable[Sample]) -> None:
        self._series: dict[str, list[tuple[Series, int]]] = {}
        self._samples: dict[str, list[Sample]] = {}
        for series, value in counted.items():
            self._series.setdefault(series.family, []).append((series, value))
        for sample in looked_up:
            self._samples.setdefault(sample.family.name, []).append(sample)

    def collect(self) -> Iterator[Metric]:
        for name, family in FAMILIES.items():
            counted, looked_up = self._series.get(name, []), self._samples.get(name, [])
            if counted or looked_up:
                if family.kind is FamilyKind.HISTOGRAM:
                    yield _histogram(family, dict(counted))
                else:
                    yield _plain(family, counted, looked_up)


def _counted(pages: Iterable[ReadPage]) -> dict[Series, int]:
    total: dict[Series, int] = {}
    for page in pages:
        for series, value in page.values.items():
            family = FAMILIES.get(series.family)
            if family is not None and (page.alive or is_lasting(family)):
                total[series] = total.get(series, 0) + value
    return total


def _plain(
    family: Family, counted: Iterable[tuple[Series, int]], looked_up: Iterable[Sample]
) -> Metric:
    kind = CounterMetricFamily if family.kind is FamilyKind.COUNTER else GaugeMetricFamily
    metric = kind(family.name, family.meaning, labels=family.labels)
    for series, value in counted:
        metric.add_metric(_texts(family, series.labels), value / family.scale)
    for sample in looked_up:
        metric.add_metric(_texts(family, sample.labels), sample.value)
    return metric


def _histogram(family: Family, counted: dict[Series, int]) -> Metric:
    metric = HistogramMetricFamily(family.name, family.meaning, labels=family.labels)
    bounds = [*(f"{bound:g}" for bound in family.buckets), "+Inf"]
    for labels in dict.fromkeys(series.labels for series in counted):
        total = 0
        buckets: list[tuple[str, float]] = []
        for number, bound in enumerate(bounds):
            total += counted.get(Series(family.name, labels, str(number)), 0)
            buckets.append((bound, total))
        spent = counted.get(Series(family.name, labels, "sum"), 0) / family.scale
        metric.add_metric(_texts(family, labels), buckets, spent)
    return metric


def _texts(family: Family, labels: Labels) -> list[str]:
    texts = dict(labels)
    return [texts[name] for name in family.labels]
