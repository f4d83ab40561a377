"""A byte-bounded memory and disk cache with single-flight."""
