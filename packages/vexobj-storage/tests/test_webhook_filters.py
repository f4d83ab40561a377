"""Which events a webhook is told of."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from vexobj_storage import Webhook

_ANY = Webhook("one", "https://example.com/", ("*",), datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("filters", "kind", "data", "wanted"),
    [
        ({}, "object.created", {"bucket": "b", "key": "k"}, True),
        ({"events": ("object.*",)}, "object.version.deleted", {"key": "k"}, True),
        ({"events": ("object.*",)}, "quota.threshold_crossed", {"bucket": "b"}, False),
        ({"events": ("*.deleted", "x")}, "object.created", {"key": "k"}, False),
        ({"events": ("object.created",)}, "objectXcreated", {"key": "k"}, False),
        ({"events": ()}, "object.created", {"key": "k"}, False),
        ({"bucket": "b"}, "object.created", {"bucket": "b", "key": "k"}, True),
        ({"bucket": "b"}, "object.created", {"bucket": "bb", "key": "k"}, False),
        ({"prefix": "a/"}, "object.created", {"bucket": "b", "key": "a/1"}, True),
        ({"prefix": "a/"}, "object.created", {"bucket": "b", "key": "b/1"}, False),
        ({"prefix": "a/"}, "quota.threshold_crossed", {"bucket": "b"}, False),
    ],
)
def test_what_a_webhook_wants(
    filters: Mapping[str, Any], kind: str, data: Mapping[str, Any], wanted: bool
) -> None:
    assert replace(_ANY, **filters).wants(kind, data) is wanted
