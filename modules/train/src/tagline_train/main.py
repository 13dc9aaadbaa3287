"""The module `tagline-train`: a smoke training in a container of its own."""

from typing import Annotated

import dagger
from dagger import Doc, function, object_type
from tagline.engines.dagger import chains, lines


@object_type
class TaglineTrain:
    """Smoke-train the HEAD of a tree; nothing is registered."""

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

    vault: Annotated[str, Doc("Address of the Vault that tasks read their secrets from.")] = ""
    role_id: Annotated[dagger.Secret | None, Doc("The role_id of the tasks' AppRole.")] = None
    secret_id: Annotated[dagger.Secret | None, Doc("The secret_id of the tasks' AppRole.")] = None

    @function(cache="session")
    def smoke(
        self,
        source: Annotated[dagger.Directory, Doc("The project's tree with its `.git`; its remote is https.")],
        gpu: Annotated[bool, Doc("Give the container all GPUs; the engine must have them.")] = False,
        token: Annotated[
            dagger.Secret | None, Doc("Token that git reads the remote with, where it asks for one.")
        ] = None,
    ) -> dagger.Directory:
        """A short training with the `smoke:` parameters; its report, and a failed call where the training fails."""
        tree = chains.with_tree(self._tagline(), source, token)
        ready = chains.with_vault(tree, chains.Vault(self.vault, self.role_id, self.secret_id))
        seeing = ready.experimental_with_all_gp_us() if gpu else ready
        return chains.ran(chains.anew(seeing, chains.new_run()), lines.smoke_line()).directory(lines.REPORT)

    def _tagline(self) -> dagger.Container:
        return chains.with_tagline(chains.Tool(self.base, self.wheelhouse, self.index, self.lock))
