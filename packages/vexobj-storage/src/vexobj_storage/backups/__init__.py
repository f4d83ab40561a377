"""Backups of a whole store: made beside its writers, verified, pruned, restored."""
