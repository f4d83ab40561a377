"""The connection that every command shares, and how its failures are told."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from vexobj_sdk import ConnectionFailed, Forbidden, Unauthorized, VexObj, VexObjError

_ADVICE: dict[type[VexObjError], str] = {
    ConnectionFailed: "Is the server running, and is --url (or VEXOBJ_URL) right?",
    Unauthorized: "Give a key by --key or VEXOBJ_KEY.",
    Forbidden: "The key lacks the permission, or its scope leaves this bucket out.",
}


@dataclass(frozen=True)
class Session:
    """What the global options said."""

    url: str
    key: str | None
    json: bool

    @contextmanager
    def client(self) -> Iterator[VexObj]:
        """A client whose errors end the command with one sentence, advice and exit code 1."""
        try:
            with VexObj(self.url, self.key) as client:
                yield client
        except VexObjError as error:
            print(f"vexobjctl: {error}", file=sys.stderr)
            for kind, advice in _ADVICE.items():
                if isinstance(error, kind):
                    print(advice, file=sys.stderr)
            raise typer.Exit(1) from None


def session(context: typer.Context) -> Session:
    found = context.find_object(Session)
    assert found is not None
    return found
