"""Amounts of cores and memory as Kubernetes and kfp write them, as numbers."""

import re

_NUMBER = re.compile(r"((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))([A-Za-z]*)")
_UNITS = {"": 1.0, "m": 0.001, "K": 1e3} | {  # kfp writes K where Kubernetes writes k
    unit: base**power
    for base, units in ((1000.0, "kMGTPE"), (1024.0, ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")))
    for power, unit in enumerate(units, 1)
}


def amount(text: object) -> float | None:
    """A quantity (`500m`, `2Gi`, `1.5`) in cores or bytes; None for anything else, such as a placeholder."""
    match = _NUMBER.fullmatch(str(text).strip())
    if not match or match[2] not in _UNITS:
        return None
    return float(match[1]) * _UNITS[match[2]]
