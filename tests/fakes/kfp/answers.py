"""How the real server words what it refuses: gRPC routes in one shape, upload routes in another."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

GRPC = {"Content-Type": "application/json", "Grpc-Metadata-Content-Type": "application/grpc"}
JSON = {"Content-Type": "application/json"}
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    """What goes back: a status, a body, headers."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: dict(GRPC))


def said(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A JSON answer."""
    return Answer(status, json.dumps(body, ensure_ascii=False).encode(), headers or dict(GRPC))


@dataclass(frozen=True)
class Kind:
    """One of the server's errors: its status, its gRPC code, the word before its text."""

    status: int
    code: int
    word: str


INVALID = Kind(400, 3, "Invalid input error")
INVALID_CODED = Kind(400, 3, "InvalidInputError")
BAD_REQUEST = Kind(409, 10, "BadRequestError")
NOT_FOUND = Kind(404, 5, "ResourceNotFoundError")
EXISTS = Kind(409, 6, "Already exist error")
INTERNAL = Kind(500, 13, "InternalServerError")
UNAUTHENTICATED = Kind(401, 16, "Unauthenticated")
DENIED = Kind(403, 7, "PermissionDenied")


class Refused(Exception):
    """A refusal on its way out: each layer puts its own words before it, as the server's layers do."""

    def __init__(self, kind: Kind, text: str, detail: str | None = None, tail: str = "") -> None:
        self.kind = kind
        self.text = text
        self.before: list[str] = []
        self.tail = tail
        self.detail = detail if detail is not None else self._detail()
        super().__init__(text)

    def _detail(self) -> str:
        return "Internal Server Error" if self.kind is INTERNAL else self.text

    @property
    def message(self) -> str:
        said_ = f"{self.kind.word}: {self.text}" if self.kind.word else self.text
        return ": ".join([*self.before, said_]) + self.tail

    def answer(self) -> Answer:
        kind = self.kind
        details = [
            {"@type": "type.googleapis.com/google.rpc.Status", "code": kind.code, "message": self.detail}
        ]
        return said({"code": kind.code, "message": self.message, "details": details}, kind.status, dict(JSON))


@contextmanager
def during(*words: str) -> Iterator[None]:
    """Put `words` before whatever is refused in the block."""
    try:
        yield
    except Refused as refused:
        refused.before[:0] = words
        raise


def internal(refused: Refused, words: str) -> Refused:
    """Any refusal, as the server's layers turn it into a 500 whose detail says nothing."""
    return Refused(INTERNAL, f"{words}: {refused.message}")


def traced(text: str) -> Answer:
    """A 500 that shows its insides: code 13 outside, 2 within."""
    details = [{"@type": "type.googleapis.com/google.rpc.Status", "code": 2, "message": text}]
    return said({"code": 13, "message": text, "details": details}, 500, dict(JSON))


class Broken(Exception):
    """A failure that the server passes on with its stack."""

    def __init__(self, *parts: str) -> None:
        at = "\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:258"
        self.answer = traced("\n".join([parts[0], *(part + at for part in parts[1:])]))
        super().__init__(parts[0])


def bare(status: int, code: int, message: str) -> Answer:
    """What the gateway says by itself: no details."""
    return said({"code": code, "message": message}, status, dict(JSON))


class UploadRefused(Exception):
    """A refusal of an upload route: a text with a stack trace, or one bare line."""

    def __init__(self, status: int, text: str, line: int, plain: bool = False) -> None:
        self.status = status
        self.text = text
        self.line = line
        self.plain = plain
        super().__init__(text)

    def answer(self, version: bool) -> Answer:
        details = f"{self.text}\n{_trace(self.line, version)}" if self.line else ""
        if not self.line:
            return Answer(self.status, f"{self.text}\n".encode(), dict(PLAIN))
        body = {"error_message": self.text, "error_details": details}
        return said(body, self.status, dict(PLAIN if self.plain else JSON))


def _trace(line: int, version: bool) -> str:
    inner, outer, at = (
        ("uploadPipelineVersion", "UploadPipelineVersion", 238)
        if version
        else ("uploadPipeline", "UploadPipeline", 86)
    )
    package = "github.com/kubeflow/pipelines/backend/src/apiserver/server.(*PipelineUploadServer)"
    file = "\tSRC/backend/src/apiserver/server/pipeline_upload_server.go"
    below = (
        "net/http.HandlerFunc.ServeHTTP\n\t/usr/local/go/src/net/http/server.go:2286\n"
        "github.com/gorilla/mux.(*Router).ServeHTTP\n\tPATH/mux.go:212\n"
        "net/http.serverHandler.ServeHTTP\n\t/usr/local/go/src/net/http/server.go:3311\n"
        "net/http.(*conn).serve\n\t/usr/local/go/src/net/http/server.go:2067\n"
        "runtime.goexit\n\t/usr/local/go/src/runtime/asm_amd64.s:1771"
    )
    return f"{package}.{inner}\n{file}:{line}\n{package}.{outer}\n{file}:{at}\n{below}"
