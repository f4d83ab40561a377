"""Identities, access keys and access decisions as pure functions."""
