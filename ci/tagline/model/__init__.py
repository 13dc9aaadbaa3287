"""What we know of one model: whether it may take the served one's place, and on what evidence."""
