"""Hands the model to the line. Nothing here moves traffic: a promotion tag does."""

from tagline_task import Artifact, Dataset, Input, Metrics, Model, Output, run, write_facts


def switch_model(
    model: Input[Model],
    train: Input[Dataset],
    metrics: Input[Metrics],
    facts: Output[Artifact],
) -> None:
    """Write down which file the model is, how good it is and what it was trained on."""
    write_facts(facts, model=model, data=train, metrics=metrics)


if __name__ == "__main__":
    run(switch_model)
