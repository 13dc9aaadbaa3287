"""The Kubernetes Secret with Vault's credentials, given to every task of a pipeline by kfp-kubernetes' own words."""

from types import SimpleNamespace
from typing import Any

from tagline_task.connectors.settings import MOUNTED, NEEDED, OPTIONAL

from tagline.config import Deliver


def grant(pipeline: Any, secret: str, deliver: Deliver) -> None:
    """Let each container of a kfp pipeline have the Secret, as environment or as files in `MOUNTED`.

    What the pipeline asks for by itself stays: a variable that it sets from a Secret is not set again.
    """
    from google.protobuf import json_format

    labels = json_format.MessageToDict(pipeline.pipeline_spec.deployment_spec).get("executors", {})
    kubernetes = pipeline.platform_spec.platforms["kubernetes"].deployment_spec.executors
    for label in sorted(label for label, spec in labels.items() if "container" in spec):
        wish = json_format.MessageToDict(kubernetes[label])
        kubernetes[label].Clear()
        kubernetes[label].update(_with_secret(wish, secret, deliver))


def _with_secret(wish: dict[str, Any], secret: str, deliver: Deliver) -> dict[str, Any]:
    from kfp import kubernetes

    task = SimpleNamespace(platform_config={"kubernetes": wish})
    if deliver is Deliver.VOLUME:
        if all(volume.get("mountPath") != MOUNTED for volume in wish.get("secretAsVolume", [])):
            kubernetes.use_secret_as_volume(task, secret, MOUNTED)
    else:
        taken = {pair["envVar"] for each in wish.get("secretAsEnv", []) for pair in each.get("keyToEnv", [])}
        for names, optional in ((NEEDED, False), (OPTIONAL, True)):
            wanted = {name: name for name in names if name not in taken}
            if wanted:
                kubernetes.use_secret_as_env(task, secret, wanted, optional=optional)
    granted: dict[str, Any] = task.platform_config["kubernetes"]
    return granted
