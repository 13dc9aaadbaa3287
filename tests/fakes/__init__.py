"""What stands in for the world in tests: machines, repositories, and platforms in virtual time."""
