"""The GPUs that a cluster promised a task, looked for before the task begins."""

from collections.abc import Mapping
from pathlib import Path

from tagline_task.errors import ContractError, DeviceMissing

PROMISED = "TAGLINE_GPUS"  # how many NVIDIA devices the task was given, written into its container by tagline
DEVICES = Path("/dev")


def proof(environ: Mapping[str, str], devices: Path = DEVICES) -> str:
    """What the task sees of the GPUs that TAGLINE_GPUS promises, in a sentence; empty where none was promised.

    One device file is enough for several promised: slices of one card (MIG) share it. Raises `DeviceMissing` where
    there is none, `ContractError` for a promise that is no number.
    """
    promised = environ.get(PROMISED, "")
    if not promised:
        return ""
    if not (promised.isascii() and promised.isdigit()):
        raise ContractError(f"{PROMISED} must be a whole number, got {promised!r}")
    seen = sorted(path.name for path in devices.glob("nvidia[0-9]*"))
    if int(promised) and not seen:
        told = environ.get("NVIDIA_VISIBLE_DEVICES", "")
        raise DeviceMissing(
            f"the task was promised {promised} GPU and sees none: no {devices}/nvidia* in its container"
            + (f", NVIDIA_VISIBLE_DEVICES is {told!r}" if told else "")
        )
    return f"GPU: promised {promised}, sees {', '.join(seen) or 'none'}"
