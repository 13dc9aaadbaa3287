"""30–39: compiling, checking, running tasks."""

from tagline.errors.base import TaglineError


class PipelineError(TaglineError):
    """pipeline.py raised, defined no pipeline, or compiled to something unusable."""

    exit_code = 30


class PipelineNotCurrent(PipelineError):
    """The committed pipeline.yaml is not what pipeline.py compiles to."""

    exit_code = 31


class TestsFailed(PipelineError):
    """The project's own tests failed."""

    exit_code = 32


class CheckFailed(PipelineError):
    """A rule of `tagline check` found an error in the compiled pipeline."""

    exit_code = 33


class TaskFailed(PipelineError):
    """A task of a run ended with a non-zero exit code."""

    exit_code = 34


class TaskTimedOut(PipelineError):
    """A task ran past its limit and was stopped."""

    exit_code = 35


class TaskContractBroken(PipelineError):
    """A task did not write a declared output, or wrote one that cannot be read."""

    exit_code = 36


class EnvironmentConflict(PipelineError):
    """The project's requirements cannot stand beside what serving needs."""

    exit_code = 37


class InstallFailed(PipelineError):
    """The project's environment could not be made."""

    exit_code = 38


class SecretMissing(PipelineError):
    """A task asks for a secret that the environment does not hold."""

    exit_code = 39
