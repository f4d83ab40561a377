"""VexObj: an S3-compatible media store in one process."""
