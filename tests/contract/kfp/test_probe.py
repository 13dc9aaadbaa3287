"""What a server says of itself, and the generated client, on the fake and on a real server."""

from collections.abc import Iterator

import pytest
from tagline.errors import KfpNotAServer, KfpNotThere
from tagline.kubeflow_keys import Access
from tagline.platforms.kubeflow.server import probe
from tagline.platforms.kubeflow.server.connection import Connection, Patience

from tests.contract.kfp.opened import opened
from tests.contract.kfp.under_test import Server


@pytest.fixture
def where(server: Server) -> Iterator[Connection]:
    yield opened(server.url, Access(), patience=Patience())


def test_the_server_is_what_its_healthz_says_and_its_database_answers(
    server: Server, where: Connection
) -> None:
    found = probe.health(where)
    assert (found.multi_user, found.version) == (server.met["multi_user"], server.met["tag_name"])
    assert found.store == server.met.get("pipeline_store", "database")
    probe.is_let_in(where)


def test_an_experiment_made_through_the_connection_is_found_and_gone_again(
    server: Server, where: Connection
) -> None:
    name = server.name("e")
    made = where.ask("POST", "/experiments", body={"display_name": name, "namespace": where.scope})
    found = where.services.experiments.experiment_service_get_experiment(made["experiment_id"])
    assert found.display_name == name
    listed = where.pages("/experiments", "experiments", {"namespace": where.scope})
    assert name in [one["display_name"] for one in listed]
    where.ask("DELETE", f"/experiments/{made['experiment_id']}")
    with pytest.raises(KfpNotThere):
        where.ask("GET", f"/experiments/{made['experiment_id']}")


def test_a_route_that_the_server_lacks_is_no_missing_object(where: Connection) -> None:
    with pytest.raises(KfpNotAServer):
        where.ask("GET", "/nope")
