"""Every way a task or a predictor can end, each with its own exit code.

0 is success; 1 an exception of the repository's own code, with its traceback; 2 and up are ours, one
sentence each.
"""

from typing import ClassVar


class TaskError(Exception):
    """One sentence for the person who reads the log; `exit_code` is the process's answer."""

    exit_code: ClassVar[int] = 2


class ContractError(TaskError):
    """A signature, an argument or an executor input that does not fit the other two."""

    exit_code = 2


class OutputError(TaskError):
    """A declared output was not written, or cannot be handed over."""

    exit_code = 4


class DigestMismatch(TaskError):
    """The model is not the one whose digest was given."""

    exit_code = 5


class ModelDoesNotLoad(TaskError):
    """The predictor could not load the model."""

    exit_code = 6


class PredictionFailed(TaskError):
    """The model raised, or gave another number of predictions than it got instances."""

    exit_code = 7


class BadFeatures(TaskError):
    """The table of features cannot be read, or lacks the column that names a row."""

    exit_code = 8


class PortTaken(TaskError):
    """Another program listens on the port that the server was given."""

    exit_code = 9


class BadInput(ValueError):
    """An instance that no model of this kind can take: the client's mistake, HTTP 400."""


class ConnectorError(TaskError):
    """A connector could not do what a task asked of it."""

    exit_code = 10


class CredentialsMissing(ConnectorError):
    """The address or the credentials of the secret store are not set, or contradict each other."""

    exit_code = 11


class StoreUnavailable(ConnectorError):
    """The secret store did not answer in time, or is sealed."""

    exit_code = 12


class StoreRefused(ConnectorError):
    """The secret store answered no: wrong or expired credentials, or a path that they may not read."""

    exit_code = 13


class SecretNotThere(ConnectorError):
    """The path, the version or the key is not in the secret store."""

    exit_code = 14


class AlreadyUnwrapped(ConnectorError):
    """A wrapped secret_id was used before: somebody may have intercepted it."""

    exit_code = 15


class VariableTaken(ConnectorError):
    """A secret would overwrite an environment variable, or its key cannot name one."""

    exit_code = 16


class LibraryMissing(TaskError):
    """A library that the task needs is not in its environment."""

    exit_code = 17


class BadTable(TaskError):
    """A file is no Parquet, or its rows are not what was asked for: a column is missing, a value is empty."""

    exit_code = 18


class PlaceUnavailable(TaskError):
    """A store of files or a database did not answer in time."""

    exit_code = 19


class PlaceRefused(TaskError):
    """A store of files or a database answered no: wrong credentials, or no right to do this."""

    exit_code = 20


class PlaceNotThere(TaskError):
    """Nothing lies at that address, or there is no such bucket."""

    exit_code = 21


class PlaceTaken(TaskError):
    """Something else lies at the address that was to be written."""

    exit_code = 22


class QueryFailed(TaskError):
    """The database did not take the query."""

    exit_code = 23


class DeviceMissing(TaskError):
    """The task was given a GPU by the cluster, and its container holds none."""

    exit_code = 24
