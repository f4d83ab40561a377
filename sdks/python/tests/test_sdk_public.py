"""What the Python SDK promises: its names, and that they cover the contract."""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import vexobj_sdk
from vexobj_sdk import VexObj
from vexobj_server.testing import RunningServer

ROOT = Path(__file__).parents[3]
CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text())

ELSEWHERE = {
    "livez", "readyz", "metrics", "docs", "openapi_yaml", "openapi_json",  # for machines
}  # fmt: skip
CALLED = {"run_gc": "gc"}
NAMED = {
    "BackupInfo": "Backup",
    "BucketInfo": "Bucket",
    "IdentityInfo": "Identity",
    "KeyPermissions": "Permissions",
    "AuditEntryInfo": "AuditEntry",
    "LifecycleRuleInfo": "LifecycleRule",
    "LockInfo": "ObjectLock",
    "FindingInfo": "Finding",
    "FindingPlaceInfo": "FindingPlace",
    "ScrubInfo": "Scrub",
    "ScrubPassInfo": "ScrubPass",
    "VersionInfo": "ObjectVersion",
    "WebhookInfo": "Webhook",
    "DeliveryInfo": "Delivery",
}
SCHEMAS = [
    "ApiKey", "BucketInfo", "BucketQuota", "BucketSettings", "BucketStats", "CreatedApiKey",
    "GcResult", "Health", "IdentityInfo", "KeyPermissions", "ObjectList", "ObjectMeta", "Stats",
    "ClockInfo", "LifecycleRuleInfo", "LifecycleRun", "NewLifecycleRule", "BucketVersioning",
    "AuditEntryInfo", "LockInfo", "PurgeResult", "Usage", "VersionInfo", "VersionList",
    "CreatedWebhook", "DeliveryInfo", "WebhookInfo", "WebhookTest",
    "BackupInfo", "BackupStatus",
    "FindingInfo", "FindingPlaceInfo", "ScrubInfo", "ScrubPassInfo",
]  # fmt: skip
IDIOM = {"bucket_access": "buckets"}
FOR_PEOPLE = {"warning", "size_human", "total_size_human", "disk_usage_human"}


def test_all() -> None:
    assert vexobj_sdk.__all__ == [
        "ApiKey", "AuditEntry", "Backup", "BackupStatus", "Body", "Bucket", "BucketObjectLock",
        "BucketQuota", "BucketRetention", "BucketSettings", "BucketStats", "BucketVersioning",
        "ClockInfo", "Conflict", "ConnectionFailed", "CreatedApiKey", "CreatedWebhook", "Delivery",
        "Download", "Finding", "FindingPlace", "Forbidden", "GcResult", "Health", "Identity",
        "InvalidRequest", "LifecycleRule", "LifecycleRun", "NewLifecycleRule", "NotFound",
        "ObjectList", "ObjectLock", "ObjectMeta", "ObjectVersion", "Permissions", "PurgeResult",
        "Scrub", "ScrubPass", "ServerError", "Stats", "Throttled", "Transform", "Unauthorized",
        "UnexpectedAnswer", "Usage", "VersionList", "VexObj", "VexObjError", "Webhook",
        "WebhookTest",
    ]  # fmt: skip
    assert all(hasattr(vexobj_sdk, name) for name in vexobj_sdk.__all__)


def test_every_operation_has_a_method() -> None:
    operations = {
        operation["operationId"]
        for path in CONTRACT["paths"].values()
        for operation in path.values()
    } - ELSEWHERE
    methods = {name for name, _ in inspect.getmembers(VexObj, callable)}
    assert {CALLED.get(name, name.removesuffix("_by_key")) for name in operations} <= methods


def test_names_that_scripts_rely_on() -> None:
    assert callable(VexObj.get_image)
    assert callable(VexObj.image_url)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_field_is_there(schema: str) -> None:
    contract = CONTRACT["components"]["schemas"][schema]["properties"].keys() - FOR_PEOPLE
    model = getattr(vexobj_sdk, NAMED.get(schema, schema))
    fields = {field.name for field in dataclasses.fields(model)}
    assert fields == {IDIOM.get(name, name) for name in contract}


def test_readme(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The example does with a server what it says."""
    text = (ROOT / "sdks/python/README.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    example = example.replace("http://127.0.0.1:8000", server.url)
    exec(example.replace("vex_...", server.secret_access_key), {})
    shown = capsys.readouterr().out.splitlines()
    address = f"{server.url}/v1/object/photos?key=fox.jpg&w=300&format=auto"
    assert shown == [address, "b'hello'"]
