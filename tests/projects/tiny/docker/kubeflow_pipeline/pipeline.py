"""One task, no dependencies: the smallest project that trains a model and can be promoted."""

import tagline
from kfp import dsl

train_model = tagline.component("train_model", image="tiny:dev")


@dsl.pipeline(name="tiny")
def pipeline(seconds: float = 0.0):
    train_model(seconds=seconds)
