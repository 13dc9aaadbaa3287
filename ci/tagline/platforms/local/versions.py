"""Uploaded versions on the local platform: files laid down whole or not at all, then one row that counts."""

import difflib
import hashlib
import os
import secrets
import shutil
from pathlib import Path

from tagline.errors import ContentDiffers
from tagline.platforms import UploadedVersion
from tagline.platforms.local.locks import held, lock_file
from tagline.platforms.local.store import Store

COMPILED, SOURCE = "pipeline.yaml", "source"
UPLOAD_LIMIT = 300.0
_SHOWN = 8


def upload(store: Store, version: UploadedVersion) -> UploadedVersion:
    """Keep `version`, whose paths lead to the caller's files and whose digest and identity are not known yet.

    Killed between any two calls and repeated it ends the same: the row is written last, and files without a
    row are thrown away. Raises `ContentDiffers` with the first differences.
    """
    from tagline.pipeline.identity import environment_identity

    name = f"{version.pipeline}/{version.release}"
    digest = _digest(version.compiled, version.tree)
    with held(lock_file(store.home, "version", name), UPLOAD_LIMIT):
        known = store.version(version.pipeline, version.release)
        if known and known.digest == digest:
            return known
        if known:
            raise ContentDiffers(
                f"{name} was uploaded before with other content:\n{difference(known, version)}",
                where=str(known.compiled),
                fix="release a new version: an uploaded one never changes",
            )
        place = _lay_down(store.home / "versions" / version.pipeline, version)
        kept = UploadedVersion(
            version.pipeline,
            version.release,
            version.commit,
            environment_identity(place / SOURCE),
            place / COMPILED,
            place / SOURCE,
            digest,
        )
        store.keep_version(kept)
    return kept


def _lay_down(folder: Path, version: UploadedVersion) -> Path:
    """Copy under another name, then rename; called with the version's lock held, and no row for it."""
    place = folder / str(version.release)
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in [place, *folder.glob(f".{version.release}~*")]:
        shutil.rmtree(leftover, ignore_errors=True)
    draft = folder / f".{version.release}~{secrets.token_hex(4)}"
    skipped = shutil.ignore_patterns("__pycache__", ".git")
    shutil.copytree(version.tree, draft / SOURCE, symlinks=True, ignore=skipped)
    shutil.copyfile(version.compiled, draft / COMPILED)
    draft.rename(place)
    return place


def _digest(compiled: Path, source: Path) -> str:
    """SHA-256 over what the compiled file says and the source tree, as `pipeline.identity` digests them."""
    from tagline.pipeline.identity import content_digest, tree_digest

    return hashlib.sha256(f"{content_digest(compiled)}\n{tree_digest(source)}\n".encode()).hexdigest()


def _files(tree: Path) -> dict[str, tuple[bool, bytes]]:
    """Each file's executable bit and content (of a link: where it leads) by its path."""
    found = {}
    for folder, folders, names in os.walk(tree):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = [name for name in folders if name != "__pycache__"]
        for path in (Path(folder, name) for name in [*names, *links]):
            content = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
            found[path.relative_to(tree).as_posix()] = (os.access(path, os.X_OK), content)
    return found


def difference(known: UploadedVersion, new: UploadedVersion) -> str:
    """The first differences between two contents of one version, as lines."""
    before, after = _files(known.tree), _files(new.tree)
    lines = [
        f"  {'added' if name not in before else 'removed' if name not in after else 'changed'}: {name}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    old, fresh = (path.read_text(errors="replace").splitlines() for path in (known.compiled, new.compiled))
    changed = difflib.unified_diff(old, fresh, COMPILED, COMPILED, n=0, lineterm="")
    lines += [f"  {line}" for line in changed]
    rest = [f"  and {len(lines) - _SHOWN} lines more"] if len(lines) > _SHOWN else []
    return "\n".join(lines[:_SHOWN] + rest)
