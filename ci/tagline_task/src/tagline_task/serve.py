"""`python -m tagline_task.serve`: one model behind a KServe ModelServer; the only module that imports kserve.

kserve parses `sys.argv` when it is imported, so it is imported last, and with a command line of our making.
"""

import asyncio
import json
import logging
import signal
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tagline_task import options
from tagline_task.errors import BadInput, PortTaken, PredictionFailed
from tagline_task.predictor import Predictor, load, predict

PROGRAM = "tagline_task.serve"
GRACE = 30
KEPT_TRACEBACKS = 50
_ARGV = ["--configure_logging", "false", "--enable_grpc", "false"]


def work(argv: Sequence[str]) -> None:
    """Check and load the model, then serve it until SIGTERM; requests in flight get their answer (30 s)."""
    parser = options.parser(PROGRAM, "Serve a model with KServe on one port, protocols v1 and v2.")
    parser.add_argument("--name", required=True, help="the model's name in the URL")
    parser.add_argument("--http_port", required=True, type=int, metavar="N")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
    given = parser.parse_args(list(argv))
    predictor = load(given.predictor, given.model, given.sha256)
    _serve(given.name, predictor, given.host, given.http_port)


def _serve(name: str, predictor: Predictor, host: str, port: int) -> None:
    sys.argv = [sys.argv[0], *_ARGV]
    server, model = _server(host, port), _model(name, predictor)
    _quiet_log()
    try:
        server.start([model])
    except SystemExit as error:
        if error.code and not server.started:
            raise PortTaken(f"could not listen on {host}:{port}; another program has it") from error
        raise


class _FirstTraceback(logging.Filter):
    """Lets the traceback of each error through once: a model that fails on every request fills no disk."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; from the second time on the record says the error in one line."""
        if not record.exc_info or record.exc_info[1] is None:
            return True
        said = repr(record.exc_info[1])
        if said in self._seen or len(self._seen) >= KEPT_TRACEBACKS:
            record.msg, record.args, record.exc_info = said[:300], (), None
        else:
            self._seen.add(said)
        return True


def _quiet_log() -> None:
    """One line for each failing request, none for the others."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("uvicorn.access", "kserve.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("kserve").addFilter(_FirstTraceback())
    warnings.filterwarnings("ignore", message="ORJSONResponse is deprecated")  # kserve 0.21, at each request


def _server(host: str, port: int) -> Any:
    from kserve import ModelServer

    class Server(ModelServer):  # type: ignore[misc]  # kserve carries no types
        """KServe's server on one address; it has no setting for it and listens on all (0.21)."""

        @property
        def started(self) -> bool:
            return self._rest_server is not None and bool(self._rest_server._server.started)

        def setup_event_loop(self) -> None:
            """Between making the REST server and starting it: the one place to set its address."""
            self._rest_server.config.host = host

    return Server(
        http_port=port, workers=1, enable_grpc=False, enable_latency_logging=False, grace_period=GRACE
    )


def _model(name: str, predictor: Predictor) -> Any:
    from kserve import InferRequest, Model
    from kserve.errors import InferenceError, InvalidInput
    from kserve.utils.utils import get_predict_response

    class Served(Model):  # type: ignore[misc]  # kserve carries no types
        """A predictor as a KServe model. It answers in a thread of its own, one request after the other, so
        that health stays answered and a model need not be thread-safe."""

        def __init__(self) -> None:
            super().__init__(name)
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="predict")
            self.ready = True

        async def predict(self, payload: Any, headers: Any = None) -> Any:
            """Plain exceptions would make uvicorn reset the connection; kserve's own do not."""
            try:
                tensors = isinstance(payload, InferRequest)
                asked = tensor_instances(payload.inputs, predictor) if tensors else json_instances(payload)
                loop = asyncio.get_running_loop()
                answers = await loop.run_in_executor(self._thread, predict, predictor, asked)
                return get_predict_response(payload if tensors else {}, answers, name)
            except BadInput as error:
                raise InvalidInput(str(error)) from error
            except PredictionFailed as error:
                raise InferenceError(str(error)) from error

    return Served()


def json_instances(payload: Any) -> list[Any]:
    """The instances of a v1 request, whatever content type it was sent as. Raises `BadInput`."""
    if isinstance(payload, bytes | str):
        try:
            payload = json.loads(payload)
        except ValueError as error:
            raise BadInput(f"the body is no JSON: {error}") from error
    if not isinstance(payload, dict) or not isinstance(payload.get("instances"), list):
        raise BadInput('the body wants {"instances": [...]}')
    instances: list[Any] = payload["instances"]
    return instances


def tensor_instances(inputs: list[Any], predictor: Predictor) -> list[Any]:
    """The instances of a v2 request: one tensor of shape [n, columns], or one of shape [n] for each column.

    Raises `BadInput` for any other shape, and for tensors of different lengths.
    """
    tensors = {each.name: _values(each) for each in inputs}
    first = next(iter(tensors.values()), [])
    if len(tensors) == 1 and first and isinstance(first[0], list):
        return first
    columns = {name: [_single(name, each) for each in values] for name, values in tensors.items()}
    if len({len(values) for values in columns.values()}) > 1:
        raise BadInput("the inputs have different lengths")
    if not predictor.named:
        return [list(row) for row in zip(*columns.values(), strict=True)]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(tensor: Any) -> list[Any]:
    try:
        values: list[Any] = tensor.as_numpy().tolist()
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"input {tensor.name} has other data than its shape and datatype say: {error}"
        ) from error
    return [_text(each) for each in values]


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _single(name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if len(value) == 1 and not isinstance(value[0], list):
        return value[0]
    raise BadInput(f"input {name} wants the shape [n] or [n, 1]")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(options.end(PROGRAM, work))
