"""10–19: git, its remote, its work tree."""

from tagline.errors.base import TaglineError


class RepositoryError(TaglineError):
    """git answered with an error that no class below names."""

    exit_code = 10


class NoRepository(RepositoryError):
    """The folder is in no git repository."""

    exit_code = 11


class NoRemote(RepositoryError):
    """The repository has no remote: tags and the ledger have no home."""

    exit_code = 12


class DirtyTree(RepositoryError):
    """The work tree differs from HEAD, so a release would not be what git says."""

    exit_code = 13


class AmbiguousHead(RepositoryError):
    """HEAD is detached and nothing says which branch or tag is meant."""

    exit_code = 14


class ShallowClone(RepositoryError):
    """History is cut off, so versions cannot be computed."""

    exit_code = 15


class RemoteUnavailable(RepositoryError):
    """The remote did not answer, or not in time."""

    exit_code = 16


class PushRefused(RepositoryError):
    """The remote refused the push: rights, a protected ref, a hook."""

    exit_code = 17


class LostRace(RepositoryError):
    """Somebody else kept winning the push; nothing of ours was left behind."""

    exit_code = 18


class NoAtomicPush(RepositoryError):
    """The remote cannot push several refs as one, which a claim needs."""

    exit_code = 19
