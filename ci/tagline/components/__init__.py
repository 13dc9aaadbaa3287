"""Common components for pipeline.py, by version: `from tagline.components.v1 import split`."""
