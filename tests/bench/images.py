"""`make bench-image`: `tagline build` beside plain `docker build`, on a real engine and a real registry."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.commands import BIN
from tests.bench.timing import side_by_side, wall
from tests.real import debian, engine
from tests.real.registry import registry

RUNS = 10
LIMIT_MS = 500.0
PACKAGES = ("click", "msgspec", "pyyaml", "numpy")
BASE = "tagline-test/python:4"


def locked(*names: str) -> str:
    """The lines of our own lock for these packages, with their hashes."""
    text = (engine.ROOT / "requirements/test.txt").read_text()
    pins = {
        match[1]: match[0] for match in re.finditer(r"^(\S+?)==.*(?:\n    --hash.*)+", text, re.MULTILINE)
    }
    return "\n".join(pins[name] for name in names) + "\n"


def project(folder: Path, base: str, host: str) -> Path:
    """A project with the template's Dockerfile and a few real packages, committed."""
    tree = folder / "wine"
    (tree / "src").mkdir(parents=True)
    (tree / "docker/base_image").mkdir(parents=True)
    template = engine.ROOT / "project-template/template/docker/base_image/Dockerfile"
    text = template.read_text().replace("python:3.11-slim", base)
    (tree / "docker/base_image/Dockerfile").write_text(text)
    (tree / "src/requirements.txt").write_text(locked(*PACKAGES))
    (tree / "src/task.py").write_text("print(1)\n")
    (tree / "tagline.yaml").write_text(
        f"pipeline: wine\nengine: docker\nimage: {{repository: {host}/bench/wine}}\n"
    )
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tree, check=True)
    return tree


def changed_line(commands: Mapping[str, list[str]], tree: Path, env: Mapping[str, str], home: Path) -> str:
    """One line of the source changed, then each command: what it took, and whether pip ran again."""
    rows = ["| command | ms | packages installed again |", "|---|---|---|"]
    for number, (name, argv) in enumerate(commands.items()):
        (tree / "src/task.py").write_text(f"print({number + 2})\n")
        for log in home.glob("images/*.log"):
            log.unlink()
        log = home / "plain.log"
        taken = wall(argv, tree, {**env, "BENCH_LOG": str(log)})
        said = "".join(file.read_text() for file in [*home.glob("images/*.log"), *home.glob("plain.log")])
        rows.append(f"| {name} | {taken:.0f} | {'yes' if 'Successfully installed' in said else 'no'} |")
        log.unlink(missing_ok=True)
    return "\n".join(rows)


def main() -> None:
    with (
        engine.docker_environ() as environ,
        TemporaryDirectory() as place,
        registry(Path(place) / "registry") as running,
    ):
        folder = Path(place)
        debian.imported(BASE, debian.archive("python", debian.PYTHON), environ)
        base = debian.pushed(BASE, f"{running.host}/base", environ)
        tree, home = project(folder, base, running.host), folder / "home"
        env = {**environ, "TAGLINE_HOME": str(home)}
        plain = f"{running.host}/bench/plain:1"
        build = (
            "docker buildx build --progress=plain --network=host --file docker/base_image/Dockerfile "
            f"--secret id=ca.crt,src=$PIP_CERT --secret id=pip.conf,src=pip.conf --tag {plain} --load . "
            f">$BENCH_LOG 2>&1 && docker push --quiet {plain}"
        )
        (tree / "pip.conf").write_text("[global]\ncert = /run/secrets/ca.crt\n")
        env["PIP_CERT"] = environ.get("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt")
        commands = {
            "docker build, docker push": ["sh", "-c", build],
            "tagline build --push": [str(BIN / "tagline"), "build", "--push"],
        }
        first = {name: wall(argv, tree, {**env, "BENCH_LOG": "/dev/null"}) for name, argv in commands.items()}
        print("### The first build (the second command finds the first one's layers)\n")
        print("| command | ms |\n|---|---|")
        print("\n".join(f"| {name} | {taken:.0f} |" for name, taken in first.items()))
        print("\n### With nothing changed\n")
        table = side_by_side(commands, tree, {**env, "BENCH_LOG": "/dev/null"}, RUNS)
        print(table)
        print("\n### One line of the source changed\n")
        print(changed_line(commands, tree, env, home))
        median = float(table.splitlines()[-1].split("|")[3])
        if median > LIMIT_MS:
            raise SystemExit(
                f"tagline build took {median:.0f} ms with nothing changed, above {LIMIT_MS:.0f} ms"
            )


if __name__ == "__main__":
    main()
