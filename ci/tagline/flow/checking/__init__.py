"""Checking: everything that can be said about a tree before it is released."""
