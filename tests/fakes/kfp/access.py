"""Who asks, and what they may: the identity header, ServiceAccount tokens with an audience, rights by namespace."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.fakes.kfp.answers import DENIED, UNAUTHENTICATED, Refused
from tests.fakes.kfp.clock import Clock

HEADER = "kubeflow-userid"
AUDIENCE = "pipelines.kubeflow.org"
EDIT, VIEW, ADMIN = "edit", "view", "admin"
READING = frozenset({"get", "list", "readArtifact"})
SIGNED = ".signed-by-the-cluster"
NO_HEADER = "Request header error: there is no user identity header."
NO_BEARER = "Header 'Authorization' is incorrectly formatted. Expected prefix 'Bearer '"
EMPTY = "Failed to check authorization. User identity is empty in the request header"


@dataclass(frozen=True)
class Wanted:
    """What a request wants to do: SubjectAccessReview's attributes."""

    verb: str
    resource: str
    namespace: str
    name: str = ""
    group: str = "pipelines.kubeflow.org"
    version: str = "v1beta1"

    def words(self) -> str:
        return (
            f"(request: &ResourceAttributes{{Namespace:{self.namespace},Verb:{self.verb},"
            f"Group:{self.group},Version:{self.version},Resource:{self.resource},Subresource:,"
            f"Name:{self.name},FieldSelector:nil,LabelSelector:nil,}})"
        )


class Access:
    """The rights table; users and service accounts by name, roles by namespace."""

    def __init__(self, system: str, clock: Clock) -> None:
        self.system = system
        self.clock = clock
        self.expired_before = 0.0
        self.roles: dict[str, dict[str, str]] = {
            "alice@example.com": {"mu-alice": EDIT},
            "bob@example.com": {"mu-bob": EDIT},
            "carol@example.com": {"mu-alice": VIEW},
            "admin@example.com": {"*": ADMIN},
            "system:serviceaccount:mu-alice:default-editor": {"mu-alice": EDIT},
            "system:serviceaccount:mu-bob:default-editor": {"mu-bob": EDIT},
        }

    def grant(self, user: str, namespace: str, role: str = EDIT) -> None:
        self.roles.setdefault(user, {})[namespace] = role

    def revoke(self, user: str) -> None:
        self.roles.pop(user, None)

    def check(self, headers: Mapping[str, str], wanted: Wanted) -> str:
        """The user's name where they may, else a refusal: 401 for who, 403 for what."""
        user = self.user(headers)
        if self._may(user, wanted):
            return user
        what = f"User '{user}' is not authorized with reason:  {wanted.words()}"
        raise Refused(DENIED, f"{what}: Unauthorized access", what)

    def _may(self, user: str, wanted: Wanted) -> bool:
        held = self.roles.get(user, {})
        role = held.get("*") or held.get(wanted.namespace or self.system)
        return role in (EDIT, ADMIN) or (role == VIEW and wanted.verb in READING)

    def user(self, headers: Mapping[str, str]) -> str:
        """The name in the header, which wins, or the subject of a good token."""
        said = [value for name, value in headers.items() if name.lower() == HEADER]
        named = said[0].split(",") if said else []
        if len(named) == 1 and named[0]:
            return named[0].removeprefix("accounts.google.com:")
        why = _twice(NO_HEADER, "Unauthenticated")
        if len(named) > 1:
            raise _nobody(f"[{_twice(_counted(len(named)), 'BadRequestError')}, {why}]")
        token = headers.get("Authorization") or headers.get("authorization") or ""
        if not token:
            raise _nobody(why)
        good, reason = self._subject(token)
        if good:
            return good
        raise _nobody(f"[{why}, {reason}]")

    def _subject(self, header: str) -> tuple[str, str]:
        if not header.startswith("Bearer "):
            return "", _twice(NO_BEARER, "BadRequestError")
        token = header.removeprefix("Bearer ")
        claims = opened(token)
        if claims is None:
            return "", _review("invalid bearer token")
        if not token.endswith(SIGNED):
            return "", _review("[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]")
        if AUDIENCE not in claims.get("aud", []):
            return "", _review(
                f"[invalid bearer token, token audiences {json.dumps(claims.get('aud'))} is invalid "
                f'for the target audiences ["{AUDIENCE}"]]'
            )
        if claims.get("exp", 0) <= self.clock.now or claims.get("iat", 0) < self.expired_before:
            return "", _review("[invalid bearer token, service account token has expired]")
        return str(claims.get("sub", "")), ""


def _counted(count: int) -> str:
    return f"Request header error: unexpected number of '{HEADER}' headers. Expect 1 got {count}"


def _twice(text: str, word: str) -> str:
    return f"{word}: {text}: {text}"


def _review(text: str) -> str:
    return (
        "Authentication failure: Unauthenticated: Review.Status.Authenticated is false. "
        f"Error {text}: Failed to authenticate token review"
    )


def _nobody(why: str) -> Refused:
    return Refused(UNAUTHENTICATED, f"{EMPTY}: {why}", EMPTY)


def a_token(subject: str, audience: str | list[str], issued: float, expires: float) -> str:
    """A token in a JSON web token's form, "signed" by a fixed word; any other word is another's signature."""
    claims = {
        "aud": [audience] if isinstance(audience, str) else audience,
        "sub": subject,
        "iat": int(issued),
        "exp": int(expires),
    }
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    return ".".join(_packed(part) for part in parts) + SIGNED


def _packed(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def opened(token: str) -> dict[str, object] | None:
    """A token's claims; None where it is no token."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None
