"""Files that vexobjctl reads and writes, and the memory it takes."""

import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

from vexobj_cli.testing import PROGRAM, Program
from vexobj_sdk import VexObj

MIB = 1024**2
MEASURED = """
import pathlib, sys
from vexobj_cli.main import main
try:
    main()
finally:
    print(pathlib.Path("/proc/self/status").read_text(), file=sys.stderr)
"""


def peak_bytes(run: Program, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments], cwd=run.folder, env=run.env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.search(r"VmHWM:\s+(\d+) kB", done.stderr)
    assert found
    return int(found.group(1)) * 1024


def test_memory_does_not_grow_with_the_object(run: Program, bucket: str, tmp_path: Path) -> None:
    for name, size in (("small", 1), ("large", 256 * MIB)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    small_put = peak_bytes(run, "object", "put", bucket, "small", "small")
    small_get = peak_bytes(run, "object", "get", bucket, "small", "out")
    assert peak_bytes(run, "object", "put", bucket, "large", "large") - small_put < 16 * MIB
    assert peak_bytes(run, "object", "get", bucket, "large", "out") - small_get < 16 * MIB
    assert (tmp_path / "out").stat().st_size == 256 * MIB


def test_the_file_is_as_any_other(
    run: Program, bucket: str, client: VexObj, tmp_path: Path
) -> None:
    client.put_object(bucket, "k", b"new")
    mask = os.umask(0)
    os.umask(mask)
    run("object", "get", bucket, "k", "fresh")
    assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o666 & ~mask
    (tmp_path / "script").write_bytes(b"old")
    (tmp_path / "script").chmod(0o750)
    (tmp_path / "link").symlink_to("script")
    run("object", "get", bucket, "k", "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "script").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "script").stat().st_mode) == 0o750
    assert {path.name for path in tmp_path.iterdir()} == {"fresh", "script", "link"}


def test_a_pipe_is_written_and_stays(
    run: Program, bucket: str, client: VexObj, tmp_path: Path
) -> None:
    client.put_object(bucket, "k", b"through the pipe")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    assert run("object", "get", bucket, "k", "pipe").code == 0
    reader.join()
    assert received == [b"through the pipe"]
    assert pipe.is_fifo()


def test_a_bar_is_shown_on_a_terminal(
    run: Program, bucket: str, client: VexObj, tmp_path: Path
) -> None:
    client.put_object(bucket, "[red]", bytes(MIB))
    master, slave = os.openpty()
    done = subprocess.run(
        [PROGRAM, "object", "get", bucket, "[red]", "out"], cwd=tmp_path,
        env=run.env | {"TERM": "xterm"}, stdout=subprocess.PIPE, stderr=slave, check=True,
    )  # fmt: skip
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert "get [red]" in shown
    assert done.stdout == b""
