"""Findings of the linter in real public pipelines, each judged by hand: judged.csv."""
