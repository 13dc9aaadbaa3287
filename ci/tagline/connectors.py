"""Connectors for code that imports tagline: the same ones that a task has."""

from tagline_task.connectors import Secrets, Settings, VaultConnector

__all__ = ["Secrets", "Settings", "VaultConnector"]
