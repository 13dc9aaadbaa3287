"""`component("prepare_data")`: a task's file as a container component of Kubeflow Pipelines."""

import importlib.util
import inspect
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Optional

from tagline_task.errors import ContractError
from tagline_task.signature import Parameter, Signature, Slot, parameter
from tagline_task.values import TYPES

from tagline.errors import PipelineError
from tagline.pipeline import common
from tagline.pipeline.task_file import TaskFile
from tagline.words import one_of

# frames between a pipeline's file and this one: this module, the common components, an import statement
_BETWEEN = (__name__, "tagline.components", "importlib._bootstrap")
STEPS = Path("src") / "pipeline_steps"
SETTINGS = "kfp_vars"


def component(name: str, image: str | None = None, **defaults: Any) -> Any:
    """The container component of `src/pipeline_steps/<name>/task.py`, for use in `@dsl.pipeline`.

    The file's function says what it takes and gives; the file is read, never imported. `image` is the image
    it runs in, by default `BASE_IMAGE` of the `kfp_vars.py` beside the calling file. `defaults` are other
    defaults for the task's parameters. Output parameters are the return value: fields of a NamedTuple by
    their names, a single value as `output`. `tagline-split-v1` and alike are the common components
    (`tagline.components.v1`). Raises `UnknownName` for a task that is not there, `PipelineError` (file:line)
    for a signature that Kubeflow cannot carry.
    """
    caller = _calling_file(inspect.currentframe())
    shared = common.find(name)
    path = shared.path if shared else _task_path(name, caller)
    file = TaskFile(path, shared.function if shared else name)
    signature = _with_defaults(file.signature(), defaults, path)
    made = _Container(
        name=name,
        image=image or _development_image(caller),
        words=["-m", shared.module] if shared else [str(STEPS / name / "task.py")],
        docstring=file.docstring,
    ).component(signature)
    return _never_cached(made) if shared and shared.fresh else made


@dataclass(frozen=True)
class _Container:
    """How a task is started: python with these words, in this image."""

    name: str
    image: str
    words: list[str]
    docstring: str

    def component(self, signature: Signature) -> Any:
        from kfp import dsl

        def build(*_: Any) -> Any:
            return dsl.ContainerSpec(
                image=self.image,
                command=["python", *self.words],
                args=["--executor_input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER],
            )

        build.__name__ = self.name
        build.__doc__ = self.docstring
        vars(build)["__signature__"] = inspect.Signature(_kfp_parameters(signature))
        return dsl.container_component(build)


def _never_cached(component: Any) -> Any:
    """The component, whose tasks are not answered from an earlier run: what they read may have changed."""
    from kfp.dsl.container_component_class import ContainerComponent

    class Fresh(ContainerComponent):  # type: ignore[misc]  # kfp has no types here
        def __call__(self, *given: Any, **named: Any) -> Any:
            return super().__call__(*given, **named).set_caching_options(False)

    return Fresh(component.component_spec, component.pipeline_func)


def _kfp_parameters(signature: Signature) -> list[inspect.Parameter]:
    from kfp import dsl

    given = [_kfp_parameter(each) for each in signature.arguments]
    returned = [
        inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, annotation=dsl.OutputPath(_type(each)))
        for each in signature.returns
    ]
    return given + returned


def _kfp_parameter(each: Parameter | Slot) -> inspect.Parameter:
    from kfp import dsl

    only = inspect.Parameter.KEYWORD_ONLY
    if isinstance(each, Slot):
        side = dsl.Output if each.output else dsl.Input
        return inspect.Parameter(each.name, only, annotation=side[getattr(dsl, each.kind)])
    annotation = Optional[_type(each)] if each.optional else _type(each)  # noqa: UP045  # kfp knows no `|`
    default = each.default if not each.required else inspect.Parameter.empty
    return inspect.Parameter(each.name, only, annotation=annotation, default=default)


def _type(each: Parameter) -> type:
    return TYPES[each.kind]


def _with_defaults(signature: Signature, defaults: dict[str, Any], path: Path) -> Signature:
    known = {each.name: each for each in signature.parameters}
    for name in defaults:
        one_of(name, known, f"parameter of task {signature.task}")
    return replace(
        signature,
        arguments=tuple(
            _with_default(each, defaults[each.name], path)
            if isinstance(each, Parameter) and each.name in defaults
            else each
            for each in signature.arguments
        ),
    )


def _with_default(wanted: Parameter, value: Any, path: Path) -> Parameter:
    try:
        return parameter(wanted.name, wanted.kind, wanted.optional, value)
    except ContractError as error:
        raise PipelineError(f"component({path.parent.name!r}): {error}", where=str(path)) from error


def _calling_file(frame: FrameType | None) -> Path:
    """The file whose code called `component`; the working folder's `pipeline.py` where it has none."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_BETWEEN):
        frame = frame.f_back
    named = frame.f_globals.get("__file__") if frame is not None else None
    return Path(named or "pipeline.py").resolve()


def _task_path(name: str, caller: Path) -> Path:
    """The task's file in the nearest folder above the caller that holds `src/pipeline_steps`."""
    for folder in caller.parents:
        if (folder / STEPS).is_dir():
            tasks = sorted(each.parent.name for each in (folder / STEPS).glob("*/task.py"))
            return folder / STEPS / one_of(name, tasks, "task") / "task.py"
    raise PipelineError(
        f"no folder {STEPS} above {caller}", where=str(caller), fix=f"write {STEPS}/{name}/task.py"
    )


def _development_image(caller: Path) -> str:
    """`BASE_IMAGE` of the `kfp_vars.py` beside the caller."""
    file = caller.parent / f"{SETTINGS}.py"
    if file.is_file():
        image = getattr(_settings(file), "BASE_IMAGE", "")
        if isinstance(image, str) and image:
            return image
    raise PipelineError(
        "no image for this component",
        where=str(file),
        fix=f'write BASE_IMAGE = "..." into {SETTINGS}.py, or component(name, image="...")',
    )


def _settings(file: Path) -> ModuleType:
    """The module of this very file, imported once."""
    loaded = sys.modules.get(SETTINGS)
    if loaded is not None and Path(loaded.__file__ or "").resolve() == file:
        return loaded
    spec = importlib.util.spec_from_file_location(SETTINGS, file)
    if spec is None or spec.loader is None:
        raise PipelineError(f"{file} cannot be imported", where=str(file))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
