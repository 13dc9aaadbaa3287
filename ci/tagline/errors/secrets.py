"""100–109: secrets, and the store they lie in."""

from tagline.errors.base import TaglineError


class SecretsError(TaglineError):
    """The secret store could not do what it was asked."""

    exit_code = 100


class StoreUnavailable(SecretsError):
    """The secret store did not answer in time, or is sealed."""

    exit_code = 101


class StoreRefused(SecretsError):
    """The secret store answered no: wrong or expired credentials, or a path that they may not use."""

    exit_code = 102


class SecretNotThere(SecretsError):
    """The path, the version or the key is not in the secret store."""

    exit_code = 103


class CredentialsMissing(SecretsError):
    """The address or the credentials of the secret store are not set, or contradict each other."""

    exit_code = 104


class SecretsIncomplete(SecretsError):
    """An environment lacks a secret that the pipeline asks for."""

    exit_code = 105


class SecretExposed(SecretsError):
    """A secret stands, or would stand, where others can read it."""

    exit_code = 106


class WriteLost(SecretsError):
    """Somebody else wrote the same secret at the same time, each time it was tried."""

    exit_code = 107
