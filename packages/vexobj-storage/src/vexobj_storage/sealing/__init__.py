"""Encryption at rest, without I/O: keys, what a blob's id says of its key, and framed AES-GCM."""
