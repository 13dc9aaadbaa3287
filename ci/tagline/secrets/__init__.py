"""Secrets outside of tasks: where their values come from, the store they lie in, and where they must not be.

A value is opened in the line that sends it; what was read is hidden in all output of the process
(`tagline_task.masking`).
"""
