"""The router against direct KServe, side by side in one run: `python -m tests.bench.router [SECONDS]`."""

import http.client
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.contract.serving.conftest import V1, V2, Place, a_place, serving_python

CLIENTS = 8
ROUNDS = 4
BODY = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]]})
Samples = list[float]


def asks(port: int, path: str, until: float) -> Samples:
    """Predictions one after the other on one connection until `until`; the seconds each took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    taken = []
    while time.perf_counter() < until:
        began = time.perf_counter()
        connection.request("POST", path, BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"status {answer.status} from port {port}")
        taken.append(time.perf_counter() - began)
    connection.close()
    return taken


def asks_at_once(port: int, path: str, seconds: float, clients: int) -> Samples:
    """The same from several clients at once."""
    until = time.perf_counter() + seconds
    taken: list[Samples] = []
    threads = [threading.Thread(target=lambda: taken.append(asks(port, path, until))) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [sample for samples in taken for sample in samples]


def quantile(samples: Samples, share: float) -> float:
    return sorted(samples)[min(len(samples) - 1, int(share * len(samples)))]


def compare(
    targets: dict[str, tuple[int, str]], seconds: float, clients: int
) -> dict[str, tuple[float, float, float]]:
    """p50 and p99 in milliseconds and requests a second for each target; in turns, so that both share the noise."""
    samples: dict[str, Samples] = {name: [] for name in targets}
    for _ in range(ROUNDS):
        for name, (port, path) in targets.items():
            samples[name] += asks_at_once(port, path, seconds / ROUNDS, clients)
    return {
        name: (quantile(one, 0.5) * 1e3, quantile(one, 0.99) * 1e3, len(one) / seconds)
        for name, one in samples.items()
    }


def table(clients: int, rows: dict[str, tuple[float, float, float]]) -> str:
    """The rows and the router's ratio to direct, as text."""
    direct, router = rows["direct"], rows["router"]
    ratio = tuple(one / other for one, other in zip(router, direct, strict=True))
    lines = [f"{clients} client(s)   p50 ms   p99 ms   requests/s"]
    lines += [f"{name:<12} {p50:>8.2f} {p99:>8.2f} {rate:>12.0f}" for name, (p50, p99, rate) in rows.items()]
    lines.append(f"{'ratio':<12} {ratio[0]:>8.2f} {ratio[1]:>8.2f} {ratio[2]:>12.2f}")
    return "\n".join(lines)


def moves(place: Place) -> str:
    """How long from the call to the first answer by the other version, and to the call's return."""
    effects, returns = [], []
    for version in [V2, V1] * 20:
        began = time.perf_counter()
        place.serving.set_weights("prod", "wine", {version: 100})
        returns.append(time.perf_counter() - began)
        while place.predict()[2] != str(version):
            pass
        effects.append(time.perf_counter() - began)
    shown = [quantile(one, share) * 1e3 for one in (returns, effects) for share in (0.5, 0.99)]
    return "weight change: returns in p50 {:.1f} ms, p99 {:.1f} ms; first answer p50 {:.1f} ms, p99 {:.1f} ms".format(
        *shown
    )


def main(seconds: float = 10.0) -> None:
    """Start a platform of its own, measure, print, and leave nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with a_place(folder, serving_python(folder)) as place:
            began = time.perf_counter()
            place.serve(V1)
            print(
                f"platform and first server: {time.perf_counter() - began:.1f} s from nothing to weight 100"
            )
            began = time.perf_counter()
            place.serving.deploy("prod", place.spec(V2))
            print(f"second server: {time.perf_counter() - began:.1f} s from start to ready")
            arm = place.serving.route("prod", "wine").arms[0]
            targets = {
                "direct": (arm.port, "/v1/models/wine:predict"),
                "router": (place.port, "/prod/v1/models/wine:predict"),
            }
            for clients in (1, CLIENTS):
                print(table(clients, compare(targets, seconds, clients)))
            print(moves(place))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
