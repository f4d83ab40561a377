"""What Alembic runs to draft a revision; migrating a store does not come by here."""

import sqlite3

import sqlalchemy
from alembic import context

from vexobj_storage.metadata.migrate import head, script
from vexobj_storage.metadata.tables import metadata


def _migrated() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    if head() is not None:
        connection.executescript(script("sqlite", None))
    return connection


with sqlalchemy.create_engine("sqlite://", creator=_migrated).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()
