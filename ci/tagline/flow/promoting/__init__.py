"""Promoting: from a tag that asks, through gate and canary, to its end; and the way back."""
