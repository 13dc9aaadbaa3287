"""The work tree that a command is called in: its top folder, and its pipeline compiled in place."""

import os
from pathlib import Path

from tagline import config
from tagline.pipeline import compile as compiling
from tagline.pipeline.project import Project


def compile_work_tree(folder: Path, file: Path | None, output: Path | None) -> Path:
    """`tagline compile`: compile a pipeline file to `output`, by default beside it; returns where.

    Its code is under the guards of the repository that it lies in, and does not see the gate's data.
    """
    from tagline.engines import sandbox
    from tagline.flow.world import default_name, open_engine
    from tagline.platforms.local.home import tagline_home

    sandbox.protect_parent()
    project = Project.of_file(file) if file else Project.find(root_of(folder))
    root = root_of(project.root)
    policy = root / config.FILE
    own = config.parse(policy.read_text(), default_name=default_name(root.name)) if policy.is_file() else None
    engine = open_engine(tagline_home(os.environ), os.environ, root, own)
    return compiling.compile_file(project.pipeline, output or project.committed, engine.run)


def root_of(folder: Path) -> Path:
    """The top folder of the repository that the folder lies in, or the folder itself."""
    from tagline.errors import NoRepository
    from tagline.git.repo import Repo

    try:
        return Repo.open(folder).root
    except NoRepository:
        return folder
