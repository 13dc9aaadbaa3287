"""The module `tagline-examples`: a call of each of tagline's modules, as your own module would make it."""

from typing import Annotated

import dagger
from dagger import Doc, dag, function, object_type

Tree = Annotated[dagger.Directory, Doc("The project's tree; with its `.git` where the remote is asked.")]
Wheelhouse = Annotated[
    dagger.Directory, Doc("Folder of wheels with their lock that tagline is installed from.")
]
Token = Annotated[dagger.Secret, Doc("Token that git speaks to the remote with.")]


@object_type
class TaglineExamples:
    """How other modules call tagline's."""

    @function
    def check_report(self, source: Tree, wheelhouse: Wheelhouse) -> dagger.Directory:
        """The report of a tree's checks, failed or not."""
        return dag.tagline_check(wheelhouse=wheelhouse).report(source)

    @function
    def pipeline_compile(self, source: Tree, wheelhouse: Wheelhouse) -> dagger.File:
        """pipeline.yaml of a tree."""
        return dag.tagline_pipeline(wheelhouse=wheelhouse).compile(source)

    @function(cache="session")
    def train_smoke(self, source: Tree, wheelhouse: Wheelhouse, token: Token) -> dagger.Directory:
        """The report of a smoke training that sees the engine's GPUs."""
        return dag.tagline_train(wheelhouse=wheelhouse).smoke(source, gpu=True, token=token)

    @function(cache="never")
    async def image_build(
        self,
        source: Tree,
        wheelhouse: Wheelhouse,
        docker: Annotated[dagger.Socket, Doc("Socket of the Docker engine that builds.")],
    ) -> str:
        """What became of a tree's image, as JSON."""
        return await dag.tagline_image(wheelhouse=wheelhouse).build(source, docker)

    @function(cache="never")
    async def promote_ask(self, source: Tree, wheelhouse: Wheelhouse, token: Token) -> str:
        """Ask for the newest wine in prod, as JSON."""
        promote = dag.tagline_promote(wheelhouse=wheelhouse)
        return await promote.ask(source, "wine", "prod", token, "the nightly job")
