"""The gate with real children."""
