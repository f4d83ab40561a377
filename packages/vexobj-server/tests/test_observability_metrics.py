"""Counting across processes, and the text that Prometheus reads, checked by its own parser."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from vexobj_server.media.protocol import BrokerStats
from vexobj_server.observability import families
from vexobj_server.observability.exposition import Sample, metrics_text
from vexobj_server.observability.media import media_samples
from vexobj_server.observability.metrics import RequestMetrics
from vexobj_server.observability.page import MetricsPage, read_pages

COUNT_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from vexobj_server.observability.metrics import RequestMetrics
from vexobj_server.observability.page import MetricsPage

metrics = RequestMetrics(MetricsPage(Path(sys.argv[1]), "worker"))
metrics.began()
metrics.answered("PUT", 200, 0.2)
metrics.uploaded(1000)
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[MetricsPage]:
    made = MetricsPage(tmp_path, "worker")
    yield made
    with contextlib.suppress(ValueError):  # a test may have closed it
        made.close()


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(directory: Path, name: str, **labels: str) -> float:
    return samples(metrics_text(directory, directory, "1.2.3"))[name, tuple(sorted(labels.items()))]


def test_names_and_buckets_that_dashboards_know(tmp_path: Path, page: MetricsPage) -> None:
    metrics = RequestMetrics(page)
    metrics.answered("GET", 206, 0.03)
    metrics.answered("GET", 404, 0.0005)
    metrics.answered("PROPFIND", 599, 9)
    metrics.s3_operation("GetObject", 206)
    metrics.downloaded(4096)
    found = samples(metrics_text(tmp_path, tmp_path, "1.2.3"))
    expected = {
        ("vexobj_requests_total", ()): 3,
        ("vexobj_requests_by_method_total", (("method", "GET"),)): 2,
        ("vexobj_requests_by_method_total", (("method", "other"),)): 1,
        ("vexobj_requests_by_status_total", (("status", "2xx"),)): 1,
        ("vexobj_requests_by_status_total", (("status", "4xx"),)): 1,
        ("vexobj_requests_by_status_total", (("status", "5xx"),)): 1,
        ("vexobj_objects_downloaded_total", ()): 1,
        ("vexobj_bytes_downloaded_total", ()): 4096,
        ("vexobj_bytes_uploaded_total", ()): 0,
        (
            "vexobj_s3_operations_total",
            (("operation", "GetObject"), ("status", "2xx")),
        ): 1,
        ("vexobj_request_duration_seconds_count", ()): 3,
        ("vexobj_request_duration_seconds_sum", ()): 9.0305,
        ("vexobj_build_info", (("version", "1.2.3"),)): 1,
    }
    buckets = {"0.001": 1, "0.01": 1, "0.05": 2, "0.1": 2, "0.5": 2, "1": 2, "5": 2, "+Inf": 3}
    for bound, count in buckets.items():
        expected["vexobj_request_duration_seconds_bucket", (("le", bound),)] = count
    assert {key: found[key] for key in expected} == expected
    assert found["vexobj_disk_free_bytes", ()] > 0


def test_an_observation_on_a_bound_is_within_it(tmp_path: Path, page: MetricsPage) -> None:
    RequestMetrics(page).answered("GET", 200, 0.01)
    assert value(tmp_path, "vexobj_request_duration_seconds_bucket", le="0.01") == 1
    assert value(tmp_path, "vexobj_request_duration_seconds_bucket", le="0.001") == 0


def test_processes_are_added_up_and_the_dead_keep_what_they_counted(
    tmp_path: Path, page: MetricsPage
) -> None:
    own = RequestMetrics(page)
    own.began()
    own.answered("PUT", 200, 0.2)
    with subprocess.Popen(
        [sys.executable, "-c", COUNT_IN_ANOTHER_PROCESS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "counted\n"
        assert value(tmp_path, "vexobj_requests_total") == 2
        assert value(tmp_path, "vexobj_requests_in_progress") == 2
        assert {each.pid for each in read_pages(tmp_path) if each.alive} == {os.getpid(), other.pid}
        other.kill()
        other.wait()
        assert value(tmp_path, "vexobj_requests_total") == 2
        assert value(tmp_path, "vexobj_bytes_uploaded_total") == 1000
        assert value(tmp_path, "vexobj_requests_in_progress") == 1
        assert [each.pid for each in read_pages(tmp_path) if each.alive] == [os.getpid()]


def test_processes_are_looked_at(tmp_path: Path, page: MetricsPage) -> None:
    page.count(families.REQUESTS)
    labels = {"role": "worker", "pid": str(os.getpid())}
    assert value(tmp_path, "vexobj_process_resident_memory_bytes", **labels) > 1_000_000
    assert value(tmp_path, "vexobj_process_cpu_seconds_total", **labels) > 0
    assert value(tmp_path, "vexobj_process_open_fds", **labels) > 3


def test_what_others_looked_up_goes_in_too(tmp_path: Path) -> None:
    extra = [Sample(families.CACHE_BYTES, 12, (("tier", 'odd "tier"\\\n'),))]
    found = samples(metrics_text(tmp_path, tmp_path, "1", extra))
    assert found["vexobj_cache_bytes", (("tier", 'odd "tier"\\\n'),)] == 12


def test_every_count_of_the_media_broker_is_told(tmp_path: Path) -> None:
    stats = {each.name: number for number, each in enumerate(fields(BrokerStats))}
    found = samples(metrics_text(tmp_path, tmp_path, "1", media_samples(stats)))
    assert found["vexobj_variants_computed_total", ()] == stats["computations"]
    assert found["vexobj_media_queue_length", ()] == stats["queue_length"]
    hits = ("vexobj_cache_requests_total", (("result", "hit"), ("tier", "disk")))
    assert found[hits] == stats["hits"]


def test_a_series_is_bound_once(page: MetricsPage) -> None:
    assert page.count(families.REQUESTS) is page.count(families.REQUESTS)
    labels = {"tier": "disk"}
    assert page.count(families.CACHE_BYTES, labels) is not page.count(families.CACHE_BYTES)
    assert page.histogram(families.REQUEST_DURATION) is page.histogram(families.REQUEST_DURATION)


def test_a_label_that_never_ends_is_an_error_rather_than_a_leak(page: MetricsPage) -> None:
    def bind_for_ever() -> None:
        for number in range(10_000):
            page.count(families.S3_OPERATIONS, {"operation": str(number)})

    with pytest.raises(ValueError, match="closed set"):
        bind_for_ever()


def test_counts_stay_readable_after_the_page_was_closed(tmp_path: Path, page: MetricsPage) -> None:
    page.count(families.REQUESTS).inc(5)
    page.close()
    assert value(tmp_path, "vexobj_requests_total") == 5
