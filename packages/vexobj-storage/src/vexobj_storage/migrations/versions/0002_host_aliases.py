"""A table of host aliases, so that two buckets cannot claim one host at once."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ALIASES = {
    "sqlite": (
        "SELECT value AS host, buckets.id FROM buckets, json_each(settings, '$.host_aliases')"
    ),
    "postgresql": (
        "SELECT host, id FROM buckets, jsonb_array_elements_text("
        "COALESCE(CAST(settings AS jsonb) -> 'host_aliases', CAST('[]' AS jsonb))) AS host"
    ),
}


def upgrade() -> None:
    op.create_table(
        "host_aliases",
        sa.Column(
            "host",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("host"),
        sqlite_with_rowid=False,
    )
    # Of two that claimed one host, the older bucket keeps it.
    claims = _ALIASES[op.get_context().dialect.name]
    op.execute(
        f"INSERT INTO host_aliases (host, bucket_id) "  # noqa: S608 - two texts of our own
        f"SELECT host, MIN(id) FROM ({claims}) AS claims GROUP BY host"
    )
