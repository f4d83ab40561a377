"""Each command of vexobjctl, for people and for scripts."""

import re
import secrets
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vexobj_cli.testing import PROGRAM, Program
from vexobj_sdk import NewLifecycleRule, VexObj
from vexobj_server.testing import RunningServer


def test_it_explains_itself(run: Program) -> None:
    shown = run("--help")
    assert shown.code == 0
    words = "bucket object key identity quota lifecycle stats usage gc health VEXOBJ_URL"
    for word in words.split():
        assert word in shown.out
    assert run("--version").out.startswith("vexobjctl ")
    assert run("bucket", "destroy").code == 2


def test_buckets(run: Program) -> None:
    name = f"bucket-{secrets.token_hex(6)}"
    assert run("bucket", "create", name, "--public").out == f"created {name}\n"
    header, *rows = run("bucket", "list").rows
    assert header == ["NAME", "PUBLIC", "VERSIONING", "CREATED"]
    assert [row[:3] for row in rows if row[0] == name] == [[name, "yes", "off"]]
    assert run("bucket", "hide", name).out == f"{name} is private\n"
    assert run("--json", "bucket", "publish", name).json["public"] is True
    found = next(each for each in run("--json", "bucket", "list").json if each["name"] == name)
    assert datetime.fromisoformat(found["created_at"]).tzinfo is not None
    assert run("bucket", "delete", name).out == f"deleted {name}\n"
    gone = run("bucket", "delete", name)
    assert (gone.code, gone.out, gone.err) == (1, "", "vexobjctl: bucket not found\n")


def test_lifecycle(run: Program, bucket: str, client: VexObj) -> None:
    made = run("--json", "lifecycle", "create", bucket, "--prefix", "tmp/", "--expire-days", "3")
    assert (made.json["prefix"], made.json["expire_days"]) == ("tmp/", 3)
    header, line = run("lifecycle", "list", bucket).out.splitlines()
    assert header.split() == ["ID", "ENABLED", "OBJECTS", "THEN"]
    assert line.split() == [made.json["id"], "yes", "tmp/*", *["expire", "after", "3", "days"]]
    assert run("--json", "lifecycle", "list", bucket).json == [made.json]
    assert run("lifecycle", "delete", made.json["id"]).out == f"deleted {made.json['id']}\n"
    gone = run("lifecycle", "delete", made.json["id"])
    assert (gone.code, gone.err) == (1, "vexobjctl: lifecycle rule not found\n")
    nothing = run("lifecycle", "create", bucket)
    assert nothing.code == 1
    assert nothing.err.startswith("vexobjctl: invalid lifecycle rule")
    client.put_object(bucket, "old", b"12345")
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    client.create_lifecycle_rule(bucket, rule=NewLifecycleRule(expire_at=long_ago))
    done = run("lifecycle", "run")
    assert done.out.startswith("1 objects expired; 0 noncurrent versions, ")
    assert run("--json", "lifecycle", "run").json["objects_expired"] == 0


def test_versions(run: Program, bucket: str, client: VexObj) -> None:
    assert run("bucket", "versioning", bucket).out == f"versioning of {bucket} is off\n"
    enabled = run("bucket", "versioning", bucket, "enabled")
    assert enabled.out == f"versioning of {bucket} is enabled\n"
    for body in (b"one", b"second"):
        client.put_object(bucket, "k", body)
    assert run("object", "delete", bucket, "k").out == "deleted k\n"
    header, *rows = run("version", "list", bucket, "k").rows
    assert header[:3] == ["VERSION", "SIZE", "WRITTEN"]
    assert rows[0][-2:] == ["delete", "marker"]
    marker, second, first = run("--json", "version", "list", bucket, "k").json
    assert [row[0] for row in rows] == [each["version_id"] for each in (marker, second, first)]
    oldest = ("--version-id", first["version_id"])
    assert run("object", "get", bucket, "k", *oldest).out == "one"
    assert run("--json", "object", "head", bucket, "k", *oldest).json["content-length"] == "3"
    run("object", "delete", bucket, "k", "--version-id", marker["version_id"])
    assert run("object", "get", bucket, "k").out == "second"
    assert run("version", "purge", bucket, "k").out == "purged k: 2 versions, 9 B\n"
    assert run("--json", "version", "list", bucket, "k").json == []
    assert run("bucket", "versioning", bucket, "off").code == 2


def test_locks(run: Program, client: VexObj) -> None:
    bucket = f"locked-{secrets.token_hex(6)}"
    assert run("--json", "bucket", "create", bucket, "--object-lock").json["object_lock"] == {
        "default_retention": None
    }
    client.put_object(bucket, "k", b"kept")
    assert run("lock", "show", bucket, "k").rows[1] == ["no"]
    held = run("lock", "set", bucket, "k", "--legal-hold", "--retain-until", "2090-01-02")
    until = datetime(2090, 1, 2, tzinfo=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert held.rows[1] == ["yes", *until.split(), "governance"]
    kept = run("version", "purge", bucket, "k", "--bypass-governance")
    assert (kept.code, kept.err.splitlines()[0][:27]) == (1, "vexobjctl: object is locked")
    assert run("lock", "release", bucket, "k").out == "released k\n"
    assert run("--json", "lock", "show", bucket, "k").json["legal_hold"] is False
    assert run("lock", "set", bucket, "k").err.startswith("vexobjctl: retention cannot be")
    assert run("lock", "set", bucket, "k", "--bypass-governance").rows[1] == ["no"]
    assert run("version", "purge", bucket, "k").code == 0


def test_the_clock(run: Program) -> None:
    assert run("clock", "show").out.endswith(", and is believed\n")
    assert run("--json", "clock", "accept").json["held"] is False


@pytest.mark.parametrize("key", ["plain.txt", "--[red] a+b/../c//é-\U0001f98a"])
def test_an_object_there_and_back(run: Program, bucket: str, key: str, tmp_path: Path) -> None:
    content = secrets.token_bytes(100_000)
    (tmp_path / "in").write_bytes(content)
    arguments = (bucket, "--", key)
    assert run("object", "put", *arguments, "in").out.startswith(f"stored {key}: 97.7 KiB, ")
    assert run("object", "get", *arguments, "out").out == ""
    assert (tmp_path / "out").read_bytes() == content
    assert key in run("object", "list", bucket).out
    assert run("--json", "object", "list", bucket).json[0]["key"] == key
    assert run("--json", "object", "head", *arguments).json["content-length"] == "100000"
    assert ["content-length", "100000"] in run("object", "head", *arguments).rows
    assert run("object", "delete", *arguments).out == f"deleted {key}\n"
    assert run("object", "delete", *arguments).err == "vexobjctl: object not found\n"
    assert run("--json", "object", "list", bucket).json == []


def test_pipes(run: Program, bucket: str) -> None:
    put = run("--json", "object", "put", bucket, "k", "-", "--content-type", "text/x", stdin=b"in")
    assert (put.json["size"], put.json["content_type"]) == (2, "text/x")
    assert run("object", "get", bucket, "k").out == "in"


def test_a_long_list(run: Program, bucket: str, client: VexObj) -> None:
    keys = [f"{'long/' * 40}{number:04}" for number in range(1003)]
    for key in keys:
        client.put_object(bucket, key, b"")
    header, *rows = run("object", "list", bucket).rows
    assert header == ["KEY", "SIZE", "TYPE", "UPDATED"]
    assert [row[0] for row in rows] == keys, "no key is cut, wrapped or left out"
    assert [each["key"] for each in run("--json", "object", "list", bucket).json] == keys
    assert len(run("--json", "object", "list", bucket, "--prefix", keys[0][:-1]).json) == 10
    head = subprocess.run(
        f"{PROGRAM} object list {bucket} | head -n 1", shell=True, env=run.env,
        capture_output=True, check=True,
    )  # fmt: skip
    assert head.stdout.startswith(b"KEY ")
    assert b"Traceback" not in head.stderr


def test_a_key_cannot_steer_the_terminal(run: Program, bucket: str, client: VexObj) -> None:
    key = "\x1b[2Jgone\nnew line"
    client.put_object(bucket, key, b"")
    shown = run("object", "list", bucket).out
    assert "\\x1b[2Jgone\\nnew line" in shown
    assert "\x1b" not in shown
    assert run("--json", "object", "list", bucket).json[0]["key"] == key


def test_a_key_keeps_to_its_buckets(run: Program, bucket: str, client: VexObj) -> None:
    other = client.create_bucket(f"other-{secrets.token_hex(6)}").name
    shown = run("key", "create", "phone", "--read", "--write", "--bucket", bucket).out
    found = re.search(r"access key id: +(\S+)\nsecret \(= token\): +(\S+)", shown)
    assert found
    key_id, secret = found.groups()
    assert run("object", "put", bucket, "k", "-", env={"VEXOBJ_KEY": secret}).code == 0
    refused = run("object", "put", other, "k", "-", env={"VEXOBJ_KEY": secret})
    assert refused.code == 1
    assert refused.err == (
        f"vexobjctl: forbidden: key does not have access to bucket '{other}'\n"
        "The key lacks the permission, or its scope leaves this bucket out.\n"
    )
    assert run("object", "delete", bucket, "k", env={"VEXOBJ_KEY": secret}).code == 1
    listed = next(line for line in run("key", "list").out.splitlines() if key_id in line)
    assert "read, write" in listed
    assert bucket in listed
    assert run("key", "delete", key_id).out == f"deleted {key_id}\n"
    revoked = run("object", "list", bucket, env={"VEXOBJ_KEY": secret})
    assert (revoked.code, revoked.err.splitlines()[0]) == (1, "vexobjctl: invalid api key")


def test_keys_for_scripts(run: Program, bucket: str, client: VexObj) -> None:
    other = client.create_bucket(f"other-{secrets.token_hex(6)}").name
    someone = run("--json", "identity", "create", "Someone", "--email", "s@example.com").json
    made = run(
        "--json", "key", "create", "both", "--bucket", bucket, "--bucket", other,
        "--identity", someone["id"],
    ).json  # fmt: skip
    assert made["key"]["buckets"] == sorted([bucket, other])
    assert made["key"]["identity"] == someone["id"]
    assert made["key"]["permissions"] == {
        "read": True, "write": True, "delete": False, "admin": False
    }  # fmt: skip
    assert made["key"] in run("--json", "key", "list").json
    assert someone in run("--json", "identity", "list").json
    assert someone["id"] in run("identity", "list").out


def test_the_server(run: Program, bucket: str, client: VexObj, server: RunningServer) -> None:
    client.put_object(bucket, "k", bytes(300_000))
    assert [bucket, "1", "293.0", "KiB"] in run("stats").rows
    assert run("--json", "stats").json["total_size"] >= 300_000
    client.delete_object(bucket, "k")
    assert re.match(r"freed \d.*\n.* wait for their grace to end", run("gc").out)
    assert run("--json", "gc").json["waiting"] >= 1
    assert re.fullmatch(r"vexobj \S+: ok\n", run("health", env={"VEXOBJ_KEY": ""}).out)
    assert (
        run("--url", server.url, "--json", "health", env={"VEXOBJ_URL": "x"}).json["status"] == "ok"
    )


def test_backups(run: Program, bucket: str, client: VexObj) -> None:
    client.put_object(bucket, "k", b"x" * 100_000)
    made = run("backup")
    assert made.code == 0
    assert " blobs (" in made.out
    assert "server-secret" in made.out
    assert run("--json", "backup").json["blobs_copied"] == 0
    header, *rows = run("backups").rows
    assert header == ["NAME", "FINISHED", "SIZE", "DAMAGED"]
    assert [row[0] for row in rows] == [each.name for each in client.get_backups().backups]
    assert run("--json", "backups").json["failure"] is None
    assert run("backup", "--no-wait").out == "a backup is being made\n"


def test_scrub(run: Program) -> None:
    assert "findings stand" in run("scrub", "status").out
    assert "a dry run, " in run("scrub", "start", "--dry-run").out
    assert run("--json", "scrub", "start", "--dry-run").json["current"]["dry_run"]
    listed = run("scrub", "findings")
    assert (listed.code, listed.rows) == (
        0,
        [["BLOB", "DAMAGE", "SIZE", "BUCKET", "KEY", "VERSION"]],
    )
    kept = run("scrub", "release", "00" * 16)
    assert (kept.code, kept.out) == (1, "it is still damaged\n")


def test_readme(run: Program, server: RunningServer, tmp_path: Path) -> None:
    """Its commands do what it says, from an empty folder."""
    text = (Path(__file__).parents[1] / "README.md").read_text()
    (example,) = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    example = example.replace("http://127.0.0.1:8000", server.url)
    example = example.replace("vex_...", server.secret_access_key)
    (tmp_path / "fox.jpg").write_bytes(b"a photo")
    done = subprocess.run(
        ["bash", "-euc", example], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=run.env | {"PATH": f"{PROGRAM.parent}:{run.env['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "created photos" in done.stdout
    assert '"total_objects"' in done.stdout


def test_quotas(run: Program, bucket: str) -> None:
    header, used, objects = run("quota", "set", bucket, "--max-bytes", "2048").rows
    assert header == ["OF", "USED", "ALLOWED", "DEFAULT"]
    assert used == ["bytes", "0", "B", "2.0", "KiB", "no"]
    assert objects == ["objects", "0", "any", "no"]
    refused = run("object", "put", bucket, "key", "-", stdin=b"x" * 3000)
    told = "vexobjctl: quota exceeded: the bucket may hold 2048 bytes\n"
    assert (refused.code, refused.err) == (1, told)
    assert run("--json", "quota", "show", bucket).json["max_bytes"] == 2048
    assert run("--json", "quota", "reset", bucket).json["is_default"] is True


def test_usage_explains_the_disk(run: Program, bucket: str) -> None:
    run("object", "put", bucket, "key", "-", stdin=b"x" * 2048)
    shown = run("usage").out
    assert re.search(rf"^{bucket} +2\.0 KiB +0 B +0 B$", shown, re.MULTILINE)
    assert "free on its disk" in shown
    assert run("--json", "usage").json["inline_bytes"] >= 2048


def test_webhooks(run: Program, bucket: str) -> None:
    options = ("--event", "object.*", "--event", "quota.*", "--bucket", bucket, "--prefix", "a/")
    made = run("--json", "webhooks", "create", "http://127.0.0.1:9/", *options).json
    hook = made["webhook"]["id"]
    assert made["webhook"]["events"] == ["object.*", "quota.*"]
    assert made["secret"].startswith("whsec_")
    _, *lines = run("webhooks", "list").out.splitlines()
    (line,) = [each for each in lines if each.startswith(hook)]
    assert f"{bucket}/a/*" in line
    assert run("webhooks", "disable", hook).out == f"disabled {hook}\n"
    assert run("webhooks", "enable", hook).out == f"enabled {hook}\n"
    tested = run("webhooks", "test", hook)
    assert tested.code == 1
    assert tested.out == (
        "not delivered: the host's address is not a public one, and not allowed\n"
    )
    assert run("webhooks", "deliveries", hook, "--state", "dead").code == 0
    assert run("--json", "webhooks", "deliveries", hook).json == []
    assert run("webhooks", "replay", hook).out == "0 will be sent again\n"
    assert run("webhooks", "discard", hook).out == "0 forgotten\n"
    assert run("webhooks", "replay", hook, "--number", "7").err == (
        "vexobjctl: delivery not found\n"
    )
    assert run("webhooks", "delete", hook).out == f"deleted {hook}\n"
    shown = run("webhooks", "create", "http://127.0.0.1:9/").out.splitlines()
    assert [each.split()[0] for each in shown] == ["created", "secret", "Store"]
    run("webhooks", "delete", shown[0].split()[1])


def test_the_audit_log(run: Program, bucket: str, client: VexObj) -> None:
    client.put_object(bucket, "key", b"1")
    header, line = run("audit", "--resource", f"{bucket}/key").out.splitlines()
    assert header.split() == ["WHEN", "ACTION", "RESOURCE", "KEY", "ADDRESS"]
    assert line.split()[-4:] == ["object.create", f"{bucket}/key", "root", "127.0.0.1"]
    (entry,) = run("--json", "audit", "--resource", bucket, "--limit", "1").json
    assert run("--json", "audit", "--request-id", entry["request_id"]).json == [entry]
