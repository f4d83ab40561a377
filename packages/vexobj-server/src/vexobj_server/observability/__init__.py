"""What the server tells about itself: logs, request ids, metrics; and about its callers."""
