"""The story that `make demo` plays, with the commands a user types."""
