"""The model of a run, in the store: its facts file below the run's own pipeline root, else its single model.

A launcher writes an artifact to `<pipeline root>/…/<run id>/<task>/<execution>/<output>`. What is before the run id
is not looked at, so that a root of any depth does; the execution may be missing, as older launchers left it out.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from tagline.errors import NoModel, TaskContractBroken
from tagline.pipeline.compiled import Compiled
from tagline.platforms import ModelFacts, Run
from tagline.platforms.kubeflow.store.objects import Objects

FACTS = "facts"
MODEL = "system.Model"
LARGEST_FACTS = 1 << 20
DIGESTED = (
    2 << 30
)  # bytes of a model that is read again to compare its digest; a larger one's is its task's word
_FIX = "write the model to an output of the run, and its facts with tagline_task.write_facts"


class Written(msgspec.Struct, frozen=True, order=True):
    """An output that lies in the store: its task, its name, its address."""

    task: str
    name: str
    uri: str

    @property
    def key(self) -> str:
        return f"{self.task}.{self.name}"


def model_facts(objects: Objects, run: Run, compiled: Compiled, models: Sequence[str]) -> ModelFacts | None:
    """The model that a succeeded run made; `models` (`task.output`) chooses among several. None: it made none.

    Raises `NoModel` where several stand and none is named, `TaskContractBroken` for facts that cannot be read, that
    name what lies outside the run's root, or a model of another digest; and what reading the store raises.
    """
    found = {uri: size for uri, size in objects.below(run.root).items() if f"/{run.id}/" in uri}
    kinds = set(_model_outputs(compiled))
    there = sorted(set(_outputs(found, run.id, {FACTS, *kinds})))
    notes = [one for one in there if one.name == FACTS]
    made = [one for one in there if one.name in kinds and one.name != FACTS]
    if not notes and not made and not models:
        return None
    chosen = _chosen(notes, made, models)
    if chosen.name != FACTS:
        return ModelFacts(uri=chosen.uri, sha256=objects.digest(chosen.uri))
    return _checked(objects, run, _read(objects, chosen), found)


def _chosen(notes: list[Written], made: list[Written], models: Sequence[str]) -> Written:
    if models:
        tasks = {name.partition(".")[0] for name in models}
        fit = [one for one in notes if one.key in models or (one.task in tasks and len(made) <= 1)]
        fit = fit or [one for one in made if one.key in models]
    else:
        fit = notes or made
    if len(fit) != 1:
        given = ", ".join(one.key for one in fit or made or notes) or "none"
        asked = f", asked for {', '.join(models)}" if models else ""
        raise NoModel(
            f"the run has no single model: it gave {given}{asked}",
            fix="name one in tagline.yaml: models: {NAME: {output: TASK.OUTPUT}}",
        )
    return fit[0]


def _outputs(found: Iterable[str], run: str, names: Collection[str]) -> Iterator[Written]:
    """The outputs with these names that objects belong to, each as often as it has objects."""
    for uri in found:
        root, _, inside = uri.partition(f"/{run}/")
        task, *rest = inside.split("/")
        at = next((at for at, part in enumerate(rest[:2]) if part in names), None)
        if at is not None:
            yield Written(task, rest[at], "/".join([root, run, task, *rest[: at + 1]]))


def _model_outputs(compiled: Compiled) -> Iterator[str]:
    """The names of the outputs that the pipeline declares as models."""
    for component in compiled.ir.get("components", {}).values():
        artifacts = component.get("outputDefinitions", {}).get("artifacts", {})
        for name, said in artifacts.items():
            if said.get("artifactType", {}).get("schemaTitle") == MODEL:
                yield name


def _read(objects: Objects, note: Written) -> ModelFacts:
    try:
        return msgspec.json.decode(objects.read(note.uri, LARGEST_FACTS), type=ModelFacts)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TaskContractBroken(
            f"the facts of task {note.task!r} cannot be read: {error}", where=note.uri, fix=_FIX
        ) from error


def _checked(objects: Objects, run: Run, facts: ModelFacts, found: dict[str, int]) -> ModelFacts:
    """Facts whose model lies below the run's own root and is what they say."""
    place = facts.uri.rstrip("/")
    sizes = [size for uri, size in found.items() if uri == place or uri.startswith(f"{place}/")]
    inside = place.startswith(f"{run.root.rstrip('/')}/") and ".." not in place.split("/")
    if not inside or not sizes:
        problem = "is not there" if inside else "lies outside the run's own root"
        raise TaskContractBroken(
            f"the model {facts.uri!r} that the facts name {problem}", where=run.root, fix=_FIX
        )
    if sum(sizes) <= DIGESTED and objects.digest(place) != facts.sha256:
        raise TaskContractBroken(
            "the model is not the one that its facts name: another digest", where=facts.uri, fix=_FIX
        )
    return facts
