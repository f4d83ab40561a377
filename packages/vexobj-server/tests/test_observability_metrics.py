"""Counting across processes, and the text that Prometheus reads, checked by its own parser."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from vexobj_server.media.protocol import BrokerStats
from vexobj_server.observability import families
from vexobj_server.observability.exposition import exposition
from vexobj_server.observability.families import FAMILIES
from vexobj_server.observability.garbage import GarbageMetrics
from vexobj_server.observability.lookups import Sample, bucket_samples
from vexobj_server.observability.metrics import RequestMetrics
from vexobj_server.observability.page import MetricsPage, read_pages
from vexobj_server.observability.variants import BrokerMetrics, CacheMetrics
from vexobj_storage import ObjectAttributes, ObjectStore, StoreConfig

COUNT_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from vexobj_server.observability.metrics import RequestMetrics
from vexobj_server.observability.page import MetricsPage

metrics = RequestMetrics(MetricsPage(Path(sys.argv[1]), "worker"))
metrics.began()
metrics.answered("PUT", 200, 0.2)
metrics.uploaded()
metrics.received(1000)
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[MetricsPage]:
    made = MetricsPage(tmp_path, "worker")
    yield made
    with contextlib.suppress(ValueError):  # a test may have closed it
        made.close()


OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def metrics_text(directory: Path, extra: list[Sample] | None = None) -> bytes:
    text, content_type = exposition("", directory, directory, "1.2.3", extra or [])
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    return text


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(directory: Path, name: str, **labels: str) -> float:
    return samples(metrics_text(directory))[name, tuple(sorted(labels.items()))]


def test_names_and_buckets_that_dashboards_know(tmp_path: Path, page: MetricsPage) -> None:
    metrics = RequestMetrics(page)
    metrics.answered("GET", 206, 0.03)
    metrics.answered("GET", 404, 0.0005)
    metrics.answered("PROPFIND", 599, 9)
    metrics.s3_operation("GetObject", 206)
    metrics.downloaded(4096)
    found = samples(metrics_text(tmp_path))
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
            (("code", "206"), ("operation", "GetObject")),
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
    found = samples(metrics_text(tmp_path, extra))
    assert found["vexobj_cache_bytes", (("tier", 'odd "tier"\\\n'),)] == 12


def test_every_count_of_the_media_broker_is_told(tmp_path: Path, page: MetricsPage) -> None:
    stats = {each.name: number for number, each in enumerate(fields(BrokerStats), 1)}
    for looked_up_by_workers in ("hits", "misses"):
        del stats[looked_up_by_workers]
    broker = BrokerMetrics(page)
    broker.stand(**stats)
    broker.computed(0.3)
    found = samples(metrics_text(tmp_path))
    assert found["vexobj_variants_computed_total", ()] == stats["computations"]
    assert found["vexobj_media_queue_length", ()] == stats["queue_length"]
    busy = ("vexobj_variants_failed_total", (("reason", "busy"),))
    assert found[busy] == stats["rejections"]
    evictions = ("vexobj_cache_evictions_total", (("tier", "disk"),))
    assert found[evictions] == stats["cache_evictions"]
    assert found["vexobj_variant_duration_seconds_bucket", (("le", "0.25"),)] == 0
    assert found["vexobj_variant_duration_seconds_bucket", (("le", "0.5"),)] == 1


def test_a_workers_memory_and_its_looks_at_the_disk_are_told(
    tmp_path: Path, page: MetricsPage
) -> None:
    cache = CacheMetrics(page)
    cache.looked_up("memory", hit=False)
    cache.looked_up("disk", hit=True)
    cache.stand(size=100, entries=2, evictions=3, joined=4)
    GarbageMetrics(page).collected(5, 600)
    get = partial(value, tmp_path)
    assert get("vexobj_cache_requests_total", tier="memory", result="miss") == 1
    assert get("vexobj_cache_requests_total", tier="disk", result="hit") == 1
    assert get("vexobj_cache_bytes", tier="memory") == 100
    assert get("vexobj_cache_entries", tier="memory") == 2
    assert get("vexobj_cache_evictions_total", tier="memory") == 3
    assert get("vexobj_variants_joined_total") == 4
    assert get("vexobj_gc_runs_total") == 1
    assert get("vexobj_gc_blobs_removed_total") == 5
    assert get("vexobj_gc_bytes_freed_total") == 600


async def test_buckets_are_told_with_what_they_hold(tmp_path: Path) -> None:
    store = await ObjectStore.open(StoreConfig(data_dir=tmp_path))
    try:
        for name in ("empty", "full"):
            await store.create_bucket(name, "o" * 64)
        full = await store.bucket("full")
        attributes = ObjectAttributes(owner_id="o" * 64)
        await store.put_object(full, b"key", store.stage_bytes(b"12345"), attributes)
        found = samples(metrics_text(tmp_path, await bucket_samples(store)))
    finally:
        await store.close()
    assert found["vexobj_buckets", ()] == 2
    assert found["vexobj_bucket_objects", (("bucket", "full"),)] == 1
    assert found["vexobj_bucket_bytes", (("bucket", "full"),)] == 5
    assert found["vexobj_bucket_bytes", (("bucket", "empty"),)] == 0


def test_openmetrics_is_told_to_who_asks_for_it(tmp_path: Path, page: MetricsPage) -> None:
    RequestMetrics(page).answered("GET", 200, 0.03)
    text, content_type = exposition(OPENMETRICS, tmp_path, tmp_path, "1.2.3")
    assert content_type.startswith("application/openmetrics-text")
    parse: Any = openmetrics.text_string_to_metric_families
    told = {each.name for each in parse(text.decode())}
    assert {"vexobj_requests", "vexobj_request_duration_seconds"} <= told


def test_every_label_that_is_counted_by_is_declared(tmp_path: Path, page: MetricsPage) -> None:
    RequestMetrics(page).s3_operation("GetObject", 200)
    CacheMetrics(page)
    BrokerMetrics(page)
    for read in read_pages(tmp_path):
        for series in read.values:
            declared = FAMILIES[series.family].labels
            assert tuple(name for name, _ in series.labels) == declared, series


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


def test_a_process_that_got_the_number_of_an_ended_one_does_not_take_its_counts(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        page = MetricsPage(tmp_path, "worker")
        page.count(families.REQUESTS).inc()
        page.close()
    told = [value for page in read_pages(tmp_path) for value in page.values.values()]
    assert told == [1, 1]


def test_a_name_whose_writer_was_killed_over_it_is_left_out(
    tmp_path: Path, page: MetricsPage
) -> None:
    page.count(families.REQUESTS).inc()
    (names,) = tmp_path.glob("*.names")
    with names.open("a") as file:
        file.write('["vexobj_half')
    (told,) = read_pages(tmp_path)
    assert list(told.values.values()) == [1]
