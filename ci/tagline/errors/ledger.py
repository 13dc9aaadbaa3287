"""50–59: the chain of decisions."""

from tagline.errors.base import TaglineError


class LedgerError(TaglineError):
    """The ledger's chain is broken; the first bad event is named."""

    exit_code = 50


class LedgerMissing(LedgerError):
    """Promotion tags exist, but no ledger: a person must adopt or rebuild."""

    exit_code = 51


class OtherMachine(LedgerError):
    """The promotions were made by another machine's local platform."""

    exit_code = 52
