"""A server whose model fails, does not load, or is told to stop: real KServe."""

import signal
import threading
import time

import pytest
import tagline_task

from . import servers

# the first run installs KServe; one worker holds the servers
pytestmark = [pytest.mark.timeout(1200), pytest.mark.xdist_group("task-serve")]


@pytest.mark.parametrize("model", ["dictionary.joblib", "broken.joblib"])
def test_a_model_that_does_not_load_exits_6_before_the_port_opens(kserve_python, folder, model):
    sha256 = tagline_task.digest(folder / model)
    server = servers.start(
        kserve_python, folder, servers.free_port(), predictor="sklearn", model=model, sha256=sha256
    )
    assert server.process.wait(60) == 6
    assert server.log.read_text().splitlines()[-1].startswith("error: tagline_task.serve: ")


def test_another_model_than_the_one_of_the_digest_exits_5(kserve_python, folder):
    server = servers.start(
        kserve_python, folder, servers.free_port(), predictor="sklearn", model="good.joblib", sha256="0" * 64
    )
    assert server.process.wait(60) == 5


def test_a_taken_port_exits_9_and_names_it(good, kserve_python, folder):
    sha256 = tagline_task.digest(folder / "text")
    second = servers.start(
        kserve_python, folder, good.port, predictor="custom:src/serve.py", model="text", sha256=sha256
    )
    assert second.process.wait(60) == 9
    assert f"could not listen on 127.0.0.1:{good.port}" in second.log.read_text()


@pytest.mark.parametrize("do", ["raise", "leave", "not implemented", "object"])
def test_a_model_that_fails_is_a_500_that_keeps_the_connection(custom, do):
    connection = custom.connection()
    for _ in range(20):
        asked = {"instances": [{"do": do}]}
        assert custom.ask("/v1/models/wine:predict", asked, connection)[0] == 500
        asked = {"instances": [{"do": "answer"}]}
        assert custom.ask("/v1/models/wine:predict", asked, connection) == (200, {"predictions": ["hello"]})


def test_the_reason_of_a_failure_is_in_the_answer(custom):
    assert custom.predict({"do": "raise"}) == (500, {"error": "ValueError: of the model"})


def test_the_traceback_of_a_failure_is_logged_once(custom):
    for _ in range(5):
        custom.predict({"do": "raise"})
    assert custom.log.read_text().count('raise ValueError("of the model")') <= 2


def test_a_custom_model_may_refuse_an_instance_as_the_clients_mistake(custom):
    assert custom.predict({"do": "refuse"}) == (400, {"error": "not this one"})


def test_a_prediction_that_is_not_finite_arrives_as_null(custom):
    assert custom.predict({"do": "nan"}) == (200, {"predictions": [None]})


def test_health_is_answered_while_a_model_thinks(custom):
    thinking = threading.Thread(target=custom.predict, args=({"do": "sleep", "seconds": 2},))
    thinking.start()
    time.sleep(0.3)
    began = time.monotonic()
    status, _ = custom.ask("/v2/health/live")
    took = time.monotonic() - began
    still = thinking.is_alive()
    thinking.join()
    assert (status, still) == (200, True)
    assert took < 1


def test_requests_in_flight_are_answered_after_sigterm_and_the_exit_is_0(kserve_python, folder):
    with servers.serving(kserve_python, folder, "custom:src/serve.py", "text") as server:
        answers = []
        asking = [
            threading.Thread(target=lambda: answers.append(server.predict({"do": "sleep", "seconds": 0.5})))
            for _ in range(3)
        ]
        for each in asking:
            each.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        for each in asking:
            each.join()
        assert server.process.wait(30) == 0
    assert answers == [(200, {"predictions": ["slept"]})] * 3


def test_a_model_without_a_missing_value_handler_fails_where_a_field_is_missing(kserve_python, folder, rows):
    lacking = {name: value for name, value in rows[0].items() if name != "ash"}
    with servers.serving(kserve_python, folder, "sklearn", "fragile.joblib") as server:
        assert server.predict(rows[0]) == (200, {"predictions": [0]})
        status, answer = server.predict(lacking)
    assert status == 500 and answer["error"].startswith("ValueError: Input X contains NaN")
