"""An image is built once for each content, by a real engine, and kept in a real registry."""

import json
import os
import time

import msgspec
import pytest
from tagline.errors import BaseNotPinned, BuildFailed, EngineMissing, ImageRefused, SecretExposed
from tagline.images import LABEL
from tagline.images.making import Made, pinned
from tagline.images.reference import Reference
from tagline.images.registry import Repository

from tests.contract.images.conftest import DOCKERFILE, Bench
from tests.real import debian, engine
from tests.real.registry import Registry

RUN_TASK = ("python3", "/app/src/task.py")


def requests(registry: Registry, bench: Bench) -> list[str]:
    """What the registry was asked about this test's repository, as METHOD and PATH."""
    time.sleep(0.2)
    path = bench.own.image.repository.partition("/")[2]
    lines = registry.log.read_text(errors="replace").splitlines()
    words = [
        line.split('"')[1].rsplit(" ", 1)[0] for line in lines if f"/v2/{path}/" in line and line[0].isdigit()
    ]
    return [word for word in words if word]


def inspected(made: Made, bench: Bench) -> dict[str, object]:
    debian.docker(bench.environ, "pull", "--quiet", made.reference)
    found = json.loads(debian.docker(bench.environ, "image", "inspect", made.reference))
    return dict(found[0]["Config"])


def test_what_was_built_is_found_again_by_one_head_and_no_engine(bench: Bench, plain: Registry) -> None:
    first = bench.make()
    before = len(requests(plain, bench))
    again = bench.make()
    assert (first.built, first.pushed, again.built) == (True, True, False)
    assert again.reference == first.reference
    assert bench.builds == []
    assert requests(plain, bench)[before:] == [
        f"HEAD /v2/{bench.own.image.repository.partition('/')[2]}/manifests/content-{first.content}"
    ]


def test_a_rebuild_on_an_empty_registry_gives_the_same_bytes(bench: Bench) -> None:
    bench.make()
    (bench.tree / "src/task.py").write_text("print('changed: some layers are cached, some are new')\n")
    first = bench.make()
    assert first.why_not == ""
    debian.docker(bench.environ, "builder", "prune", "--all", "--force")
    bench.own = msgspec.structs.replace(
        bench.own,
        image=msgspec.structs.replace(bench.own.image, repository=bench.own.image.repository + "-2"),
    )
    (bench.tree / "src/task.py").touch()
    second = bench.make()
    assert second.built
    assert second.reference.partition("@")[2] == first.reference.partition("@")[2]


def test_a_change_that_keeps_a_file_s_size_and_time_is_in_the_next_image(bench: Bench) -> None:
    file = bench.tree / "src/task.py"
    file.write_text("print('threshold', 40)\n")
    before = file.stat()
    bench.make()
    file.write_text("print('threshold', 42)\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    made = bench.make()
    said = debian.docker(bench.environ, "run", "--rm", "--network=host", made.reference, *RUN_TASK)
    assert said == "threshold 42"


def test_what_follows_a_here_string_and_what_links_lead_to_is_in_the_image(bench: Bench) -> None:
    (bench.tree / "entry.py").symlink_to("src/task.py")
    (bench.tree / "linked").symlink_to("src")
    lines = 'SHELL ["/bin/bash", "-c"]\nRUN cat <<< "text" > /tmp/motd\nCOPY entry.py linked/task.py /app/copied/\n'
    file = bench.tree / "Dockerfile"
    file.write_text(file.read_text() + lines)
    command = ("cat", "/app/copied/entry.py", "/app/copied/task.py")
    for text in ("print('one')", "print('two')"):
        (bench.tree / "src/task.py").write_text(text)
        made = bench.make()
        said = debian.docker(bench.environ, "run", "--rm", "--network=host", made.reference, *command)
        assert said == text * 2


def test_what_no_instruction_copies_changes_nothing(bench: Bench) -> None:
    first = bench.make()
    (bench.tree / "README.md").write_text("not in the image\n")
    assert bench.make().reference == first.reference


def test_the_image_carries_one_label_and_runs_as_nobody_special(bench: Bench) -> None:
    made = bench.make()
    found = inspected(made, bench)
    assert found["Labels"] == {LABEL: made.content}
    assert found["User"] == "1000"


def test_tagline_task_is_in_the_image(bench: Bench) -> None:
    made = bench.make()
    said = debian.docker(bench.environ, "run", "--rm", "--network=host", made.reference, *RUN_TASK)
    assert said == "task tagline_task"


def test_without_push_nothing_reaches_the_registry_and_the_engine_holds_it(
    bench: Bench, plain: Registry
) -> None:
    made = bench.make(push=False)
    assert {word.split()[0] for word in requests(plain, bench)} == {"HEAD"}
    assert not made.pushed
    assert debian.docker(bench.environ, "run", "--rm", "--network=host", made.reference, "id", "-u") == "1000"
    assert not bench.make(push=False).built


def test_a_base_by_tag_is_refused_and_pinned_by_a_registry_s_answer(
    bench: Bench, plain: Registry, base: str
) -> None:
    loose = f"{plain.host}/base:1"
    text = DOCKERFILE.format(base=loose)
    (bench.tree / "Dockerfile").write_text(text)
    with pytest.raises(BaseNotPinned, match="base:1"):
        bench.make()
    changed, said = pinned(text, {}, bench.environ)
    assert changed == DOCKERFILE.format(base=f"{loose}@{base.partition('@')[2]}")
    assert len(said) == 1
    (bench.tree / "Dockerfile").write_text(changed)
    assert bench.make().built


def test_an_image_that_runs_as_root_never_reaches_the_registry(bench: Bench) -> None:
    file = bench.tree / "Dockerfile"
    file.write_text(file.read_text().replace("USER 1000", "USER root"))
    with pytest.raises(ImageRefused, match="root"):
        bench.make()
    place = Reference.parse(bench.own.image.repository)
    assert Repository(place, bench.environ).digest("latest") == ""
    file.write_text(file.read_text().replace("USER root", "USER 1000"))
    assert bench.make().pushed  # what was refused is only that: the same with a user passes


def test_a_layer_with_a_secret_of_this_machine_is_not_sent(bench: Bench, plain: Registry) -> None:
    (bench.tree / "src/leak.txt").write_text("the password is correct-horse-battery\n")
    quiet, bench.environ = bench.environ, {**bench.environ, "DB_PASSWORD": "correct-horse-battery"}
    with pytest.raises(SecretExposed, match="DB_PASSWORD") as caught:
        bench.make()
    assert "correct-horse" not in str(caught.value)
    assert not [word for word in requests(plain, bench) if word.startswith("PUT") and "/manifests/" in word]
    bench.environ = quiet
    assert bench.make().pushed  # the same layer passes where the value is nobody's secret


def test_a_build_argument_named_like_a_secret_is_refused(bench: Bench) -> None:
    image = msgspec.structs.replace(bench.own.image, args={"PIP_TOKEN": "x"})
    bench.own = msgspec.structs.replace(bench.own, image=image)
    with pytest.raises(SecretExposed, match="PIP_TOKEN"):
        bench.make()


def test_a_failing_step_shows_the_end_of_the_log(bench: Bench) -> None:
    file = bench.tree / "Dockerfile"
    file.write_text(file.read_text() + "RUN echo this step is broken >&2 && false\n")
    with pytest.raises(BuildFailed, match="this step is broken"):
        bench.make()


def test_without_an_engine_the_error_names_the_address_at_once(bench: Bench) -> None:
    bench.environ = {**bench.environ, "TAGLINE_DOCKER_HOST": "unix:///nowhere/docker.sock"}
    begun = time.monotonic()
    with pytest.raises(EngineMissing) as caught:
        bench.make()
    assert caught.value.where == "unix:///nowhere/docker.sock"
    assert time.monotonic() - begun < 5


def test_a_base_and_a_requirements_file_need_no_dockerfile(bench: Bench, base: str) -> None:
    (bench.tree / "Dockerfile").unlink()
    image = msgspec.structs.replace(bench.own.image, base=base)
    bench.own = msgspec.structs.replace(bench.own, image=image)
    made = bench.make()
    assert made.pushed
    assert inspected(made, bench)["User"] == "1000"


def test_docker_s_own_image_store_builds_too_and_says_that_it_is_not_reproducible(bench: Bench) -> None:
    with engine.docker_environ(own=True) as environ:
        bench.environ = environ
        made = bench.make()
        assert made.pushed
        assert "containerd image store" in made.why_not
        assert not bench.make().built
        assert inspected(made, bench)["Labels"] == {LABEL: made.content}
