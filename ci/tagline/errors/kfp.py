"""120–129: the Kubeflow Pipelines server: reaching it, what it refuses, how its runs and schedules end."""

from tagline.errors.base import TaglineError


class KfpError(TaglineError):
    """The Kubeflow Pipelines server said something that tagline has no meaning for.

    `maybe_done` is True where what was asked may have been carried out all the same: look before it is asked again.
    """

    exit_code = 120
    maybe_done = False


class KfpUnavailable(KfpError):
    """The Kubeflow Pipelines server did not answer, or not in time, or not with sense."""

    exit_code = 121

    def __init__(self, what: str, *, where: str = "", fix: str = "", maybe_done: bool = False) -> None:
        super().__init__(what, where=where, fix=fix)
        self.maybe_done = maybe_done


class KfpNotLetIn(KfpError):
    """The Kubeflow Pipelines server does not know who asks: no identity, a wrong or an expired one."""

    exit_code = 122


class KfpForbidden(KfpError):
    """The Kubeflow Pipelines server knows who asks, and that they may not."""

    exit_code = 123


class KfpNotAServer(KfpError):
    """What answers at the address of the Kubeflow Pipelines server is something else."""

    exit_code = 124


class KfpRefused(KfpError):
    """The Kubeflow Pipelines server refused what it was asked; `status` is HTTP's, 409 where the name is taken."""

    exit_code = 125

    def __init__(self, what: str, *, where: str = "", fix: str = "", status: int = 0) -> None:
        super().__init__(what, where=where, fix=fix)
        self.status = status


class KfpNotThere(KfpError):
    """A pipeline, version, run, experiment or schedule is not on the Kubeflow Pipelines server."""

    exit_code = 126


class KfpRunFailed(KfpError):
    """A run on Kubeflow Pipelines ended, and not with success."""

    exit_code = 127


class KfpRunCancelled(KfpError):
    """A run on Kubeflow Pipelines was cancelled."""

    exit_code = 128


class KfpScheduleRefused(KfpError):
    """A schedule cannot be said in the words of the Kubeflow Pipelines server, or it did not take it."""

    exit_code = 129
