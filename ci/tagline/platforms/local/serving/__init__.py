"""Serving on this machine: real KServe servers behind one weighted router, watched by a supervisor.

A command talks to the supervisor over a unix socket; the supervisor alone writes the state, starts and watches
the servers and the router, and gives the router its table; the router alone touches requests. Nothing here
imports kserve: it lives in the servers' own environment.
"""

from tagline.platforms.local.serving.api import LocalServing
from tagline.platforms.local.serving.lifecycle import LogTail, PlatformStatus, down, guards, logs, status, up

__all__ = ["LocalServing", "LogTail", "PlatformStatus", "down", "guards", "logs", "status", "up"]
