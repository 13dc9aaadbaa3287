"""Workflows that the server made and failed to note are found in the cluster and removed, and no others."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tagline.errors import (
    ConfigError,
    KfpError,
    KfpForbidden,
    KfpNotAServer,
    KfpNotLetIn,
    KfpUnavailable,
)
from tagline.flow.views.doctor_kubeflow import examine_kubeflow
from tagline.kubeflow_keys import Cluster as Said
from tagline.kubeflow_keys import Endpoints, Kubeflow, UserHeader
from tagline.platforms.kubeflow import cluster as clusters
from tagline.platforms.kubeflow.cluster import Cluster
from tagline.platforms.kubeflow.marks import owner_of, pipeline_description
from tagline.platforms.kubeflow.pipelines import KubeflowPipelines
from tagline.platforms.kubeflow.runs import orphans, starting
from tagline.platforms.kubeflow.server.connection import Connection

from tests.contract.kfp.opened import ALICE, QUICK, by_header
from tests.contract.kfp.pipelines import spec
from tests.contract.kfp.test_own_runs import OWNER, connection, wanted
from tests.fakes.kfp import FakeKfp

LATER = orphans.AGE + 60


@pytest.fixture(params=["database-utf8mb4", "multiuser"])
def kfp(request: pytest.FixtureRequest) -> Iterator[FakeKfp]:
    with FakeKfp(request.param, start=1_800_000_000.0) as fake:
        fake.want_token("t0ken")
        own(connection(fake), OWNER)
        yield fake
        fake.calm()


def own(server: Connection, owner: str) -> None:
    """The pipeline wine, as a repository makes it."""
    body = {"name": "wine", "display_name": "wine", "description": pipeline_description(owner)}
    server.ask("POST", "/pipelines", body=body | ({"namespace": server.scope} if server.scope else {}))


def cluster(kfp: FakeKfp, token: str = "t0ken") -> Cluster:
    said = Said(server=kfp.url, variable="KUBE_TOKEN")
    namespace = "mu-alice" if kfp.world.multi_user else "kubeflow"
    return Cluster(said, namespace, {"KUBE_TOKEN": token}, QUICK.times)


def lost(kfp: FakeKfp, name: str) -> None:
    """A run whose row the server cannot store, though its Workflow runs."""
    server = connection(kfp)
    body = {"display_name": name, "description": "x" * 256, "pipeline_spec": spec()}
    with pytest.raises(KfpUnavailable):
        server.ask("POST", "/runs", body=body | {"experiment_id": starting.experiment(server)})


def sweep(kfp: FakeKfp) -> list[str]:
    return orphans.sweep(connection(kfp), cluster(kfp), "wine", OWNER, kfp.now)


def left(kfp: FakeKfp) -> list[str]:
    names = [one["metadata"]["annotations"]["pipelines.kubeflow.org/run_name"] for one in kfp.workflows]
    return sorted(names)


def test_a_workflow_without_a_row_is_removed_when_it_is_old_and_none_that_is_anybody_elses(
    kfp: FakeKfp,
) -> None:
    ours = starting.start(connection(kfp), wanted())
    for name in ("tagline wine/0.1.0/full/2", "tagline winery/0.1.0/full/1", "by hand"):
        lost(kfp, name)
    assert len(kfp.orphans()) == 3
    assert sweep(kfp) == [], "its row may still come"
    kfp.advance(LATER)
    assert sweep(kfp) == ["tagline wine/0.1.0/full/2"]
    assert left(kfp) == ["by hand", "tagline wine/0.1.0/full/1", "tagline winery/0.1.0/full/1"]
    assert ours.id in kfp.world.runs
    assert sweep(kfp) == []


def test_a_row_that_another_repository_made_keeps_its_workflow(kfp: FakeKfp) -> None:
    theirs = owner_of("https://git.example.org/ml/other")
    starting.start(connection(kfp), starting.Wanted("wine/smoke/f/1", theirs, "s3://m", spec=spec()))
    kfp.advance(LATER)
    assert sweep(kfp) == []
    assert left(kfp) == ["tagline wine/smoke/f/1"]


def test_where_the_pipeline_is_another_repositorys_nothing_is_removed(kfp: FakeKfp) -> None:
    lost(kfp, "tagline wine/0.1.0/full/1")
    kfp.advance(LATER)
    server, other = connection(kfp), owner_of("https://git.example.org/ml/other")
    assert orphans.sweep(server, cluster(kfp), "wine", other, kfp.now) == []
    assert len(left(kfp)) == 1


def test_in_the_cluster_of_another_server_nothing_is_removed(kfp: FakeKfp) -> None:
    """A platform file of stage that names the cluster of prod: stage knows no run of prod."""
    with FakeKfp("database-utf8mb4", start=1_800_000_000.0) as prod:
        own(connection(prod), OWNER)
        starting.start(connection(prod), wanted())
        prod.advance(LATER)
        theirs = Cluster(
            Said(server=prod.url, variable="KUBE_TOKEN"), "kubeflow", {"KUBE_TOKEN": "t0ken"}, QUICK.times
        )
        starting.start(connection(kfp), wanted())
        kfp.advance(LATER)
        assert orphans.sweep(connection(kfp), theirs, "wine", OWNER, kfp.now) == []
        assert left(prod) == ["tagline wine/0.1.0/full/1"]


def test_all_pages_are_walked_and_a_workflow_of_another_uid_is_not_removed(
    kfp: FakeKfp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "PAGE", 2)
    for number in range(5):
        lost(kfp, f"tagline wine/0.1.0/full/{number}")
    found = list(cluster(kfp).workflows())
    assert len({one.run for one in found}) == 5
    for one in kfp.workflows:
        one["metadata"]["uid"] = "another"
    assert [cluster(kfp).delete(one) for one in found] == [False] * 5
    kfp.world.workflows.clear()
    assert cluster(kfp).delete(found[0]) is False


@pytest.mark.parametrize("kfp", ["multiuser"], indirect=True)
def test_what_hinders_is_told_in_words(kfp: FakeKfp) -> None:
    def problem(asked: Cluster) -> KfpError:
        with pytest.raises(KfpError) as caught:
            list(asked.workflows())
        return caught.value

    assert isinstance(problem(cluster(kfp, "stale")), KfpNotLetIn)
    assert "stale" not in str(problem(cluster(kfp, "stale")))
    kfp.deny_cluster()
    denied = problem(cluster(kfp))
    assert isinstance(denied, KfpForbidden)
    assert "--verb=get,list,delete" in denied.fix and "mu-alice" in denied.fix
    kfp.fail_next(1, 503)
    assert isinstance(problem(cluster(kfp)), KfpUnavailable)
    kfp.login_page()
    assert isinstance(problem(cluster(kfp)), KfpNotAServer)


def test_in_a_pod_the_address_is_the_clusters_own_and_elsewhere_it_must_be_named() -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"}
    assert Cluster(Said(), "mu-alice", environ).url == "https://10.0.0.1:6443"
    assert Cluster(Said(), "mu-alice", {"KUBERNETES_SERVICE_HOST": "fd00::1"}).url == "https://[fd00::1]:443"
    with pytest.raises(ConfigError, match="names no address"):
        _ = Cluster(Said(), "mu-alice", {}).url


def test_doctor_says_whether_workflows_are_seen(kfp: FakeKfp) -> None:
    namespace = "mu-alice" if kfp.world.multi_user else "kubeflow"
    said = Kubeflow(
        Endpoints(kfp.url),
        {"training": namespace},
        by_header(ALICE),
        cluster=Said(server=kfp.url, variable="KUBE_TOKEN"),
    )
    assert said.access.user_header == UserHeader(ALICE)

    def lines(**environ: str) -> list[tuple[str, str, str]]:
        return list(examine_kubeflow(said, environ, QUICK))

    good = lines(KUBE_TOKEN="t0ken")
    assert ("ok", f"Kubernetes lets us see the Workflows of namespace {namespace}", "") in good
    assert not any("without a row" in what for _, what, _ in good)
    assert any(
        level == "missing" and "does not know the token" in what for level, what, _ in lines(KUBE_TOKEN="x")
    )


@pytest.mark.parametrize("sees", [True, False])
def test_the_scheduled_call_looks_for_them_where_the_platform_file_gives_access(
    tmp_path: Path, sees: bool
) -> None:
    with FakeKfp("database-utf8mb4", start=time.time() - 2 * orphans.AGE) as kfp:
        own(connection(kfp), OWNER)
        starting.start(connection(kfp), wanted())
        lost(kfp, "tagline wine/0.1.0/full/2")
        access = Said(server=kfp.url, variable="KUBE_TOKEN") if sees else None
        said = Kubeflow(Endpoints(kfp.url), {"training": "kubeflow"}, cluster=access)
        made = KubeflowPipelines(connection(kfp), said, OWNER, tmp_path, {"KUBE_TOKEN": "t0ken"})
        assert made.sweep("wine") == (["tagline wine/0.1.0/full/2"] if sees else [])
        assert len(left(kfp)) == (1 if sees else 2)
