"""Compiled files that are none: said in words, with the place that is wrong."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import PipelineError
from tagline.pipeline import compiled

SOUND = """
root: {dag: {tasks: {a: {componentRef: {name: comp-a}}}}}
components: {comp-a: {executorLabel: exec-a}}
deploymentSpec: {executors: {exec-a: {container: {image: "x:1"}}}}
"""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("root: {dag: 3}", "root.dag is int"),
        ("root: {dag: {tasks: []}}", "root.dag.tasks is list"),
        ("root: {dag: {tasks: {a: 3}}}", "root.dag.tasks.a is int"),
        ("{root: {}, components: []}", "components is list"),
        ("{root: {}, components: {comp-a: 3}}", "components.comp-a is int"),
        ("{root: {}, components: {comp-a: {dag: {tasks: {b: x}}}}}", "components.comp-a.dag.tasks.b is str"),
        ("{root: {}, deploymentSpec: 3}", "deploymentSpec is int"),
        ("{root: {}, deploymentSpec: {executors: {e: 3}}}", "deploymentSpec.executors.e is int"),
        (
            "{root: {}, deploymentSpec: {executors: {e: {container: 5}}}}",
            "deploymentSpec.executors.e.container is int",
        ),
    ],
)
def test_a_part_of_another_shape_is_named(text: str, place: str) -> None:
    with pytest.raises(PipelineError, match=place):
        compiled.parse(text, "pipeline.yaml")


def test_a_sound_one_is_read() -> None:
    read = compiled.parse(SOUND, "pipeline.yaml")
    assert read.containers() == {"exec-a": {"image": "x:1"}}
    assert dict(read.graphs()) == {"": {"a": {"componentRef": {"name": "comp-a"}}}}


PLAIN = st.one_of(
    st.none(), st.integers(0, 9), st.text("ab", max_size=2), st.lists(st.integers(0, 9), max_size=1)
)
KEYS = st.sampled_from(["dag", "tasks", "components", "deploymentSpec", "executors", "container", "a"])
TREES = st.recursive(PLAIN, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=12)


@given(TREES, TREES, TREES)
def test_whatever_is_written_is_walked_over_or_refused(
    root: object, components: object, spec: object
) -> None:
    text = yaml.safe_dump({"root": root, "components": components, "deploymentSpec": spec})
    try:
        read = compiled.parse(text, "pipeline.yaml")
    except PipelineError:
        return
    list(read.graphs())
    read.containers()
    read.accelerated()
