"""A registry of images, asked over the OCI distribution API: is it there, take it, call it so."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from tagline.errors import ImageMissing, RegistryRefused, RegistryUnavailable
from tagline.images.credentials import login
from tagline.images.reference import Reference
from tagline.images.wire import Answer, Call, Wire

TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = {"Accept": ", ".join(TYPES)}


class Manifest(msgspec.Struct, frozen=True):
    """An image's manifest, byte for byte, with its media type."""

    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.body).hexdigest()}"

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def blobs(self) -> list[tuple[str, int]]:
        """Digest and size of the configuration and of each layer."""
        parts = [self.said["config"], *self.said["layers"]]
        return [(str(part["digest"]), int(part["size"])) for part in parts]


class Repository:
    """One repository of a registry. Every call may be repeated; none is sent where the answer is known."""

    def __init__(self, place: Reference, environ: Mapping[str, str]) -> None:
        self.place = place
        self._wire = Wire(place.host, login(place.host, environ), environ)

    def digest(self, wanted: str) -> str:
        """The digest of a tag, by one HEAD; empty where there is none."""
        answer = self._send("HEAD", f"manifests/{wanted}", _ACCEPT)
        if answer.status == 404:
            return ""
        self._good(answer, {200}, wanted)
        if found := answer.headers.get("docker-content-digest"):
            return found
        return self.manifest(wanted).digest

    def manifest(self, wanted: str) -> Manifest:
        """A manifest by tag or digest; raises `ImageMissing`, and `RegistryRefused` if a digest lies."""
        answer = self._send("GET", f"manifests/{wanted}", _ACCEPT)
        if answer.status == 404:
            raise ImageMissing(f"{self.place.written} has no {wanted}", where=self.place.host)
        self._good(answer, {200}, wanted)
        found = Manifest(answer.body, answer.headers.get("content-type", TYPES[2]).partition(";")[0])
        if wanted.startswith("sha256:") and found.digest != wanted:
            raise RegistryRefused(f"the registry gives other bytes for {wanted}", where=self.place.host)
        return found

    def has_blob(self, digest: str) -> bool:
        """Whether the repository holds a blob."""
        answer = self._send("HEAD", f"blobs/{digest}", {})
        if answer.status != 404:
            self._good(answer, {200}, digest)
        return answer.status == 200

    def takes(self, digest: str, beside: Sequence[str] = ()) -> bool:
        """Whether the repository holds a blob, or has now taken it over from one `beside` it in the registry."""
        if self.has_blob(digest):
            return True
        queries = (urlencode({"mount": digest, "from": other}) for other in beside)
        return any(
            self._send("POST", f"blobs/uploads/?{query}", {}, push=True).status == 201 for query in queries
        )

    def put_blob(self, digest: str, size: int, opens: Callable[[], IO[bytes]]) -> bool:
        """Send a blob unless it is there; whether it was sent. The registry checks the digest."""
        if self.has_blob(digest):
            return False
        begun = self._send("POST", "blobs/uploads/", {}, push=True)
        self._good(begun, {202}, digest)
        url = self._session(begun, {"digest": digest})
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._wire.send(Call("PUT", url, headers, opens, size), scope=self._scope(push=True))
        self._good(answer, {201}, digest)
        return True

    def try_push(self) -> None:
        """Begin an upload and give it up again; raises `RegistryRefused` where we may not push."""
        begun = self._send("POST", "blobs/uploads/", {}, push=True)
        self._good(begun, {202}, "an upload")
        with suppress(
            RegistryRefused
        ):  # a registry may want another right for it; what was begun lapses there
            self._wire.send(Call("DELETE", self._session(begun, {})), scope=self._scope(push=True))

    def _session(self, begun: Answer, more: Mapping[str, str]) -> str:
        """The address of an upload that was begun, with `more` in its query; relative where it is the registry's."""
        parts = urlsplit(urljoin(f"https://{self.place.host}/v2/", begun.headers["location"]))
        query = "&".join(filter(None, [parts.query, urlencode(more)]))
        if parts.netloc != self.place.host:
            return parts._replace(query=query).geturl()
        return f"{parts.path}?{query}" if query else parts.path

    def put_manifest(self, wanted: str, manifest: Manifest) -> None:
        """Name a manifest by a tag; the same again is a no-op for everybody who asks."""
        headers = {"Content-Type": manifest.media_type}
        answer = self._send("PUT", f"manifests/{wanted}", headers, push=True, body=manifest.body)
        self._good(answer, {201}, wanted)

    def tag(self, digest: str, tag: str) -> bool:
        """Give an image one more tag; whether it was new. Raises `ImageMissing`; a moved tag is refused."""
        there = self.digest(tag)
        if there == digest:
            return False
        if there:
            raise RegistryRefused(
                f"{self.place.written}:{tag} is already {there}, not {digest}",
                where=self.place.host,
                fix="a release's tag never moves: find out who pushed it",
            )
        self.put_manifest(tag, self.manifest(digest))
        return True

    def _scope(self, *, push: bool) -> str:
        return f"repository:{self.place.path}:{'pull,push' if push else 'pull'}"

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        push: bool = False,
        body: bytes | None = None,
    ) -> Answer:
        opens = None if body is None else lambda: io.BytesIO(body)
        call = Call(method, f"/v2/{self.place.path}/{path}", headers, opens, len(body or b""))
        return self._wire.send(call, scope=self._scope(push=push))

    def _good(self, answer: Answer, expected: set[int], what: str) -> None:
        if answer.status in expected:
            return
        said = answer.body.decode(errors="replace").strip()[:200]
        text = f"the registry answers {answer.status} for {what}: {said or 'no reason given'}"
        kind = RegistryRefused if answer.status < 500 else RegistryUnavailable
        raise kind(text, where=f"{self.place.host}/{self.place.path}", fix="look at the registry's log")
