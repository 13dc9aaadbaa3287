"""After a refusal or no answer: whether what was asked for may be there all the same, so that it is looked for."""

from tagline.errors import KfpError, KfpRefused

CONFLICT = 409  # what the server says of a name that is taken, and of a run that goes on


def may_stand(error: KfpError) -> bool:
    """Whether what was asked for may be there, made by us (the answer was lost) or by another who was faster."""
    return error.maybe_done or (isinstance(error, KfpRefused) and error.status == CONFLICT)
