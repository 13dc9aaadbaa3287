"""The only place that prints: what functions return becomes text for people or JSON for programs."""
