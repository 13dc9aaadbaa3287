"""`tagline-register-v1`: hands a trained model to the line, by its facts."""

from typing import Any

from tagline_task import Artifact, Dataset, Input, Metrics, Model, Output, run, write_facts
from tagline_task.components import tables
from tagline_task.errors import ContractError


def register(
    model: Input[Model],
    data: Input[Dataset],
    metrics: Input[Metrics],
    facts: Output[Artifact],
    features: list[Any] | None = None,
    label: str = "",
    classes: list[Any] | None = None,
) -> None:
    """Write down which file the model is, what it was trained on (`data`) and how good it is (`metrics`).

    tagline registers the model of a finished run by these `facts`: address and digest of the model, digest of the
    data, finite metrics, and the signature that its answers are checked by. The signature is the model's metadata
    `signature` (`tagline_task.signature_of`), as its task left it. Where `label` is given, it is read from `data`,
    which then is Parquet: `features`, by default all columns but the label, with their types; the label's type as the
    output's; and `classes`, the answers that a classifier gives.

    Raises `BadTable` for a column that lacks or has a type that no request carries, `ContractError`.
    """
    if not label and (features or classes):
        raise ContractError("argument features and classes describe a signature with a label: give label too")
    signature = _signature(data.path, label, features, classes or []) if label else None
    write_facts(facts, model=model, data=data, metrics=metrics, signature=signature)


def _signature(path: str, label: str, features: list[Any] | None, classes: list[Any]) -> dict[str, Any]:
    with tables.opened(path) as file:
        schema = file.schema_arrow
    columns = (
        [name for name in schema.names if name != label] if features is None else list(map(str, features))
    )
    tables.check_columns(path, schema.names, [*columns, label])
    kinds = {name: tables.request_type(path, schema, name) for name in [*columns, label]}
    inputs = [{"name": name, "type": kinds[name]} for name in columns]
    return {"inputs": inputs, "output": kinds[label], "classes": classes}


if __name__ == "__main__":
    run(register)
