"""The connection that every command shares, and how its failures are told."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from vexobj_cli.output import visible
from vexobj_sdk import (
    ConnectionFailed,
    Forbidden,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
    VexObj,
    VexObjError,
)

_ADDRESS = "Is the server running, and is --url (or VEXOBJ_URL) right?"
_ADVICE: dict[type[VexObjError], str] = {
    ConnectionFailed: _ADDRESS,
    UnexpectedAnswer: _ADDRESS,
    Unauthorized: "Give a key by --key or VEXOBJ_KEY: it is the secret, not the access key id.",
    Forbidden: "The key lacks the permission, or its scope leaves this bucket out.",
    Throttled: "Try again in a moment.",
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
            _say(str(error))
            if type(error) in _ADVICE:
                print(_ADVICE[type(error)], file=sys.stderr)
            raise typer.Exit(1) from None
        except ValueError as error:  # what the SDK refuses to send
            _say(str(error))
            raise typer.Exit(1) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _say(": ".join(str(part) for part in (error.filename, error.strerror) if part))
            raise typer.Exit(1) from None


def session(context: typer.Context) -> Session:
    found = context.find_object(Session)
    assert found is not None
    return found


def _say(sentence: str) -> None:
    print(f"vexobjctl: {visible(sentence)}", file=sys.stderr)
