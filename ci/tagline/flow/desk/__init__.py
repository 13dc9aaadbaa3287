"""The desk: a project's beginning, its secrets, and a platform on one laptop."""
