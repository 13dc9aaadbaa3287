"""The module `tagline-check`: what `tagline check` says of a tree."""

from typing import Annotated

import dagger
from dagger import Doc, function, object_type
from tagline.engines.dagger import chains, lines


@object_type
class TaglineCheck:
    """Check a tree: tagline.yaml, the lock, pipeline.py, pipeline.yaml, the project's tests."""

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
    def json(
        self,
        source: Annotated[dagger.Directory, Doc("The project's tree.")],
        smoke: Annotated[bool, Doc("Also run the pipeline with the `smoke:` parameters.")] = False,
    ) -> dagger.File:
        """The report as JSON; a check that fails fails the call."""
        return chains.ran(self.container(source), lines.check_line(smoke=smoke)).file(lines.JSON)

    @function
    def report(
        self,
        source: Annotated[dagger.Directory, Doc("The project's tree.")],
        smoke: Annotated[bool, Doc("Also run the pipeline with the `smoke:` parameters.")] = False,
    ) -> dagger.Directory:
        """report.json, junit.xml, report.html and comment.md, also where a check fails: look into them."""
        return chains.ran_whatever(self.container(source), lines.check_line(smoke=smoke)).directory(
            lines.REPORT
        )

    @function
    def container(self, source: Annotated[dagger.Directory, Doc("The project's tree.")]) -> dagger.Container:
        """The container that checks run in, with tagline and the tree, for a look by hand: add `terminal`."""
        return chains.with_tree(self._tagline(), chains.without_history(source))

    def _tagline(self) -> dagger.Container:
        return chains.with_tagline(chains.Tool(self.base, self.wheelhouse, self.index, self.lock))
