"""What tagline does, as functions: each looks first, may be repeated, and returns what happened."""
