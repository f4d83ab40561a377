"""What Alembic runs to draft a revision; migrating a store does not come by here."""

from alembic import context

from vexobj_storage.metadata.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
