"""The module `tagline-image`: the image that every task runs in, by `tagline build`."""

from typing import Annotated

import dagger
from dagger import Doc, function, object_type
from tagline.engines.dagger import chains, lines


@object_type
class TaglineImage:
    """Build the image of a tree, once for each content, with a Docker engine at hand."""

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

    docker_command: Annotated[str, Doc("Image that the docker command and buildx are taken from.")] = (
        chains.DOCKER_COMMAND
    )

    @function(cache="never")
    async def build(
        self,
        source: Annotated[dagger.Directory, Doc("The project's tree with its `.git`.")],
        docker: Annotated[dagger.Socket, Doc("Socket of the Docker engine that builds.")],
        login: Annotated[
            dagger.Secret | None, Doc("Docker's config.json, where the registry asks for a login.")
        ] = None,
    ) -> str:
        """Build the image of the tree if its content is not there yet, and say as JSON what became of it."""
        ready = chains.anew(self._ready(source, docker, login), chains.new_run())
        return await chains.ran(ready, lines.build_line(push=False)).file(lines.JSON).contents()

    @function(cache="never")
    async def push(
        self,
        source: Annotated[dagger.Directory, Doc("The project's tree with its `.git`.")],
        docker: Annotated[dagger.Socket, Doc("Socket of the Docker engine that builds.")],
        login: Annotated[dagger.Secret, Doc("Docker's config.json with a login that may push.")],
    ) -> str:
        """The same, into the registry that image.repository names; what is there already is not sent again."""
        ready = chains.anew(self._ready(source, docker, login), chains.new_run())
        return await chains.ran(ready, lines.build_line(push=True)).file(lines.JSON).contents()

    def _ready(
        self, source: dagger.Directory, docker: dagger.Socket, login: dagger.Secret | None
    ) -> dagger.Container:
        tree = chains.with_tree(self._tagline(), source)
        ready = chains.with_docker(tree, docker, self.docker_command)
        return ready if login is None else chains.with_login(ready, login)

    def _tagline(self) -> dagger.Container:
        return chains.with_tagline(chains.Tool(self.base, self.wheelhouse, self.index, self.lock))
