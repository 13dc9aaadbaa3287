"""Tiny pipelines, compiled by kfp itself, and the source tree that their tasks run in."""

from pathlib import Path

from kfp import compiler, dsl, kubernetes

STEP = """
import json, os, subprocess, sys, time

def write(path, text):
    open(path, "w").write(text)

def show(*names):
    print({name: os.environ.get(name) for name in names})

def hang(pid_file):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    write(pid_file, f"{os.getpid()} {child.pid}")
    time.sleep(600)

def join(target, *paths):
    write(target, " ".join(open(path).read() for path in paths))

def metrics(text, acc="0.9"):
    given = json.loads(text)
    out = given["outputs"]["artifacts"]["scores"]["artifacts"][0]
    entry = {"name": "scores", "uri": out["uri"], "metadata": {"acc": float(acc)}}
    answer = {"artifacts": {"scores": {"artifacts": [entry]}}}
    write(given["outputs"]["outputFile"], json.dumps(answer))

def once(counter):
    with open(counter, "a") as file:
        file.write("x")

def flaky(counter, target):
    once(counter)
    write(target, "partial")
    if os.path.getsize(counter) < 3:
        sys.exit(9)

def add(n, m, target):
    write(target, str(int(n) + int(m)))

def pack(text):
    given = json.loads(text)
    paths = [one["uri"] for one in given["inputs"]["artifacts"]["items"]["artifacts"]]
    join(given["outputs"]["artifacts"]["out"]["artifacts"][0]["uri"], *paths)

def facts(target, model, sha):
    write(target, json.dumps({"uri": model, "sha256": sha, "metrics": {"acc": 0.5}}))

def shell(script):
    sys.exit(subprocess.run(["sh", "-c", script]).returncode)

def where():
    print("cwd", os.getcwd(), "venv", os.environ["VIRTUAL_ENV"], "python", sys.executable)
    print("path", os.environ.get("PYTHONPATH"))
    write("left-behind", "x")
    print(sorted(os.listdir()))

def garbage(text):
    write(json.loads(text)["outputs"]["outputFile"], '{"parameterValues": {}, "surprise": 1}')

name, *rest = sys.argv[1:]
if name == "exit":
    print("about to fail", flush=True)
    sys.exit(int(rest[0]))
if name != "nothing":
    globals()[name](*rest)
"""

DOCKERFILE = """
FROM python:3.11-slim
WORKDIR /app
ENV PYTHONPATH=/app/src/lib PATH=/nowhere
COPY src /app/src
COPY conf/*.yaml \\
     /etc/app/
"""


def make_source(folder: Path) -> Path:
    """A source tree without requirements."""
    (folder / "src").mkdir(parents=True)
    (folder / "docker/base_image").mkdir(parents=True)
    (folder / "src/step.py").write_text(STEP)
    (folder / "docker/base_image/Dockerfile").write_text(DOCKERFILE)
    return folder


def spec(*words: object) -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image="dev:1", command=["python", "/app/src/step.py"], args=list(words))


@dsl.container_component
def write(text: str, out: dsl.Output[dsl.Dataset]):
    return spec("write", out.path, text)


@dsl.container_component
def count(rows: dsl.OutputPath(int)):
    return spec("write", rows, "42")


@dsl.container_component
def join(a: dsl.Input[dsl.Dataset], b: dsl.Input[dsl.Dataset], n: int, model: dsl.Output[dsl.Model]):
    return spec("join", model.path, a.path, b.path)


@dsl.container_component
def measure(model: dsl.Input[dsl.Model], scores: dsl.Output[dsl.Metrics]):
    return spec("metrics", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER)


@dsl.container_component
def do(verb: str, argument: str):
    return spec(verb, argument)


@dsl.container_component
def flaky(counter: str, out: dsl.Output[dsl.Dataset]):
    return spec("flaky", counter, out.path)


@dsl.container_component
def forgetful(rows: dsl.OutputPath(int), out: dsl.Output[dsl.Dataset]):
    return spec("nothing")


@dsl.container_component
def careless(out: dsl.Output[dsl.Dataset]):
    return spec("nothing")


@dsl.container_component
def garbage(out: dsl.Output[dsl.Dataset]):
    return spec("garbage", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER)


@dsl.container_component
def show():
    return spec("show", "VAULT_ID", "TAGLINE_SECRET_VAULT_ROLE_ID", "X", "SSH_AUTH_SOCK")


@dsl.container_component
def where():
    return spec("where")


@dsl.container_component
def note(model: dsl.Input[dsl.Model], sha: str, facts: dsl.Output[dsl.Artifact]):
    return spec("facts", facts.path, model.path, sha)


@dsl.container_component
def weigh(share: float):
    return spec("nothing", share)


@dsl.component(base_image="python:3.12")
def light() -> int:
    return 1


@dsl.pipeline(name="fan")
def fan(left: str = "L", right: str = "R"):
    first, second, rows = write(text=left), write(text=right), count()
    joined = join(a=first.outputs["out"], b=second.outputs["out"], n=rows.outputs["rows"])
    measure(model=joined.outputs["model"]).set_cpu_limit("1").set_memory_limit("1G")


@dsl.pipeline(name="two")
def two_models(sha: str = "0"):
    for text in ("a", "b"):
        first = write(text=text)
        join(a=first.outputs["out"], b=first.outputs["out"], n=1)


@dsl.pipeline(name="facts")
def with_facts(sha: str):
    first = write(text="m")
    model = join(a=first.outputs["out"], b=first.outputs["out"], n=1)
    note(model=model.outputs["model"], sha=sha)


@dsl.pipeline(name="one")
def one(verb: str = "once", argument: str = "0"):
    do(verb=verb, argument=argument)


@dsl.pipeline(name="weighed")
def weighed(share: float):
    weigh(share=share)


@dsl.pipeline(name="chain")
def chain(verb: str = "exit", argument: str = "1", after: str = ""):
    first = do(verb=verb, argument=argument)
    do(verb="once", argument=after).after(first)


@dsl.pipeline(name="limited")
def limited(argument: str):
    kubernetes.set_timeout(do(verb="hang", argument=argument), 1)


@dsl.pipeline(name="retried")
def retried(counter: str):
    flaky(counter=counter).set_retry(5, backoff_duration="0s")


@dsl.pipeline(name="forgets")
def forgets():
    forgetful()


@dsl.pipeline(name="careless")
def careless_one():
    careless()


@dsl.pipeline(name="garbage")
def garbage_one():
    garbage()


@dsl.pipeline(name="where")
def whereabouts():
    where().after(where())


@dsl.pipeline(name="secret")
def secret():
    task = show().set_env_variable("X", "y")
    kubernetes.use_secret_as_env(task, "vault", {"role-id": "VAULT_ID"})


@dsl.pipeline(name="volume")
def volume():
    kubernetes.use_secret_as_volume(show(), "certs", "/certs")


@dsl.pipeline(name="light")
def lightweight():
    light()


def compile_to(pipeline: object, file: Path) -> Path:
    compiler.Compiler().compile(pipeline, str(file))
    return file
