"""The how-to page on common components: its blocks, and the project that they make."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/how-to/components.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PIPELINE = "docker/kubeflow_pipeline/pipeline.py"


def shell() -> list[str]:
    """The blocks of commands."""
    return [text for kind, text in BLOCK.findall(TEXT) if kind == "sh"]


def python(file: str) -> list[str]:
    """The blocks that say, in their first line, that they are this file."""
    return [text for kind, text in BLOCK.findall(TEXT) if kind == "python" and text.startswith(f"# {file}\n")]


def project(folder: Path, number: int = 0) -> Path:
    """A project with one of the page's pipelines, and its task; the pipeline's file."""
    task = "src/pipeline_steps/train_model/task.py"
    for name, text in ((PIPELINE, python(PIPELINE)[number]), (task, python(task)[0])):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    settings = 'PIPELINE_NAME = "wine"\nBASE_IMAGE = "registry.example/wine:dev"\n'
    (folder / PIPELINE).with_name("kfp_vars.py").write_text(settings)
    return folder / PIPELINE


def locked(names: str) -> str:
    """The lines of our own lock for these packages, with their hashes, for each Python that they name."""
    pins = re.finditer(
        r"^(\S+?)==.*(?:\n    --hash.*)+", (ROOT / "requirements/test.txt").read_text(), re.MULTILINE
    )
    wanted = set(names.split())
    return "\n".join(match[0] for match in pins if match[1] in wanted) + "\n"
