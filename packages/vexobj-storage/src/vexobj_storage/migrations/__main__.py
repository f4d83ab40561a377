"""Draft a revision from what metadata/tables.py has and the revisions have not."""

import argparse
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config

from vexobj_storage.metadata.migrate import head, script

_HERE = Path(__file__).parent


@contextlib.contextmanager
def drafting() -> Iterator[Config]:
    """What Alembic's commands need to compare the revisions with the tables.

    The revisions are run before a command is: env.py, within one, cannot begin another.
    """
    with contextlib.closing(sqlite3.connect(":memory:")) as migrated:
        if head() is not None:
            migrated.executescript(script("sqlite", None))
        engine = sqlalchemy.create_engine("sqlite://", creator=lambda: migrated)
        with engine.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(_HERE))
            config.attributes["connection"] = connection
            yield config


def main() -> None:
    parser = argparse.ArgumentParser(prog="vexobj_storage.migrations", description=__doc__)
    parser.add_argument("message", help="what the revision does, in a few words")
    message = parser.parse_args().message
    number = len(list((_HERE / "versions").glob("[0-9]*.py"))) + 1
    with drafting() as config:
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    main()
