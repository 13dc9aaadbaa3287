"""Where the credentials of Vault come from: the environment, `_FILE` variables, or the folder of a mounted Secret."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tagline_task.errors import CredentialsMissing
from tagline_task.masking import Secret

MOUNTED = "/var/run/secrets/tagline/vault"
FOLDER = "TAGLINE_VAULT_DIR"
NEEDED = ("VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_SECRET_ID")
OPTIONAL = (
    "VAULT_NAMESPACE",
    "VAULT_CACERT_BYTES",
    "VAULT_APPROLE_MOUNT",
    "VAULT_SECRET_PATH",
    "VAULT_MOUNT_POINT",
)
# names that say where and not what: an error may show their values
PLAIN = ("VAULT_ADDR", *OPTIONAL)
WRAPPED = "VAULT_WRAPPED_SECRET_ID"


@dataclass(frozen=True)
class Settings:
    """What the connector needs to know; `repr` shows no credential.

    `wrapped` is a wrapping token in the place of `secret_id`. `ca` names a file or folder of certificates,
    `ca_text` holds one. `path` and `mount_point` are where secrets lie unless a call says otherwise.
    `timeout` bounds one request and `patience` all tries of one, in seconds.
    """

    address: str
    role_id: Secret = field(default_factory=Secret)
    secret_id: Secret = field(default_factory=Secret)
    wrapped: Secret = field(default_factory=Secret)
    token: Secret = field(default_factory=Secret)
    namespace: str = ""
    ca: str = ""
    ca_text: str = ""
    approle: str = "approle"
    path: str = ""
    mount_point: str = "secret"
    timeout: float = 5.0
    patience: float = 10.0


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process, for AppRole.

    Each name is a variable, a file that `<NAME>_FILE` names, or a file in the folder `TAGLINE_VAULT_DIR`
    (by default where tagline mounts the Secret). Raises `CredentialsMissing` that names what is missing.
    """
    found = Names(os.environ if environ is None else environ)
    settings = unauthenticated(found)
    role_id, secret_id, wrapped = found.get("VAULT_ROLE_ID"), found.get("VAULT_SECRET_ID"), found.get(WRAPPED)
    if secret_id and wrapped:
        raise CredentialsMissing(f"VAULT_SECRET_ID and {WRAPPED} are both set: keep one of them")
    given = {"VAULT_ROLE_ID": role_id, "VAULT_SECRET_ID": secret_id or wrapped}
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise CredentialsMissing(
            f"{' and '.join(missing)} not set (nor {missing[0]}_FILE, nor a file in {found.folder}): "
            "mount the Secret with the AppRole, or set them"
        )
    return replace(settings, role_id=Secret(role_id), secret_id=Secret(secret_id), wrapped=Secret(wrapped))


def unauthenticated(found: "Names") -> Settings:
    """The settings without credentials; raises `CredentialsMissing` where there is no address."""
    address = found.get("VAULT_ADDR")
    if not address.startswith(("http://", "https://")):
        problem = f"is {address!r}, which is no http address" if address else "is not set"
        raise CredentialsMissing(f"VAULT_ADDR {problem}: write https://HOST:PORT")
    ca = found.environ.get("VAULT_CACERT") or found.environ.get("VAULT_CAPATH") or found.path("ca.crt")
    return Settings(
        address=address,
        namespace=found.get("VAULT_NAMESPACE"),
        ca=ca,
        ca_text="" if ca else found.get("VAULT_CACERT_BYTES"),
        approle=found.get("VAULT_APPROLE_MOUNT") or "approle",
        path=found.get("VAULT_SECRET_PATH"),
        mount_point=found.get("VAULT_MOUNT_POINT") or "secret",
    )


class Names:
    """Looks names up in an environment, in the files it names, and in the mounted folder."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.folder = environ.get(FOLDER) or MOUNTED

    def get(self, name: str) -> str:
        """The value, or "". Raises `CredentialsMissing` for a name set twice and a file that cannot be read."""
        value, file = self.environ.get(name, ""), self.environ.get(f"{name}_FILE", "")
        if value and file:
            raise CredentialsMissing(f"{name} and {name}_FILE are both set: keep one of them")
        return value or _text(file or self.path(name) or self.path(name.lower().removeprefix("vault_")))

    def path(self, name: str) -> str:
        """The file of that name in the mounted folder, or ""."""
        path = os.path.join(self.folder, name)
        return path if os.path.isfile(path) else ""


def _text(file: str) -> str:
    if not file:
        return ""
    try:
        with open(file, encoding="utf-8") as stream:
            return stream.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsMissing(f"{file} cannot be read: {type(error).__name__}") from error
