"""What scrub finds."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "findings",
        sa.Column("blob_id", sa.LargeBinary(), nullable=False),
        sa.Column("damage", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("quarantined", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("traced", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("found_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("blob_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "finding_places",
        sa.Column("blob_id", sa.LargeBinary(), nullable=False),
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.Column("is_null", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("is_upload", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("blob_id", "bucket_id", "key", "uid"),
        sqlite_with_rowid=False,
    )
