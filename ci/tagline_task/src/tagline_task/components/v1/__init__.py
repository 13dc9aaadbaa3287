"""The first version of the common components.

The promise of a version: names, arguments, defaults and outputs stay, and so does what comes out for the same input
and arguments. An argument with a default, or a metric, may be added. What would change more is `v2`, beside it.
"""
