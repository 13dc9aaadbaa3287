"""The object store: what a run wrote below its own pipeline root, and the model and facts among it."""
