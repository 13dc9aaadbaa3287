"""What a task may use, as the compiled pipeline says it."""

from pathlib import Path

import pytest
from kfp import compiler, dsl
from tagline.engines import Limits
from tagline.errors import ConfigError, NotYetSupported
from tagline.platforms.local import spec


@dsl.container_component
def step():
    return dsl.ContainerSpec(image="x", command=["true"])


@dsl.pipeline(name="p")
def named():
    step().set_cpu_limit("500m").set_memory_limit("2Gi").set_accelerator_type(
        "nvidia.com/gpu"
    ).set_accelerator_limit(2)
    step()


@dsl.pipeline(name="p")
def late(memory: str):
    step().set_memory_limit(memory)


def compiled(pipeline: object, folder: Path) -> spec.Compiled:
    compiler.Compiler().compile(pipeline, str(folder / "p.yaml"))
    return spec.read_pipeline(folder / "p.yaml")


def test_cores_memory_and_devices_are_read_of_the_tasks_that_name_them(tmp_path: Path) -> None:
    assert spec.limits(compiled(named, tmp_path)) == {"step": Limits(0.5, 2 * 1024**3, 2)}


def test_a_limit_that_only_a_run_knows_is_refused_by_the_task_s_name(tmp_path: Path) -> None:
    with pytest.raises(NotYetSupported, match="step"):
        spec.limits(compiled(late, tmp_path))


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("500m", 0.5), ("1.5", 1.5), ("2k", 2000), ("64Mi", 64 * 1024**2), ("1G", 1e9)],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(text: str, value: float) -> None:
    assert spec.quantity(text) == value


@pytest.mark.parametrize(("text", "value"), [("64K", 64e3), ("2E", 2e18), ("1Ei", 1024**6), (".5", 0.5)])
def test_a_quantity_that_kfp_takes_is_read_too(text: str, value: float) -> None:
    assert spec.quantity(text) == value


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "-1", "1Qi"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        spec.quantity(text)
