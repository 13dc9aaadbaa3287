"""How the Kubernetes API itself answers: Status objects, label selectors."""

from tests.fakes.kfp.answers import Answer, said

JSON = {"Content-Type": "application/json"}


def selected(labels: dict[str, str], selector: str) -> bool:
    return all(_one(labels, part.strip()) for part in selector.split(",") if part.strip())


def _one(labels: dict[str, str], part: str) -> bool:
    if part.startswith("!"):
        return part[1:] not in labels
    if "!=" in part:
        key, value = part.split("!=", 1)
        return labels.get(key) != value
    key, equals, value = part.replace("==", "=").partition("=")
    return labels.get(key) == value if equals else key in labels


def missing(resource: str, name: str) -> Answer:
    return status(resource, 404, "NotFound", f'{resource} "{name}" not found', name)


def status(resource: str, code: int, reason: str, message: str, name: str = "") -> Answer:
    """A refusal."""
    kind, _, group = resource.partition(".")
    details = {"name": name, "group": group, "kind": kind}
    body: dict[str, object] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    body |= {"message": message, "reason": reason, "details": details, "code": code}
    return said(body, code, dict(JSON))


def done(resource: str, name: str, uid: str) -> Answer:
    """What a delete says."""
    kind, _, group = resource.partition(".")
    details = {"name": name, "group": group, "kind": kind, "uid": uid}
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return said(body, headers=dict(JSON))
