"""Compile a pipeline, and plan what a call of CI would do."""

from tagline_pipeline.main import TaglinePipeline as TaglinePipeline
