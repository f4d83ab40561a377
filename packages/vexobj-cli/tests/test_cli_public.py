"""What scripts rely on: the commands' names. And how output is laid out."""

import pytest
import typer
from typer.core import TyperGroup

import vexobj_cli
from vexobj_cli.main import app
from vexobj_cli.output import human_size, show_json, show_table


def test_all() -> None:
    assert vexobj_cli.__all__ == []


def test_commands() -> None:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    names = set()
    for name, command in root.commands.items():
        below = command.commands if isinstance(command, TyperGroup) else {"": None}
        names |= {f"{name} {each}".strip() for each in below}
    assert names == {
        "bucket list", "bucket create", "bucket publish", "bucket hide", "bucket delete",
        "bucket versioning", "version list", "version purge", "lock show", "lock set",
        "lock release",
        "object list", "object put", "object get", "object head", "object delete",
        "key list", "key create", "key delete", "identity list", "identity create",
        "lifecycle list", "lifecycle create", "lifecycle delete", "lifecycle run",
        "clock show", "clock accept", "quota show", "quota set", "quota reset", "usage", "stats",
        "gc", "health", "audit", "webhooks list", "webhooks create", "webhooks delete",
        "webhooks enable", "webhooks disable", "webhooks test", "webhooks deliveries",
        "webhooks replay", "webhooks discard", "scrub status", "scrub start", "scrub findings",
        "scrub release", "backup", "backups",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 * 1024**3, "1.5 TiB"),
     (5000 * 1024**5, "5000.0 PiB")],
)  # fmt: skip
def test_sizes(size: int, shown: str) -> None:
    assert human_size(size) == shown


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("A", "B"), [("狐狸", True), ("fox", None), ("x", False)])
    assert capsys.readouterr().out == "A     B\n狐狸  yes\nfox\nx     no\n"


def test_iterators_are_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    for values in ([], [1], [{"a": (1, "é")}, 2]):
        show_json(values)
        whole = capsys.readouterr().out
        show_json(iter(values))
        assert "".join(capsys.readouterr().out.split()) == "".join(whole.split())
