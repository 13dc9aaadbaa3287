"""Pipelines with branches, loops, exit handlers and graphs inside, compiled by kfp itself.

Each step takes what it is given as JSON and writes into the run's own outputs, so that a test reads there
what ran, and with what.
"""

from kfp import dsl, kubernetes

from .projects import do, flaky, show, spec, write


@dsl.container_component
def add(n: int, m: int, total: dsl.OutputPath(int)):
    return spec("add", n, m, total)


@dsl.container_component
def say(words: str, said: dsl.OutputPath(str)):
    return spec("write", said, words)


@dsl.container_component
def fail():
    return spec("exit", "7")


@dsl.container_component
def gather(numbers: list, last: dsl.OutputPath(list)):
    return spec("write", last, numbers)


@dsl.container_component
def count_words(words: dsl.OutputPath(int)):
    return spec("write", words, "many")


@dsl.container_component
def pack(items: dsl.Input[list[dsl.Dataset]], out: dsl.Output[dsl.Dataset]):
    return spec("pack", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER)


@dsl.container_component
def closing(status: dsl.PipelineTaskFinalStatus, said: dsl.OutputPath(str)):
    return spec("write", said, status)


@dsl.pipeline
def twice(n: int = 5, m: int = 1) -> int:
    first = add(n=n, m=m)
    return add(n=first.outputs["total"], m=m).outputs["total"]


@dsl.pipeline(name="nested")
def nested(n: int = 1) -> int:
    inner = twice(n=n)
    other = twice()
    return add(n=inner.output, m=other.output).outputs["total"]


@dsl.pipeline(name="branched")
def branched(n: int, word: str = "a"):
    with dsl.If(n > 10):
        first = say(words="big")
    with dsl.Elif(word == "b"):
        second = say(words="b")
    with dsl.Else():
        with dsl.If(n != 3):
            write(text="not three")
        third = say(words=f"small {n}")
    chosen = dsl.OneOf(first.outputs["said"], second.outputs["said"], third.outputs["said"])
    say(words=chosen).set_display_name("after")


@dsl.pipeline(name="skipped")
def skipped(flag: bool, share: float = 0.5):
    with dsl.If(flag == True):  # noqa: E712
        say(words="in")
    with dsl.If(share <= 0.5):
        say(words="half")


@dsl.pipeline(name="looped-in-full")
def loops(numbers: list = [1, 2, 3]):  # noqa: B006
    with dsl.ParallelFor(numbers, parallelism=2) as n:
        more = add(n=n, m=10)
        with dsl.If(n == 2):
            say(words=f"two {n}")
        with dsl.ParallelFor([{"a": 1}, {"a": 2}]) as pair:
            add(n=pair.a, m=n)
            made = write(text=f"{n}")
    gather(numbers=dsl.Collected(more.outputs["total"]))
    pack(items=dsl.Collected(made.outputs["out"]))


@dsl.pipeline(name="numbers")
def numbers():
    with dsl.ParallelFor([1, 2, 3]) as n:
        more = add(n=n, m=10)
        with dsl.If(n >= 2):
            say(words=f"two {n}")
    gather(numbers=dsl.Collected(more.outputs["total"]))


@dsl.pipeline(name="lost-in-kfp")
def lost():
    with dsl.ParallelFor([1]), dsl.ParallelFor([{"b": "x"}]) as pair:
        say(words=f"{pair.b}!")


@dsl.pipeline(name="loop-fails")
def loop_fails():
    with dsl.ParallelFor([1, 2]) as n:
        add(n=n, m=1)
        fail()


@dsl.pipeline(name="exits")
def exits(good: bool = True):
    with dsl.ExitHandler(closing(), name="tidy"):
        with dsl.If(good == False):  # noqa: E712
            fail()
        say(words="in")


@dsl.pipeline(name="ignores")
def ignores():
    say(words="all the same").after(fail()).ignore_upstream_failure()


@dsl.pipeline(name="retried-inside")
def retried_inside(counter: str):
    with dsl.ParallelFor([1]):
        flaky(counter=counter).set_retry(2, backoff_duration="0s")


@dsl.pipeline(name="retried-whole")
def retried_whole():
    twice(n=1).set_retry(2)


@dsl.pipeline(name="quoted")
def quoted(word: str):
    with dsl.If(word == "it's"):
        say(words="x")


@dsl.pipeline(name="secret-inside")
def secret_inside():
    with dsl.ParallelFor([1, 2]):
        kubernetes.use_secret_as_env(show(), "vault", {"role-id": "VAULT_ID"})


@dsl.pipeline(name="limited-inside")
def limited_inside(argument: str):
    with dsl.ParallelFor([1]):
        kubernetes.set_timeout(do(verb="hang", argument=argument), 1)


@dsl.pipeline(name="volume-inside")
def volume_inside():
    with dsl.ParallelFor([1]):
        kubernetes.use_secret_as_volume(show(), "certs", "/certs")


@dsl.pipeline(name="wrong")
def wrong():
    with dsl.ParallelFor([1]):
        add(n=count_words().outputs["words"], m=1)
