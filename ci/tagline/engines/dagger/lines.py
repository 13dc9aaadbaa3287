"""The command lines that run in a container: one function for each thing that a Dagger module can be asked."""

from collections.abc import Mapping

OUT = "/tmp/tagline-out"  # only files and folders of this place leave the container
REPORT = f"{OUT}/report"
PIPELINE = f"{OUT}/pipeline.yaml"
PLAN = f"{OUT}/plan.json"
JSON = f"{OUT}/said.json"


def _options(values: Mapping[str, str]) -> list[str]:
    """The options that have a value, each as one word: a value that begins with a dash stays a value."""
    return [f"--{name}={value}" for name, value in values.items() if value]


def compile_line() -> list[str]:
    """Writes `PIPELINE`."""
    return ["tagline", "compile", f"--output={PIPELINE}"]


def check_line(*, smoke: bool) -> list[str]:
    """Says its report as JSON, and leaves `REPORT`."""
    return ["tagline", "check", *(["--smoke"] if smoke else []), f"--report={REPORT}", "--json"]


def plan_line(event: str, ref: str, env: str) -> list[str]:
    """Writes `PLAN`, as `tagline run` reads it."""
    return [
        "tagline",
        "plan",
        *_options({"event": event, "ref": ref, "env": env}),
        f"--output={PLAN}",
        "--json",
    ]


def smoke_line() -> list[str]:
    """A short run of HEAD, which registers nothing; leaves `REPORT`."""
    return ["tagline", "train", "--smoke", f"--report={REPORT}", "--json"]


def promote_line(model: str, env: str, version: str, *, preview: bool, reason: str = "") -> list[str]:
    """Previews a promotion, or asks for it by a tag; the answer is JSON."""
    options = _options({"to": env, "version": version, "reason": reason})
    return ["tagline", "promote", *options, *(["--preview"] if preview else []), "--json", "--", model]


def build_line(*, push: bool) -> list[str]:
    """Builds the tree's image with the Docker engine at hand; the answer is JSON."""
    return ["tagline", "build", *(["--push"] if push else []), "--json"]
