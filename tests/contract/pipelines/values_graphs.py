"""Pipelines whose tasks write values of their outputs in forms that the backend takes, or refuses; and long names."""

from kfp import dsl

from .graphs import closing, say
from .projects import join, spec, write

LONG = "a-pipeline-that-lies-inside-of-another-and-has-a-name-as-long-as-that"


@dsl.container_component
def flag(text: str, out: dsl.OutputPath(bool)):
    return spec("write", out, text)


@dsl.container_component
def number(text: str, out: dsl.OutputPath(int)):
    return spec("write", out, text)


@dsl.container_component
def share(text: str, out: dsl.OutputPath(float)):
    return spec("write", out, text)


@dsl.container_component
def listed(text: str, out: dsl.OutputPath(list)):
    return spec("write", out, text)


@dsl.container_component
def scored(acc: float, scores: dsl.Output[dsl.Metrics]):
    return spec("metrics", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER, acc)


@dsl.pipeline(name="flagged")
def flagged(text: str):
    with dsl.If(flag(text=text).output == True):  # noqa: E712
        say(words="yes")
    with dsl.Else():
        say(words="no")


@dsl.pipeline(name="numbered")
def numbered(text: str):
    with dsl.If(number(text=text).output > 3):
        say(words="yes")
    with dsl.Else():
        say(words="no")


@dsl.pipeline(name="shared")
def shared(text: str):
    with dsl.If(share(text=text).output > 0.5):
        say(words="yes")
    with dsl.Else():
        say(words="no")


@dsl.pipeline(name="looped-over-text")
def looped(text: str):
    with dsl.ParallelFor(listed(text=text).output) as item:
        say(words=item)


@dsl.pipeline(name="fields")
def fields(items: list):
    with dsl.ExitHandler(closing()), dsl.ParallelFor(items) as item:
        say(words=item.a)


@dsl.pipeline(name="swept")
def swept():
    with dsl.ParallelFor([0.9, 0.1]) as acc:
        first = write(text="m")
        join(a=first.outputs["out"], b=first.outputs["out"], n=1)
        scored(acc=acc)


@dsl.pipeline(name=f"{LONG}-1")
def inmost():
    say(words="deep")


@dsl.pipeline(name=f"{LONG}-2")
def inner():
    inmost()


@dsl.pipeline(name=f"{LONG}-3")
def outer():
    inner()


@dsl.pipeline(name="deep")
def deep():
    outer()
    outer()
