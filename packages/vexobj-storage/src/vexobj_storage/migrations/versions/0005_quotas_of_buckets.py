"""Quotas of buckets, and the threshold of them that was told last."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("buckets", sa.Column("quota_bytes", sa.BigInteger(), nullable=True))
    op.add_column("buckets", sa.Column("quota_objects", sa.BigInteger(), nullable=True))
    for table, name in (("buckets", "quota_own"), ("usage", "told_percent")):
        op.add_column(table, sa.Column(name, sa.SmallInteger(), server_default="0", nullable=False))
