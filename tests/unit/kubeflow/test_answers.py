"""Answers as a real server 2.17.0 gave them, and as gateways do, each as one of our errors in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline import errors
from tagline.platforms.kubeflow.server import answers
from tagline.platforms.kubeflow.wire import Reply

URL = "https://kubeflow.example.org/pipeline/apis/v2beta1/pipelines?namespace=mu-alice"
NO_IDENTITY = (
    "Failed to list pipelines: Unauthenticated: Failed to check authorization. User identity is empty in the "
    "request header: "
)
REVIEW = "Authentication failure: Unauthenticated: Review.Status.Authenticated is false. Error "
EXPIRED = (
    f"{NO_IDENTITY}[x, {REVIEW}[invalid bearer token, service account token has expired]: "
    "Failed to authenticate token review]"
)
AUDIENCE = (
    f"{NO_IDENTITY}[x, {REVIEW}[invalid bearer token, token audiences "
    '["https://kubernetes.default.svc"] is invalid for the target audiences ["pipelines.kubeflow.org"]]: '
    "Failed to authenticate token review]"
)
GARBAGE = f"{NO_IDENTITY}[x, {REVIEW}invalid bearer token: Failed to authenticate token review]"
DENIED = (
    "Failed to list pipelines in namespace mu-alice. Check error stack: PermissionDenied: User "
    "'bob@example.com' is not authorized with reason:  (request: &ResourceAttributes{Namespace:mu-alice,"
    "Verb:list,Group:pipelines.kubeflow.org,Version:v1beta1,Resource:pipelines,Subresource:,Name:,"
    "FieldSelector:nil,LabelSelector:nil,}): Unauthorized access"
)
STACK = (
    "Failed to create a pipeline\ngithub.com/kubeflow/pipelines/backend/src/apiserver/server."
    "(*PipelineUploadServer).uploadPipeline\n\tSRC/backend/src/apiserver/server/pipeline_upload_server.go:136"
)
PLAIN = "text/plain; charset=utf-8"
WHO = "the ServiceAccount mu-alice/default-editor"


def reply(status: int, body: object, kind: str = "application/json", **headers: str) -> Reply:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Reply(status, "", {"content-type": kind, **headers}, data, URL)


def grpc(status: int, code: int, message: str, root: str = "") -> Reply:
    details = [{"@type": "type.googleapis.com/google.rpc.Status", "code": code, "message": root or message}]
    return reply(status, {"code": code, "message": message, "details": details})


def page(status: int, title: str, body: str = "", **headers: str) -> Reply:
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head>{body}</html>"
    return reply(status, text, "text/html", **headers)


def trouble(found: Reply) -> errors.KfpError:
    error = answers.trouble(found, WHO)
    assert error
    return error


@pytest.mark.parametrize("body", [{}, {"pipelines": []}])
def test_a_json_object_is_no_trouble(body: object) -> None:
    assert answers.trouble(reply(200, body), WHO) is None


@pytest.mark.parametrize("body", [[], None, 7, "ok"])
def test_json_that_is_no_object_is_no_answer_of_the_server(body: object) -> None:
    assert isinstance(trouble(reply(200, json.dumps(body))), errors.KfpNotAServer)


@pytest.mark.parametrize(
    ("found", "kind", "words", "fix"),
    [
        (grpc(401, 16, f"{NO_IDENTITY}Unauthenticated: Request header error: there is no user identity header."),
         errors.KfpNotLetIn, "it was told no identity", "access:"),
        (grpc(401, 16, EXPIRED), errors.KfpNotLetIn, "service account token has expired", "kubectl create token"),
        (grpc(401, 16, AUDIENCE), errors.KfpNotLetIn, 'target audiences ["pipelines.kubeflow.org"]', "--audience"),
        (grpc(401, 16, GARBAGE), errors.KfpNotLetIn, "invalid bearer token", "access:"),
        (grpc(403, 7, DENIED), errors.KfpForbidden, "bob@example.com may not list pipelines in mu-", "--user=bob@"),
        (reply(403, "RBAC: access denied", "text/plain"), errors.KfpForbidden, "RBAC: access denied", "access:"),
        (grpc(404, 5, "Failed to get: ResourceNotFoundError: Run x not found", "Run x not found"),
         errors.KfpNotThere, "Run x not found", ""),
        (reply(404, {"code": 5, "message": "Not Found"}), errors.KfpNotAServer, "no Kubeflow Pipelines API",
         "pipelines: https://kubeflow.example.org}"),
        (reply(404, "404 page not found\n", "text/plain"), errors.KfpNotAServer, "it has nothing there", "endpoints"),
        (reply(409, {"error_message": "Failed to create a pipeline", "error_details": STACK}),
         errors.KfpRefused, "(409): Failed to create a pipeline", ""),
        (grpc(500, 13, "Failed to list: dial tcp 127.0.0.1:3306: connection refused", "Internal Server Error"),
         errors.KfpUnavailable, "connection refused", "kubectl"),
        (grpc(500, 13, "Failed to create a run: pods is forbidden: exceeded quota: compute", "Internal Server Error"),
         errors.KfpRefused, "exceeded quota: compute", ""),
        (reply(501, {"code": 12, "message": "Method Not Allowed"}), errors.KfpRefused, "(501)", ""),
        (reply(503, "no healthy upstream", "text/plain"), errors.KfpUnavailable, "no healthy upstream", "again"),
        (page(502, "502 Bad Gateway"), errors.KfpUnavailable, "a proxy before the server answered 502", "again"),
        (page(200, "dex", '<form><input name="password"/></form>'), errors.KfpNotLetIn, "a page to log in", "access:"),
        (page(403, "Sign In", '<form action="/oauth2/start">'), errors.KfpNotLetIn, "a page to log in", "access:"),
        (page(200, "Kubeflow Central Dashboard"), errors.KfpNotAServer, "Kubeflow's dashboard", "endpoints"),
        (page(200, "Kubeflow Pipelines", "<script>window.KFP_FLAGS={}</script>"), errors.KfpNotAServer,
         "Kubeflow's dashboard", "endpoints"),
        (page(200, "Welcome to nginx!"), errors.KfpNotAServer, "a page for a browser", "endpoints"),
        (reply(200, "pong", "text/plain"), errors.KfpNotAServer, "no JSON object", "endpoints"),
        (reply(302, "", location="https://x.example.org/dex/auth?state=s3cret"), errors.KfpNotLetIn,
         "it sends us to https://x.example.org/dex/auth", "access:"),
        (reply(301, "", location="https://other.example.org/apis/v2beta1/pipelines"), errors.KfpNotAServer,
         "sends us elsewhere", "pipelines: https://other.example.org}"),
    ],
)  # fmt: skip
def test_an_answer_says_what_is_wrong_and_what_mends_it(
    found: Reply, kind: type[errors.KfpError], words: str, fix: str
) -> None:
    error = trouble(found)
    assert type(error) is kind
    assert words in error.what
    assert fix in error.fix


@pytest.mark.parametrize("details", [["oops"], [None], [7], {}, "x"])
def test_details_of_another_shape_are_no_crash(details: object) -> None:
    assert "cannot" in trouble(reply(400, {"message": "cannot", "details": details})).what


def test_an_address_that_is_none_is_no_crash() -> None:
    assert "elsewhere" in trouble(reply(302, "", location="http://[bad/x")).what


def test_an_answer_that_may_have_done_something_says_so() -> None:
    for status, maybe in ((500, True), (503, True), (429, False)):
        error = trouble(grpc(status, 13, "x"))
        assert isinstance(error, errors.KfpUnavailable)
        assert error.maybe_done is maybe


def test_who_grants_the_right_is_told_the_whole_command() -> None:
    denied = DENIED.replace("bob@example.com", "system:serviceaccount:ml:ci")
    assert trouble(grpc(403, 7, denied)).fix == (
        "kubectl create rolebinding tagline -n mu-alice --clusterrole=kubeflow-edit --serviceaccount=ml:ci"
    )


def test_no_stack_trace_and_no_query_is_shown() -> None:
    text = str(trouble(reply(400, {"error_message": STACK, "error_details": STACK})))
    assert "github.com" not in text
    assert "\n\t" not in text
    assert "state=s3cret" not in str(trouble(reply(302, "", location="/dex/auth?state=s3cret")))
    assert "namespace=mu-alice" not in text


@pytest.mark.parametrize(
    ("found", "veiled"),
    [
        (reply(400, {"error_message": "Failed to create a pipeline", "error_details": STACK}, PLAIN), True),
        (reply(400, {"error_message": "Failed to create a pipeline version"}, PLAIN), True),
        (reply(400, {"error_message": "unknown template format", "error_details": ""}), False),
        (reply(400, {"error_message": "Failed to read a pipeline spec file"}, PLAIN), False),
        (reply(400, "Invalid input error: Pipeline.Namespace length cannot exceed 63\n", PLAIN), False),
        (reply(409, {"error_message": "Failed to create a pipeline version"}), False),
    ],
)  # fmt: skip
def test_only_an_uploads_400_without_a_reason_is_looked_through(found: Reply, veiled: bool) -> None:
    assert answers.is_veiled(found) is veiled


@given(
    st.integers(200, 599),
    st.binary(max_size=200),
    st.sampled_from(["text/html", "application/json", "", "text/plain"]),
)
def test_whatever_is_answered_is_an_error_of_ours_or_a_json_object(
    status: int, body: bytes, kind: str
) -> None:
    found = Reply(status, "", {"content-type": kind}, body, URL)
    error = answers.trouble(found, WHO)
    if error is None:
        assert status < 300 and isinstance(json.loads(body), dict)
    assert error is None or isinstance(error, errors.KfpError)
