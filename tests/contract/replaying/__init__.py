"""Replaying what a real server was recorded to answer on a fake, and saying where the two differ."""
