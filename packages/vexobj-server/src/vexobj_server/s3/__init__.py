"""The S3 protocol's backend over the object store."""
