"""vexobjctl for tests: run as a user runs it, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("vexobjctl")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        return [line.split() for line in self.out.splitlines()]


@dataclass(frozen=True)
class Program:
    """The command in `folder`, with `environment` and nothing of the caller's own settings."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def env(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if "VEXOBJ" not in name}
        return {**inherited, **self.environment}

    def __call__(
        self, *arguments: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> Done:
        done = subprocess.run(  # noqa: S603 - a program and arguments that the test chose
            [PROGRAM, *arguments],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        assert "Traceback" not in err, err
        return Done(done.returncode, out, err)
