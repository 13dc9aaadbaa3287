"""Which task feeds which; what a task takes and gives is in its own file, src/pipeline_steps/*/task.py."""

import tagline
from kfp import dsl
from kfp_vars import PIPELINE_NAME

download_data = tagline.component("download_data")
prepare_data = tagline.component("prepare_data")
train_model = tagline.component("train_model")
switch_model = tagline.component("switch_model")


@dsl.pipeline(name=PIPELINE_NAME)
def pipeline(test_share: float = 0.2, trees: int = 50):
    raw = download_data()
    split = prepare_data(data=raw.outputs["data"], test_share=test_share)
    trained = train_model(train=split.outputs["train"], test=split.outputs["test"], trees=trees)
    switch_model(
        model=trained.outputs["model"], train=split.outputs["train"], metrics=trained.outputs["metrics"]
    )
