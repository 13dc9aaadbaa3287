"""Results: what a call leaves for people, programs, pull requests and chats."""
