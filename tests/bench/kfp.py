"""`make bench-kfp`: compile and lint beside `kfp dsl compile`, and what a call with nothing to do asks the server."""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.lint import registry

from tests.fakes.kfp import FakeKfp
from tests.flow.stage import TINY, new_desk

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LINTED, COMPILED = 100, 200
PIPELINE = """from kfp import dsl

@dsl.container_component
def step(rate: float):
    return dsl.ContainerSpec(image="python:3.11", command=["echo"], args=[rate])

@dsl.pipeline(name="bench-{number}")
def pipeline(rate: float = 0.{number}):
    step(rate=rate)
"""


def lint_table() -> str:
    """100 compiled pipelines read and linted in one process, without kfp."""
    file = ROOT / "tests/projects/plain_kfp/docker/kubeflow_pipeline/pipeline.yaml"
    text = file.read_text()
    begun = time.perf_counter()
    found = sum(len(registry.compiled_findings(compiled_file.parse(text, str(file)))) for _ in range(LINTED))
    taken = time.perf_counter() - begun
    assert "kfp" not in sys.modules and "kfp.dsl" not in sys.modules
    rows = ["| lint | seconds |", "|---|---|"]
    rows.append(f"| {LINTED} compiled pipelines, {found} findings (limit 1 s) | {taken:.2f} |")
    return "\n".join(rows)


def compile_table(folder: Path) -> str:
    """The same pipelines compiled and linted by one call of ours, and by a loop of kfp's own command."""
    names = [f"bench-{number}" for number in range(COMPILED)]
    work = folder / "work"
    (work / "pipelines").mkdir(parents=True)
    for number, name in enumerate(names):
        (work / f"pipelines/{name}.py").write_text(PIPELINE.format(number=number))
    (work / "tagline.yaml").write_text("pipelines: {" + ", ".join(f"{name}: {{}}" for name in names) + "}\n")
    environ = {**os.environ, "TAGLINE_HOME": str(folder / "home")}
    ours = _seconds([[str(BIN / "tagline"), "compile"], [str(BIN / "tagline"), "lint"]], work, environ)
    kfp = [str(BIN / "kfp"), "dsl", "compile", "--py"]
    loop = [[*kfp, f"pipelines/{name}.py", "--output", f"{name}.yaml"] for name in names]
    theirs = _seconds(loop, work, environ)
    rows = ["| compile and lint | seconds | ratio |", "|---|---|---|"]
    rows.append(f"| `tagline compile` and `tagline lint`, {COMPILED} pipelines | {ours:.1f} | 1 |")
    rows.append(
        f"| a loop of `kfp dsl compile` over them, without a lint | {theirs:.1f} | {theirs / ours:.1f} |"
    )
    return "\n".join(rows)


def _seconds(commands: list[list[str]], work: Path, environ: dict[str, str]) -> float:
    begun = time.perf_counter()
    for argv in commands:
        subprocess.run(argv, cwd=work, env=environ, check=True, capture_output=True)
    return time.perf_counter() - begun


def rerun_table(folder: Path) -> str:
    """A call on a Kubeflow platform with nothing to do, as the server sees it."""
    desk = new_desk(folder / "desk", TINY)
    rows = ["| a merge with nothing to change | requests |", "|---|---|"]
    with FakeKfp("multiuser") as kfp:
        text = f"name: acme\nkind: kubeflow\nendpoints: {{pipelines: '{kfp.url}'}}\n"
        text += "namespaces: {training: mu-alice}\n"
        file = desk.folder / "platform.yaml"
        file.write_text(
            f"{text}access: {{user_header: {{user: alice@example.com}}}}\nstore: {{root: 's3://models/v2'}}\n"
        )
        head = desk.clone.head()
        desk.clone.git("tag", "v0.1.0", head)
        desk.clone.git("push", "-q", "origin", "v0.1.0")
        desk.merge("docs: nothing that counts")
        done = desk.tagline("ci", TAGLINE_PLATFORM_FILE=str(file))
        assert done.code == 0, done
        rows.append(f"| HEAD contained in, or not affecting, the newest release | {len(kfp.asked)} |")
    return "\n".join(rows)


def main() -> None:
    os.environ.setdefault("TAGLINE_VENVS", str(ROOT / ".demo/venvs"))
    with TemporaryDirectory() as place:
        for made in (lint_table(), compile_table(Path(place)), rerun_table(Path(place))):
            print(f"{made}\n", flush=True)


if __name__ == "__main__":
    main()
