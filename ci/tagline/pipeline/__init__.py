"""Pipelines: from a DAG in `pipeline.py` and typed task files to the compiled file that Kubeflow runs."""
