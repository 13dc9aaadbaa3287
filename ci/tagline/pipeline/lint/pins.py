"""Which kfp a project asks for: of one that pins kfp 1, kfp 1's own names are no fault."""

import re
from pathlib import Path

_KFP = re.compile(
    r"""^[^#\n]*?(?<![\w.\-/])kfp["']?(?:\[[^\]]*\])?\s*(?P<wanted>[=<>~!{;,"'\]].*|)$""", re.MULTILINE
)
_FIRST = re.compile(r"(?:(?<![<>!=])={2,3}|~=)\s*v?1\.|<\s*2(?:\.0)*(?![.\d])|=\s*[\"'][\^~=]*1\.")
_FILES = ("requirements*.txt", "requirements*.in", "pyproject.toml", "setup.py", "setup.cfg", "Pipfile")
_HIGHEST = 8


def pins_kfp_1(text: str) -> bool:
    """Whether a requirements file, or a project's own file, asks for a kfp below 2."""
    return any(_FIRST.search(match["wanted"]) for match in _KFP.finditer(text))


def kfp_1(file: Path) -> bool:
    """Whether the nearest folder above a file that names kfp pins kfp 1; a repository's root is the last."""
    for folder in list(file.absolute().parents)[:_HIGHEST]:
        texts = [_text(each) for pattern in _FILES for each in sorted(folder.glob(pattern)) if each.is_file()]
        if any(_KFP.search(text) for text in texts):
            return any(map(pins_kfp_1, texts))
        if (folder / ".git").exists():
            return False
    return False


def _text(file: Path) -> str:
    return file.read_bytes().decode(errors="replace")
