"""What a platform file says of a Kubeflow installation: addresses, namespaces, identity, store, GPUs."""

from typing import Annotated

import msgspec

PIPELINES_AUDIENCE = "pipelines.kubeflow.org"
TOKEN_FILE = "/var/run/secrets/kubeflow/pipelines/token"
CLUSTER_TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
Variable = Annotated[str, msgspec.Meta(pattern="^([A-Z][A-Z0-9_]*)?$")]


class Endpoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Addresses of the platform's servers. `pipelines` is the Kubeflow Pipelines API, without `/apis`.

    Behind Kubeflow's gateway it ends in `/pipeline`; in the cluster it is
    `http://ml-pipeline.kubeflow.svc:8888`.
    """

    pipelines: str


class ServiceAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Kubernetes ServiceAccount's token, from the file `token` or, where it is given, the variable `variable`.

    The file is read again when its token runs out. `audience` is what the server wants the token to be made for.
    """

    token: str = TOKEN_FILE
    variable: Variable = ""
    audience: str = PIPELINES_AUDIENCE


class Oidc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OAuth 2 client credentials of `client` at the OpenID provider `issuer`.

    `secret` names the variable that holds the client's secret, `secret_file` a file instead. `scope` and
    `audience` are sent where the provider wants them.
    """

    issuer: str
    client: str
    secret: Variable = "TAGLINE_KFP_CLIENT_SECRET"
    secret_file: str = ""
    scope: str = ""
    audience: str = ""


class Dex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A log-in as a person does it, through oauth2-proxy's and Dex's pages.

    `user` and `password` name the variables that hold them, `password_file` a file instead. `connector` is
    Dex's own id of the way to log in, such as `local` (static passwords) or `ldap`.
    """

    user: Variable = "TAGLINE_KFP_USER"
    password: Variable = "TAGLINE_KFP_PASSWORD"
    password_file: str = ""
    connector: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]+$")] = "local"


class Cookie(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session's cookie (`name=value`) that a person took from a browser: the last resort, it cannot be renewed.

    `variable` names what holds it, `file` a file instead.
    """

    variable: Variable = "TAGLINE_KFP_COOKIE"
    file: str = ""


class UserHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The header that Kubeflow's gateway sets; only for test set-ups, whose server is on this machine."""

    user: Annotated[str, msgspec.Meta(min_length=1)]
    name: str = "kubeflow-userid"


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who tagline is at the servers: exactly one of these, or none where the server asks nobody."""

    service_account: ServiceAccount | None = None
    oidc: Oidc | None = None
    dex: Dex | None = None
    cookie: Cookie | None = None
    user_header: UserHeader | None = None

    def chosen(self) -> list[str]:
        """The names of the ways that are given."""
        return [name for name in self.__struct_fields__ if getattr(self, name) is not None]


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The S3-compatible store of artifacts. `root` is where pipeline roots begin, such as `s3://mlpipeline/v2`.

    `endpoint` is the address of a store that is not Amazon's. `access_key` and `secret_key` name the variables
    that hold the credentials.
    """

    root: Annotated[str, msgspec.Meta(pattern="^s3://[a-z0-9][a-z0-9.-]+(/.*)?$")]
    endpoint: str = ""
    region: str = ""
    access_key: Variable = "AWS_ACCESS_KEY_ID"
    secret_key: Variable = "AWS_SECRET_ACCESS_KEY"


class Cluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Kubernetes API behind the pipelines server, to remove Workflows of ours that the server failed to note.

    `server` is its address, left out in a pod of that cluster. The token is in the file `token` or, where it is given,
    in the variable `variable`; `ca` is the file of the API's authority.
    """

    server: str = ""
    token: str = CLUSTER_TOKEN_FILE
    variable: Variable = ""
    ca: str = ""


class Toleration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A taint that a task's pod bears, in Kubernetes' words."""

    key: str = ""
    operator: Annotated[str, msgspec.Meta(pattern="^(Exists|Equal)$")] = "Exists"
    value: str = ""
    effect: Annotated[str, msgspec.Meta(pattern="^(NoSchedule|PreferNoSchedule|NoExecute)?$")] = ""


class Gpu(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a GPU is asked for: the node's resource, the nodes that have it, the taints that keep others off."""

    resource: Annotated[str, msgspec.Meta(pattern="^[a-z0-9.-]+/[A-Za-z0-9._-]+$")] = "nvidia.com/gpu"
    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []


class Kubeflow(msgspec.Struct, frozen=True):
    """A Kubeflow installation as a platform file says it, checked.

    `namespaces` has `training` and the environments that have one of their own, `gpu` the same names. `ca` is
    the file of a private authority. `time_zone` is the one that the scheduled-workflow controller runs in.
    `service_account` is what runs and schedules act as in the cluster, the server's own choice if left out;
    `cluster` is given where tagline may look into the cluster itself.
    """

    endpoints: Endpoints
    namespaces: dict[str, str]
    access: Access = Access()
    ca: str = ""
    time_zone: str = "UTC"
    store: Store | None = None
    gpu: dict[str, Gpu] = {}
    service_account: str = ""
    cluster: Cluster | None = None

    @property
    def training(self) -> str:
        """The namespace that pipelines are uploaded to and trained in."""
        return self.namespaces["training"]
