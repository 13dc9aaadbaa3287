"""The module `tagline-promote`: a promotion, previewed and asked for by its tag."""

from typing import Annotated

import dagger
from dagger import Doc, function, object_type
from tagline.engines.dagger import chains, lines


@object_type
class TaglinePromote:
    """Ask for a model in an environment: the tag is the request, CI decides."""

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

    @function(cache="session")
    def preview(
        self,
        source: Annotated[dagger.Directory, Doc("The project's tree with its `.git`; its remote is https.")],
        model: Annotated[str, Doc("The model.")],
        env: Annotated[str, Doc("The environment.")],
        version: Annotated[
            str, Doc("A model version such as 1.4.0-r3; default: the newest of HEAD's release.")
        ] = "",
        token: Annotated[
            dagger.Secret | None, Doc("Token that git reads the remote with, where it asks for one.")
        ] = None,
    ) -> dagger.File:
        """What the tag would resolve to, its gate and its rollout, as JSON; nothing is asked."""
        asked = chains.anew(chains.with_tree(self._tagline(), source, token), chains.new_run())
        return chains.ran(asked, lines.promote_line(model, env, version, preview=True)).file(lines.JSON)

    @function(cache="never")
    async def ask(
        self,
        source: Annotated[dagger.Directory, Doc("The project's tree with its `.git`; its remote is https.")],
        model: Annotated[str, Doc("The model.")],
        env: Annotated[str, Doc("The environment.")],
        token: Annotated[dagger.Secret, Doc("Token that may push promotion tags.")],
        actor: Annotated[str, Doc("Who asks; kept in the tag.")],
        version: Annotated[
            str, Doc("A model version such as 1.4.0-r3; default: the newest of HEAD's release.")
        ] = "",
        reason: Annotated[str, Doc("Why; kept in the tag and the ledger.")] = "",
    ) -> str:
        """Push the tag promote/ENV/MODEL/N, and say as JSON what was asked."""
        tree = chains.as_actor(chains.with_tree(self._tagline(), source, token), actor)
        line = lines.promote_line(model, env, version, preview=False, reason=reason)
        return await chains.ran(chains.anew(tree, chains.new_run()), line).file(lines.JSON).contents()

    def _tagline(self) -> dagger.Container:
        return chains.with_tagline(chains.Tool(self.base, self.wheelhouse, self.index, self.lock))
