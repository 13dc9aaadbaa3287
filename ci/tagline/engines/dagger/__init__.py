"""Engine `dagger`: chains that put tagline and a tree into a container and run one line there.

The Dagger modules and `tagline ci --engine dagger` share them. They need the package `dagger-io` and nothing else
of ours but `tagline.errors`; no engine is started here, and none is spoken to before a chain is asked for a result.
"""
