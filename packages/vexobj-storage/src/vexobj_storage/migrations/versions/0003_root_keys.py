"""Root keys, and of each blob the one that it is sealed under."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "root_keys",
        sa.Column("key_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("master_key_id", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key_id"),
        sqlite_with_rowid=False,
    )
    # Nothing was sealed until now, so the default is true of every blob there is.
    op.add_column(
        "blobs",
        sa.Column(
            "key_id", sa.BigInteger(), autoincrement=False, nullable=False, server_default="0"
        ),
    )
    for name in ("protection", "key_ring", "salt"):
        op.drop_column("blobs", name)
