"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_keys",
        sa.Column(
            "access_key_id",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("identity_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("secret_lookup", sa.LargeBinary(), nullable=False),
        sa.Column("permissions", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("buckets", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_us", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("last_used_us", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("access_key_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("access_keys_identity", "access_keys", ["identity_id"], unique=False)
    op.create_index("access_keys_lookup", "access_keys", ["secret_lookup"], unique=True)
    op.create_table(
        "blob_refs",
        sa.Column("blob_id", sa.LargeBinary(), nullable=False),
        sa.Column("referrer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("blob_id", "referrer"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blobs",
        sa.Column("blob_id", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stored_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("location", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("protection", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key_ring", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("condemned_us", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("blob_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("blobs_sha256", "blobs", ["sha256"], unique=False)
    op.create_table(
        "buckets",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("versioning", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("acl", sa.Text(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("buckets_owner", "buckets", ["owner_id", "name"], unique=False)
    op.create_table(
        "counters",
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "facts",
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gc_queue",
        sa.Column("due_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("due_us", "kind", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identities",
        sa.Column(
            "id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inline_blobs",
        sa.Column("blob_id", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("blob_id"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_at_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempts", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_holder", sa.Text(), nullable=True),
        sa.Column("lease_until_us", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("jobs_due", "jobs", ["kind", "state", "run_at_us"], unique=False)
    op.create_table(
        "key_heads",
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bucket_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leases",
        sa.Column(
            "name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "manifest_refs",
        sa.Column("manifest_id", sa.LargeBinary(), nullable=False),
        sa.Column("referrer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("manifest_id", "referrer"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "manifests",
        sa.Column("manifest_id", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("parts_count", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("layout", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("manifest_id"),
    )
    op.create_table(
        "objects",
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.Column("is_null", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("modified_us", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("headers_metadata", sa.Text(), nullable=True),
        sa.Column("acl", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("blob_id", sa.LargeBinary(), nullable=True),
        sa.Column("manifest_id", sa.LargeBinary(), nullable=True),
        sa.Column("parts_count", sa.BigInteger(), nullable=True),
        sa.Column("lock_mode", sa.SmallInteger(), nullable=True),
        sa.Column("retain_until_us", sa.BigInteger(), nullable=True),
        sa.Column("legal_hold", sa.SmallInteger(), nullable=False),
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bucket_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("outbox_number", "outbox", ["number"], unique=False)
    op.create_table(
        "parts",
        sa.Column("upload_id", sa.LargeBinary(), nullable=False),
        sa.Column("part_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=True),
        sa.Column("modified_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segments", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "part_number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "uploads",
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("upload_id", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("created_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("changed_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("headers_metadata", sa.Text(), nullable=True),
        sa.Column("acl", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("checksum_algorithm", sa.Text(), nullable=True),
        sa.Column("checksum_composite", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("version_uid", sa.LargeBinary(), nullable=True),
        sa.Column("named_parts", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("bucket_id", "key", "upload_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("uploads_id", "uploads", ["upload_id"], unique=True)
    op.create_index("uploads_state", "uploads", ["state", "changed_us"], unique=False)
    op.create_table(
        "usage",
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("objects", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("noncurrent_objects", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("noncurrent_bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("upload_bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bucket_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_deltas",
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("objects", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("noncurrent_objects", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("noncurrent_bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("upload_bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bucket_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "versions",
        sa.Column("uid", sa.LargeBinary(), nullable=False),
        sa.Column("is_null", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("modified_us", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("headers_metadata", sa.Text(), nullable=True),
        sa.Column("acl", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=True),
        sa.Column("blob_id", sa.LargeBinary(), nullable=True),
        sa.Column("manifest_id", sa.LargeBinary(), nullable=True),
        sa.Column("parts_count", sa.BigInteger(), nullable=True),
        sa.Column("lock_mode", sa.SmallInteger(), nullable=True),
        sa.Column("retain_until_us", sa.BigInteger(), nullable=True),
        sa.Column("legal_hold", sa.SmallInteger(), nullable=False),
        sa.Column("bucket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("descending", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_delete_marker", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("bucket_id", "key", "descending"),
        sqlite_with_rowid=False,
    )
