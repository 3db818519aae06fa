"""Configurations: composed from conf/ and sweeps/, checked against a typed schema."""
