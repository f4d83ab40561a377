"""Buckets, keys, identities and the server itself through the Python SDK."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest

from vexobj_sdk import (
    BucketSettings,
    Conflict,
    Forbidden,
    InvalidRequest,
    NewLifecycleRule,
    NotFound,
    Permissions,
    Unauthorized,
    VexObj,
)
from vexobj_server.testing import RunningServer


def test_buckets(client: VexObj) -> None:
    name = f"bucket-{secrets.token_hex(6)}"
    made = client.create_bucket(name)
    assert made.created_at.utcoffset() == timedelta(0)
    assert (made.public, made.versioning, made.settings.transforms) == (False, "off", "open")
    assert made == client.get_bucket(name)
    assert made in client.list_buckets()
    alias = f"{name}.example.com"
    settings = BucketSettings(transforms="off", host_aliases=[alias])
    changed = client.update_bucket(name, public=True, settings=settings)
    assert (changed.public, changed.settings) == (True, settings)
    assert client.update_bucket(name, public=False).settings == settings
    with pytest.raises(Conflict) as taken:
        client.create_bucket(name)
    assert taken.value.code == "BucketAlreadyExists"
    client.put_object(name, "key", b"")
    with pytest.raises(Conflict) as full:
        client.delete_bucket(name)
    assert full.value.code == "BucketNotEmpty"
    client.delete_object(name, "key")
    client.delete_bucket(name)
    with pytest.raises(NotFound) as gone:
        client.get_bucket(name)
    assert gone.value.code == "NoSuchBucket"


def test_scrub(client: VexObj) -> None:
    begun = client.start_scrub(dry_run=True)
    assert begun.current is not None
    assert begun.current.dry_run
    found = client.get_scrub(limit=1)
    assert (found.findings, found.findings_count, found.next) == ([], 0, None)
    assert not client.release_finding("00" * 16)


def test_backups(client: VexObj) -> None:
    made = client.create_backup()
    status = client.get_backups()
    assert status.backups[0] == made
    assert status.last is not None
    assert (status.last.name, status.failure) == (made.name, None)
    assert [key.inside for key in made.keys] == [False] * len(made.keys)
    client.start_backup()


def test_lifecycle(client: VexObj) -> None:
    name = client.create_bucket(f"bucket-{secrets.token_hex(6)}").name
    rule = client.create_lifecycle_rule(name, "logs/", 30)
    assert (rule.bucket, rule.prefix, rule.expire_days) == (name, "logs/", 30)
    assert client.list_lifecycle_rules(name) == [rule]
    at = datetime(2031, 1, 1, tzinfo=UTC)
    more = NewLifecycleRule(id="more", tags={"a": "b"}, expire_at=at, enabled=False)
    kept, made = client.set_lifecycle(name, [rule, more])
    assert kept == rule
    assert (made.id, made.tags, made.expire_at, made.enabled) == ("more", {"a": "b"}, at, False)
    client.delete_lifecycle_rule(rule.id)
    with pytest.raises(NotFound):
        client.delete_lifecycle_rule(rule.id)
    with pytest.raises(InvalidRequest):
        client.create_lifecycle_rule(name)
    assert not client.run_lifecycle().held
    client.delete_lifecycle_rule("more", bucket=name)
    client.delete_bucket(name)


def test_the_clock(client: VexObj) -> None:
    clock = client.get_clock()
    assert (clock.held, clock.wall_at) == (False, clock.believed_at)
    assert not client.accept_clock().held


@pytest.mark.parametrize("name", ["", "..", "A", "a/b", "no such bucket", "é"])
def test_no_bucket(client: VexObj, name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.create_bucket(name)
    assert caught.value.code == "InvalidBucketName"
    assert caught.value.reason is not None
    assert caught.value.reason in str(caught.value)
    for call in (client.get_bucket, client.delete_bucket, client.list_objects):
        with pytest.raises((NotFound, InvalidRequest)):
            call(name)


def test_keys(client: VexObj, server: RunningServer, bucket: str) -> None:
    other = client.create_bucket(f"other-{secrets.token_hex(6)}").name
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    created = client.create_api_key(
        "uploader", permissions=Permissions(delete=True), buckets=[bucket], expires_at=soon
    )
    assert created.secret not in repr(created)
    assert created.access_key_id == created.key.id
    assert created.key.permissions == Permissions(True, True, True, False)
    assert (created.key.buckets, created.key.expires_at) == ([bucket], soon)
    assert created.key.id in {key.id for key in client.list_api_keys()}
    with VexObj(server.url, f" {created.secret}\n") as limited:
        limited.put_object(bucket, "key", b"x")
        limited.delete_object(bucket, "key")
        for refused in (lambda: limited.put_object(other, "key", b"x"), limited.list_api_keys):
            with pytest.raises(Forbidden):
                refused()
        client.delete_api_key(created.key.id)
        with pytest.raises(Unauthorized) as revoked:
            limited.list_buckets()
    assert revoked.value.code == "InvalidApiKey"
    for key_id in (created.key.id, "", ".."):
        with pytest.raises(NotFound):
            client.delete_api_key(key_id)
    assert client.create_api_key("anywhere").key.buckets is None


def test_identities_bring_their_keys_along(client: VexObj, server: RunningServer) -> None:
    someone = client.create_identity("Someone", email="someone@example.com")
    assert someone in client.list_identities()
    pair = ("AKIA" + secrets.token_hex(8).upper(), secrets.token_hex(20))
    created = client.create_api_key(
        "moved", identity=someone.id, access_key_id=pair[0], secret_access_key=pair[1]
    )
    assert (created.access_key_id, created.secret, created.key.identity) == (*pair, someone.id)
    with VexObj(server.url, pair[1]) as moved:
        assert moved.create_bucket(f"moved-{secrets.token_hex(6)}").owner == someone.id
    with pytest.raises(InvalidRequest):
        client.create_identity("Someone", email="not an address")
    with pytest.raises(NotFound):
        client.create_api_key("nobody's", identity="nobody")


def test_no_key(server: RunningServer) -> None:
    with VexObj(server.url) as anonymous, pytest.raises(Unauthorized) as caught:
        anonymous.list_buckets()
    assert caught.value.code == "MissingAuthorization"
    assert caught.value.request_id
    with VexObj(server.url, "wrong") as wrong, pytest.raises(Unauthorized):
        wrong.list_buckets()


def test_the_server(client: VexObj, bucket: str) -> None:
    client.put_object(bucket, "key", b"12345")
    stats = client.stats()
    usage = next(each for each in stats.bucket_details if each.name == bucket)
    assert (usage.objects, usage.size) == (1, 5)
    assert stats.total_objects >= 1
    assert stats.disk_usage > 0
    client.put_object(bucket, "large", bytes(200_000))
    client.delete_object(bucket, "large")
    report = client.gc()
    assert report.waiting >= 1
    assert report.due_at is not None
    assert report.due_at > datetime.now(UTC)
    health = client.health()
    assert (health.status, health.service) == ("ok", "vexobj")
    assert "avif" in health.capabilities["image_formats"]


def test_webhooks(client: VexObj, bucket: str) -> None:
    made = client.create_webhook("http://127.0.0.1:9/", bucket=bucket, events=["object.*"])
    assert made.secret not in repr(made)
    hook = made.webhook
    try:
        assert client.get_webhook(hook.id) == hook
        assert hook.id in [each.id for each in client.list_webhooks()]
        assert client.update_webhook(hook.id, enabled=False).enabled is False
        changed = client.update_webhook(hook.id, bucket=None, prefix="a")
        assert (changed.bucket, changed.prefix, changed.enabled) == (None, "a", False)
        told = client.test_webhook(hook.id)
        assert (told.delivered, told.status) == (False, None)
        assert told.error is not None
        assert client.list_deliveries(hook.id, state="dead") == []
        assert client.replay_deliveries(hook.id) == 0
        assert client.delete_deliveries(hook.id) == 0
        with pytest.raises(NotFound):
            client.replay_deliveries(hook.id, 1)
    finally:
        client.delete_webhook(hook.id)


def test_deliveries(client: VexObj, bucket: str) -> None:
    """What the server says of them is read; who is told of them is not there."""
    hook = client.create_webhook("http://127.0.0.1:9/", bucket=bucket).webhook
    try:
        client.put_object(bucket, "a", b"1")
        while not (found := client.list_deliveries(hook.id)):
            pass
        (delivery,) = found
        assert (delivery.event, delivery.state) == ("object.created", "waiting")
        assert delivery.data["key"] == "a"
        assert client.delete_deliveries(hook.id, delivery.number) == 1
    finally:
        client.delete_webhook(hook.id)


def test_the_audit_log(client: VexObj, bucket: str) -> None:
    client.put_object(bucket, "a", b"1")
    (entry,) = client.list_audit_entries(resource=f"{bucket}/a", action="object.")
    assert (entry.action, entry.resource) == ("object.create", f"{bucket}/a")
    assert client.list_audit_entries(resource=bucket, until=entry.timestamp, limit=5)
    assert client.list_audit_entries(resource=f"{bucket}/a", since=entry.timestamp) == [entry]
