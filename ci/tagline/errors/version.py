"""40–49: releases, model versions, promotion tags."""

from tagline.errors.base import TaglineError


class VersionError(TaglineError):
    """Releases or model versions that cannot be told apart."""

    exit_code = 40


class NotDescendant(VersionError):
    """HEAD does not descend from the newest release of its line."""

    exit_code = 41


class VersionTwice(VersionError):
    """One version stands on two commits, or a counter is used twice."""

    exit_code = 42


class NotReleased(VersionError):
    """The commit has no release, or commits since it affect the pipeline."""

    exit_code = 43


class NotTrained(VersionError):
    """The release has no registered model."""

    exit_code = 44


class StillTraining(VersionError):
    """The release's training has not finished."""

    exit_code = 45


class NotOnALine(VersionError):
    """The commit is not reachable from the default branch or a release branch."""

    exit_code = 46


class TagMoved(VersionError):
    """A tag no longer points where the ledger says it did."""

    exit_code = 47


class NoModel(VersionError):
    """A run finished, but it is not clear which output is the model."""

    exit_code = 48


class ContentDiffers(VersionError):
    """This version was uploaded before with other content."""

    exit_code = 49
