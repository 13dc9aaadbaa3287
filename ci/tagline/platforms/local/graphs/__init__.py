"""The compiled graph as the local platform walks it: pure, but for the function that runs one task."""
