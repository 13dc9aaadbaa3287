"""A Kubernetes ServiceAccount's token: looked at before it is sent, read again when it runs out."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tagline_task.masking import Secret

from tagline.errors import KfpNotLetIn
from tagline.kubeflow_keys import TOKEN_FILE, ServiceAccount
from tagline.platforms.kubeflow.access import Header, Identity
from tagline.platforms.kubeflow.access.given import secret

PATH_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # what Kubeflow's own PodDefault sets
_MAKE = "kubectl create token NAME -n NAMESPACE --audience"


def identity(
    said: ServiceAccount, environ: Mapping[str, str], clock: Callable[[], float] = time.time
) -> Identity:
    """Who a token says we are. `fetch` raises `KfpNotLetIn` for one that the server would refuse: it is not sent."""
    default = said.token == TOKEN_FILE and not said.variable
    file = environ.get(PATH_VARIABLE, said.token) if default else said.token
    place = said.variable or file

    def fetch() -> Header:
        found = secret(said.variable, "" if said.variable else file, environ, "the ServiceAccount's token")
        return checked(found, said.audience, place, clock())

    return Identity(f"the ServiceAccount whose token is in {place}", fetch)


def checked(token: Secret, audience: str, place: str, now: float) -> Header:
    """The header with a token; raises `KfpNotLetIn` for another audience, one that has ended, or no token."""
    claims = claims_of(token.open())
    make = f"{_MAKE} {audience}"
    if claims is None:
        what = "this is no ServiceAccount's token (a JSON web token): not sent"
        raise KfpNotLetIn(what, where=place, fix=make)
    audiences = claims.get("aud") or []
    audiences = [audiences] if isinstance(audiences, str) else [str(one) for one in audiences]
    if audience not in audiences:
        made = ", ".join(audiences) or "nobody by name"
        what = f"the token is made for {made}, and the server wants {audience}: not sent"
        raise KfpNotLetIn(what, where=place, fix=make)
    until = claims.get("exp")
    until = float(until) if isinstance(until, int | float) else None
    if until is not None and until <= now:
        ended = datetime.fromtimestamp(until, UTC).isoformat(timespec="seconds")
        raise KfpNotLetIn(f"the token ended at {ended}: not sent", where=place, fix=make)
    who = str(claims.get("sub") or "").replace("system:serviceaccount:", "the ServiceAccount ", 1)
    return Header("Authorization", Secret(f"Bearer {token.open()}"), until, who.replace(":", "/"))


def claims_of(token: str) -> dict[str, Any] | None:
    """What a token says of itself, unproven; None for anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None
