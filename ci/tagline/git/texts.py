"""The shapes of what events hold, checked when they are written and when they are read."""

from typing import Annotated

import msgspec

_RELEASE = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[a-z]+\.\d+)?"
_MODEL_VERSION = rf"{_RELEASE}-r[1-9]\d*"

ReleaseText = Annotated[str, msgspec.Meta(pattern=rf"^{_RELEASE}\Z")]
VersionText = Annotated[str, msgspec.Meta(pattern=rf"^{_MODEL_VERSION}\Z")]
VersionOrNone = Annotated[str, msgspec.Meta(pattern=rf"^({_MODEL_VERSION})?\Z")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?\Z", max_length=30)]
Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40,64}\Z")]
Counter = Annotated[int, msgspec.Meta(ge=1)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Count = Annotated[int, msgspec.Meta(ge=0)]
