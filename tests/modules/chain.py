"""The one place that reads Dagger's private API: what a lazy chain would ask an engine for, and a module's arguments.

It holds for dagger-io 0.21.11 alone; `test_the_helper_reads_the_version_that_is_locked` says when it is time to look.
"""

import asyncio
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from dagger.client._core import Context
from dagger.client.base import Type

from tests.fakes.machine import ROOT

READS = "0.21.11"
NAMES = ["check", "image", "pipeline", "promote", "train"]


@dataclass(frozen=True)
class Link:
    """One request of a chain; its inputs (directories, secrets) are objects of Dagger's, or text."""

    name: str
    args: dict[str, Any]


@dataclass(frozen=True)
class Function:
    """A function of a module as the engine would register it."""

    module: str
    name: str
    cache: str | None
    arguments: dict[str, tuple[Any, str | None]]

    @property
    def id(self) -> str:
        return f"{self.module}.{self.name}"


def module(name: str) -> ModuleType:
    return import_module(f"tagline_{name}")


def main_object(name: str) -> type:
    """The class that the engine looks for: the module's name in camel case, in a package of the same name."""
    camel = "".join(word.capitalize() for word in json.loads(config(name))["name"].split("-"))
    found: type = getattr(module(name), camel)
    return found


def config(name: str) -> str:
    return (ROOT / "modules" / name / "dagger.json").read_text()


def functions(name: str) -> list[Function]:
    """All functions of a module, with the types and words of their arguments; the constructor's name is empty."""
    cls = main_object(name)
    registered = cls.__dagger_module__._objects[cls.__name__]  # type: ignore[attr-defined]
    all_ = {"": registered.get_constructor(), **registered.functions}
    return [
        Function(
            name, key, one.cache_policy, {k: (p.resolved_type, p.doc) for k, p in one.parameters.items()}
        )
        for key, one in all_.items()
    ]


def links(result: Any) -> list[Link]:
    """What a function's result would ask for; a function that acts is answered with nothing, and its question read."""
    if inspect.iscoroutine(result):
        return _asked(result)
    return [Link(one.name, dict(one.args)) for one in result._ctx.selections]


def _asked(awaitable: Any) -> list[Link]:
    seen: list[list[Link]] = []

    async def execute(context: Context, *_: object) -> str:
        seen.append([Link(one.name, dict(one.args)) for one in context.selections])
        return ""

    async def wait() -> None:
        await awaitable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Context, "execute", execute)
        asyncio.run(wait())
    (only,) = seen
    return only


def inputs(chain: list[Link]) -> Iterator[Link]:
    """The links of the chain and of all that goes into it."""
    for link in chain:
        yield link
        for value in link.args.values():
            if isinstance(value, Type):
                yield from inputs(links(value))


def sample(kind: Any, name: str) -> Any:
    """A value for an argument, made without an engine."""
    from dagger import dag

    text = str(kind)
    if "Directory" in text:
        return dag.host().directory("/somewhere")
    if "Secret" in text:
        return dag.secret(f"env://SAMPLE_{name.upper()}")
    if "Socket" in text:
        return dag.host().unix_socket("/somewhere/engine.sock")
    if "dagger.File" in text:
        return dag.host().file("/somewhere/tagline.lock")
    if kind is bool:
        return True
    return {
        "event": "pr",
        "version": "1.4.0-r3",
        "vault": "https://vault.example",
        "base": "mirror/python:3.12",
    }.get(name, f"sample-{name}")
