"""Connectors: what a task reads from outside. Each imports its client library when it is first used."""

from tagline_task.connectors.settings import Settings
from tagline_task.connectors.vault import Secrets, VaultConnector

__all__ = ["Secrets", "Settings", "VaultConnector"]
