"""Several pipelines of one repository on a Kubeflow platform: one call, each its own versions, runs and schedules."""

from collections.abc import Iterator

import pytest

from tests.flow.on_kubeflow import Cluster, Saved, cluster
from tests.flow.stage import Desk
from tests.flow.test_several import PIPELINE

OTHERS = """pipelines:
  tiny: {{paths: [src/, docker/], {tiny}}}
  other: {{file: jobs/other.py, paths: [jobs/], {other}}}
"""
TINY = "schedules: {nightly: {cron: '0 2 * * *', time_zone: UTC}}"
OTHER = "schedules: {weekly: {cron: '0 3 * * 1', time_zone: UTC}}"


def split(desk: Desk) -> None:
    """Make two pipelines of the tiny one, each with a schedule."""
    work = desk.clone.path
    for name in ("pipeline.py", "pipeline.yaml"):
        (work / "docker/kubeflow_pipeline" / name).unlink()
    kept = [
        line
        for line in (work / "tagline.yaml").read_text().splitlines()
        if line.startswith(("engine", "image"))
    ]
    desk.clone.write(
        {
            "docker/kubeflow_pipeline/tiny.py": PIPELINE.format(name="tiny", seconds=0.0),
            "jobs/other.py": PIPELINE.format(name="other", seconds=0.1),
            "tagline.yaml": "\n".join(kept) + "\n" + OTHERS.format(tiny=TINY, other=OTHER),
        }
    )
    compiled = desk.tagline("compile")
    assert compiled.code == 0, compiled


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("several"), change=split) as made:
        yield made


@pytest.fixture(scope="module")
def released(place: Cluster) -> Saved:
    """Both pipelines released, scheduled and training, by one call."""
    done = place.tagline("ci")
    assert done.code == 0, done
    return place.save()


def schedules(place: Cluster) -> list[str]:
    return sorted(f"{job.display_name.rpartition(' ')[0]} {job.mode}" for job in place.kfp.recurring)


def test_one_call_releases_schedules_and_trains_each_of_them(place: Cluster, released: Saved) -> None:
    place.restore(released)
    assert sorted(place.held()["tags"]) == ["refs/tags/other@v0.1.0", "refs/tags/tiny@v0.1.0"]
    assert schedules(place) == ["tagline other/weekly 0.1.0 ENABLE", "tagline tiny/nightly 0.1.0 ENABLE"]
    full = sorted(run.display_name for run in place.kfp.runs if "/full/" in run.display_name)
    assert full == ["tagline other/0.1.0/full/1", "tagline tiny/0.1.0/full/1"]


def test_a_schedule_that_changes_in_git_without_a_release_changes_on_the_server(
    place: Cluster, released: Saved
) -> None:
    place.restore(released)
    place.desk.change("tagline.yaml", "0 2 * * *", "0 4 * * *")
    place.merge("chore: another hour")
    done = place.tagline("ci")
    assert done.code == 0, done
    assert sorted(place.held()["tags"]) == ["refs/tags/other@v0.1.0", "refs/tags/tiny@v0.1.0"]
    crons = sorted(job.trigger["cron_schedule"]["cron"] for job in place.kfp.recurring)
    assert crons == ["0 0 3 * * 1", "0 0 4 * * *"]


def test_a_pipeline_that_is_no_longer_declared_leaves_no_schedule_behind(
    place: Cluster, released: Saved
) -> None:
    place.restore(released)
    text = (place.desk.clone.path / "tagline.yaml").read_text().splitlines(keepends=True)
    (place.desk.clone.path / "tagline.yaml").write_text(
        "".join(line for line in text if "other:" not in line)
    )
    place.merge("chore: without the other")
    done = place.tagline("ci")
    assert done.code == 0, done
    assert schedules(place) == ["tagline tiny/nightly 0.1.0 ENABLE"]


def test_a_merge_that_neither_releases_nor_changes_a_schedule_asks_the_server_nothing(
    place: Cluster, released: Saved
) -> None:
    place.restore(released)
    for name in ("tiny", "other"):
        place.trained(f"{name}/0.1.0")
    assert place.tagline("ci").code == 0
    (place.desk.clone.path / "README.md").write_text("words\n")
    place.merge("docs: words")
    place.kfp.asked.clear()
    done = place.tagline("ci")
    assert done.code == 0, done
    assert place.kfp.asked == []
