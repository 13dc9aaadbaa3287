"""What changed between two compiled pipelines, in words."""
