"""Talks to the Kubeflow Pipelines API server: one connection, its answers in words, what it can do."""
