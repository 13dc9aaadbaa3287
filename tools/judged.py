"""Run the linter again over the public repositories of tests/judged/*.csv, and compare with the lists.

`tools/judged.py CLONES`: CLONES holds a clone of each repository as OWNER+NAME, OWNER+NAME/repo or OWNER/NAME
(with or without a work tree). What is not there, or lacks the commit, is named. A wrong finding that does not come
any more is named as mended. Exit code 1 where a right one does not, or a file cannot be read.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tagline.errors import TaglineError
from tagline.pipeline import compiled
from tagline.pipeline.lint import registry
from tagline.pipeline.lint.finding import Finding
from tagline.pipeline.lint.source import Source

from tests.judged.listing import HELD_OUT, Entry, entries

EVERY = [*entries(), *entries(HELD_OUT)]


def clone_of(folder: Path, repository: str) -> Path | None:
    joined = repository.replace("/", "+")
    places = [folder / joined / "repo", folder / joined, folder / repository]
    return next((each for each in places if each.is_dir()), None)


def text_of(clone: Path, commit: str, path: str) -> str | None:
    done = subprocess.run(
        ["git", "-C", str(clone), "show", f"{commit}:{path}"], capture_output=True, timeout=60.0, check=False
    )
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def findings(text: str, path: str) -> list[Finding]:
    if path.endswith(".py"):
        return registry.source_findings(Source(text, path))
    return registry.compiled_findings(compiled.parse(text, path))


def compare(folder: Path) -> Iterator[str]:
    """One line for each thing that is not as the list says."""
    files: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for each in EVERY:
        files[each.repository, each.commit, each.path].append(each)
    for (repository, commit, path), judged in files.items():
        clone = clone_of(folder, repository)
        text = text_of(clone, commit, path) if clone else None
        if text is None:
            yield f"not fetched: {repository} {commit[:12]} {path} ({len(judged)} judged)"
            continue
        try:
            found = {(one.rule, str(one.line or ""), one.place) for one in findings(text, path)}
        except TaglineError as error:
            yield f"gone: {repository} {path}: {error.what}"
            continue
        for one in judged:
            if (one.rule, one.line, one.place) not in found:
                state = "gone" if one.right else "mended"
                yield f"{state}: {repository} {path} {one.line}: {one.rule}: {one.place} (judged {one.verdict})"


def main(folder: Path) -> int:
    said = list(compare(folder))
    print("\n".join([*said, f"{len(EVERY)} judged, {len(said)} not as the list says"]))
    return int(any(line.startswith("gone") for line in said))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
