"""60–69: the gate's answers and its failures."""

from tagline.errors.base import TaglineError


class GateError(TaglineError):
    """The gate could not be asked: scorer, data or predictor failed."""

    exit_code = 60


class GateRefused(GateError):
    """The gate says that the candidate is worse."""

    exit_code = 61


class GateInconclusive(GateError):
    """The gate has not enough rows to say."""

    exit_code = 62


class GateDataChanged(GateError):
    """The frozen data differs from its pinned digest."""

    exit_code = 63


class ScorerMismatch(GateError):
    """The served release's scorer no longer fits the pinned data."""

    exit_code = 64
