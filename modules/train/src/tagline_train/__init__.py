"""Smoke-train a tree's HEAD in a container of its own."""

from tagline_train.main import TaglineTrain as TaglineTrain
