"""The work tree that a command is called in: its top folder, and its pipeline compiled in place."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tagline import config
from tagline.errors import ConfigError
from tagline.pipeline import compile as compiling
from tagline.pipeline.project import Project

if TYPE_CHECKING:
    from tagline.config import Config
    from tagline.engines import Engine


def compile_work_tree(folder: Path, file: Path | None, output: Path | None) -> list[Path]:
    """`tagline compile`: compile a pipeline file to `output`, by default beside it; returns where.

    Without `file` every pipeline of the repository is compiled; `output` is then for a single one. Its code is
    under the guards of the repository that it lies in, and does not see the gate's data.
    """
    root = root_of(Project.of_file(file).root if file else folder)
    own, engine = guarded(root)
    if file:
        projects = [Project.of_file(file)]
    else:
        projects = [Project.find(root, one) for one in own.each()] if own else [Project.find(root)]
    if output and len(projects) > 1:
        raise ConfigError(
            f"one file for {len(projects)} pipelines",
            where=str(output),
            fix=f"tagline compile {projects[0].pipeline.relative_to(root)} -o {output}",
        )
    return compiling.compile_projects(projects, [output or one.committed for one in projects], engine.run)


def guarded(root: Path) -> "tuple[Config | None, Engine]":
    """The tagline.yaml of a work tree, and the engine whose commands are under the guards of its repository."""
    from tagline.engines import sandbox
    from tagline.flow.opening import open_engine
    from tagline.flow.world import default_name
    from tagline.platforms.local.home import tagline_home

    sandbox.protect_parent()
    policy = root / config.FILE
    own = config.parse(policy.read_text(), default_name=default_name(root.name)) if policy.is_file() else None
    return own, open_engine(tagline_home(os.environ), os.environ, root, own)


def root_of(folder: Path) -> Path:
    """The top folder of the repository that the folder lies in, or the folder itself."""
    from tagline.errors import NoRepository
    from tagline.git.repo import Repo

    try:
        return Repo.open(folder).root
    except NoRepository:
        return folder
