"""Releasing: from a commit to a version on the platform, and to its trained, registered models."""
