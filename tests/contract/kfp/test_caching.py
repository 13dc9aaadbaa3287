"""What a run carries of its pipeline: with the cache off for what registers, of nested graphs too."""

from tagline.pipeline.compiled import Compiled
from tagline.platforms.kubeflow.runs import caching

from tests.contract.kfp.pipelines import spec


def test_caching_is_set_for_every_task_of_nested_graphs_too() -> None:
    made = spec()
    inner = made["root"]["dag"]["tasks"]
    made["components"]["comp-loop"] = {"dag": {"tasks": {"fit": dict(inner["fit"])}}}
    off = caching.with_caching(made, False)
    assert off["root"]["dag"]["tasks"]["fit"]["cachingOptions"] == {}
    assert off["components"]["comp-loop"]["dag"]["tasks"]["fit"]["cachingOptions"] == {}
    assert made["root"]["dag"]["tasks"]["fit"]["cachingOptions"] == {"enableCache": True}


def test_a_task_that_says_no_cache_has_none_where_others_may() -> None:
    made = spec()
    tasks = made["root"]["dag"]["tasks"]
    tasks["read"] = {**tasks["fit"], "cachingOptions": {}}
    assert caching.with_caching(made, True) == made


def test_a_task_that_makes_a_model_or_its_facts_is_never_answered_from_the_cache() -> None:
    made = spec()
    made["root"]["dag"]["tasks"]["note"] = {"componentRef": {"name": "comp-note"}}
    made["components"]["comp-fit"]["outputDefinitions"] = {
        "artifacts": {"model": {"artifactType": {"schemaTitle": "system.Model"}}}
    }
    made["components"]["comp-note"] = {
        "outputDefinitions": {"artifacts": {"facts": {"artifactType": {"schemaTitle": "system.Artifact"}}}}
    }
    tasks = caching.with_caching(made, True)["root"]["dag"]["tasks"]
    assert [tasks[name]["cachingOptions"] for name in ("fit", "note")] == [{}, {}]


def test_a_version_is_referred_to_where_its_tasks_have_the_cache_as_wanted_and_is_sent_whole_else() -> None:
    version = {"pipeline_id": "p", "pipeline_version_id": "v"}
    cached, off = Compiled(spec()), Compiled(caching.with_caching(spec(), False))
    assert caching.sent(off, version, cache=False) == {"pipeline_version_reference": version}
    assert caching.sent(cached, version, cache=True) == {"pipeline_version_reference": version}
    assert caching.sent(cached, version, cache=False) == {"pipeline_spec": off.ir}
    asks = Compiled(spec(), {"platforms": {"kubernetes": {}}})
    assert caching.sent(asks, version, cache=False) == {
        "pipeline_spec": {"pipeline_spec": off.ir, "platform_spec": asks.platform}
    }
