"""The platform of a company: Kubeflow Pipelines runs what is trained, an S3-compatible store keeps it."""
