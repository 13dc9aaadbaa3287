"""A task that asks for a GPU gets type, nodes and tolerations from the platform file, and no other task does."""

import copy

import pytest
from tagline.errors import ConfigError
from tagline.kubeflow_keys import Gpu, Toleration
from tagline.pipeline.compiled import Compiled
from tagline.platforms.kubeflow.gpus import placed
from tagline_task import devices

from tests.contract.kfp.pipelines import spec

PROFILE = Gpu("nvidia.com/gpu", {"pool": "a100"}, [Toleration(key="nvidia.com/gpu", effect="NoSchedule")])


def asking(**device: object) -> Compiled:
    made = spec()
    made["deploymentSpec"]["executors"]["exec-fit"]["container"]["resources"] = {"accelerator": device}
    return Compiled(made)


def wish(compiled: Compiled) -> dict[str, object]:
    found: dict[str, object] = compiled.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"][
        "exec-fit"
    ]
    return found


def test_a_task_that_asks_is_placed_on_nodes_that_have_one() -> None:
    made = placed(asking(resourceCount="2"), PROFILE)
    device = made.containers()["exec-fit"]["resources"]["accelerator"]
    assert (device["resourceType"], device["resourceCount"]) == ("nvidia.com/gpu", "2")
    assert wish(made) == {
        "nodeSelector": {"labels": {"pool": "a100"}},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    }


@pytest.mark.parametrize(
    ("device", "promised"),
    [
        ({"resourceCount": "2"}, "2"),
        ({"count": "1", "type": "nvidia.com/mig-1g.5gb"}, "1"),
        ({"resourceCount": "{{$.inputs.parameters['pipelinechannel--gpus']}}"}, "1"),
        ({"count": "1", "type": "amd.com/gpu"}, None),
    ],
)
def test_it_is_told_how_many_it_must_see(device: dict[str, str], promised: str | None) -> None:
    env = placed(asking(**device), PROFILE).containers()["exec-fit"].get("env") or []
    assert [one["value"] for one in env if one["name"] == devices.PROMISED] == (
        [promised] if promised else []
    )


def test_again_it_is_the_same() -> None:
    once = placed(asking(resourceCount="2"), PROFILE)
    assert placed(once, PROFILE) == once


def test_what_a_task_says_by_itself_stays() -> None:
    own = asking(resourceCount="1", resourceType="nvidia.com/mig-1g.5gb")
    own.platform["platforms"] = {
        "kubernetes": {
            "deploymentSpec": {"executors": {"exec-fit": {"nodeSelector": {"labels": {"pool": "mine"}}}}}
        }
    }
    made = placed(Compiled(own.ir, copy.deepcopy(own.platform)), PROFILE)
    assert (
        made.containers()["exec-fit"]["resources"]["accelerator"]["resourceType"] == "nvidia.com/mig-1g.5gb"
    )
    assert wish(made)["nodeSelector"] == {"labels": {"pool": "mine"}}


def test_a_pipeline_that_asks_for_none_is_left_as_it_is() -> None:
    plain = Compiled(spec())
    assert placed(plain, PROFILE) is plain
    assert placed(plain, None) is plain


def test_without_a_profile_a_task_that_asks_is_an_error_and_no_pod_that_waits_for_ever() -> None:
    with pytest.raises(ConfigError, match="fit asks for a GPU"):
        placed(asking(count="1"), None)
