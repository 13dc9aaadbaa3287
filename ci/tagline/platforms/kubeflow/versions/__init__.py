"""Pipelines and their versions on the server: one version for each release, exactly once, and never another content."""
