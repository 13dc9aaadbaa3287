"""Runs on the server: as near to once for each owner key as it allows, followed to their end, and swept."""
