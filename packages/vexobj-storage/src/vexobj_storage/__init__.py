"""An embedded, versioned, deduplicating object store."""
