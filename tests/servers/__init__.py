"""Real servers for the suite: each a small file that starts one on loopback, on a port of its own, and ends it."""
