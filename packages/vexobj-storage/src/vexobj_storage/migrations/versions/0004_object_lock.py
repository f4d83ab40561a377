"""Object lock: what a bucket gives to new versions, and what an upload's object begins with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("buckets", "uploads"):
        op.add_column(table, sa.Column("object_lock", sa.Text(), nullable=True))
