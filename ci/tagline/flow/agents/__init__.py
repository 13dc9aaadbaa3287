"""Agents: a plan that several machines carry out, and what passes between them."""
