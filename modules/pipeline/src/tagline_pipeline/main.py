"""The module `tagline-pipeline`: pipeline.py to pipeline.yaml, and the plan of a call."""

from typing import Annotated

import dagger
from dagger import Doc, function, object_type
from tagline.engines.dagger import chains, lines


@object_type
class TaglinePipeline:
    """Compile a pipeline, and plan what a call of CI would do."""

    base: Annotated[str, Doc("Image with Python 3.11 to 3.13 and git, as your mirror names it.")] = (
        chains.BASE
    )
    wheelhouse: Annotated[
        dagger.Directory | None,
        Doc("Folder of wheels with their lock that tagline is installed from, offline."),
    ] = None
    index: Annotated[
        dagger.Secret | None,
        Doc("Address of the package index that serves tagline and the project's packages."),
    ] = None
    lock: Annotated[
        dagger.File | None,
        Doc("Lock of tagline with hashes, for an index; default: the one of this reference."),
    ] = None

    @function
    def compile(self, source: Annotated[dagger.Directory, Doc("The project's tree.")]) -> dagger.File:
        """pipeline.yaml of the tree: the same tree gives the same bytes, and is compiled once."""
        return chains.ran(self._tree(source), lines.compile_line()).file(lines.PIPELINE)

    @function(cache="session")
    def plan(
        self,
        source: Annotated[dagger.Directory, Doc("The project's tree with its `.git`; its remote is https.")],
        event: Annotated[str, Doc("pr, merge, tag or schedule; default: what git says.")] = "",
        ref: Annotated[str, Doc("The tag of a tag event, or the branch of the others.")] = "",
        env: Annotated[str, Doc("Plan the promotions of this environment only.")] = "",
        token: Annotated[
            dagger.Secret | None, Doc("Token that git reads the remote with, where it asks for one.")
        ] = None,
    ) -> dagger.File:
        """The plan of a call as a file that `tagline run` carries on; nothing is done."""
        asked = chains.anew(chains.with_tree(self._tagline(), source, token), chains.new_run())
        return chains.ran(asked, lines.plan_line(event, ref, env)).file(lines.PLAN)

    def _tree(self, source: dagger.Directory) -> dagger.Container:
        return chains.with_tree(self._tagline(), chains.without_history(source))

    def _tagline(self) -> dagger.Container:
        return chains.with_tagline(chains.Tool(self.base, self.wheelhouse, self.index, self.lock))
