"""Rules for the Python of components: names and imports that are not there when it runs, calls that are gone."""

import ast
import re
from collections.abc import Iterator, Set

from tagline.pipeline.lint import images
from tagline.pipeline.lint.finding import ON_CLUSTER, Level, Rule, Spot
from tagline.pipeline.lint.source import GIVEN, Source, bound, dotted, imported, read_names
from tagline.pipeline.lint.view import View

_PLAIN_PYTHON = re.compile(r"(?:docker\.io/)?(?:library/)?python:[0-9]")
# what is imported under another name than it is installed by
_ALIASES = {
    "sklearn": {"scikit-learn"},
    "cv2": {"opencv-python", "opencv-python-headless", "opencv-contrib-python"},
    "PIL": {"pillow"},
    "yaml": {"pyyaml"},
    "bs4": {"beautifulsoup4"},
    "dateutil": {"python-dateutil"},
    "dotenv": {"python-dotenv"},
    "jwt": {"pyjwt"},
    "git": {"gitpython"},
    "psycopg2": {"psycopg2-binary", "psycopg2"},
    "skimage": {"scikit-image"},
    "google": {"protobuf", "google-"},
    "pkg_resources": {"setuptools"},
    "setuptools": {"python"},
    "pip": {"python"},
}
# what these bring with them, as far as a component would import it
_BRINGS = {
    "pandas": {"numpy", "dateutil", "pytz", "six"},
    "scikit-learn": {"numpy", "scipy", "joblib", "threadpoolctl"},
    "scipy": {"numpy"},
    "matplotlib": {"numpy", "PIL", "dateutil", "six"},
    "requests": {"urllib3", "certifi", "idna"},
    "boto3": {"botocore", "dateutil", "urllib3", "six", "s3transfer", "jmespath"},
    "minio": {"urllib3", "certifi", "argon2"},
    "pyarrow": {"numpy"},
    "numpy": set(),
    "joblib": set(),
    "pyyaml": set(),
    "typing-extensions": set(),
    "kfp": set(),
    "pip": set(),
    "setuptools": set(),
    "wheel": set(),
}
_FOR_KFP_1 = re.compile(r"(?:^|[/_-])v1(?:[/_.-]|$)")  # a path that says it: pipelines/v1/, train_v1.py
_GONE = {
    "kfp.components.create_component_from_func": "@dsl.component",
    "kfp.components.func_to_container_op": "@dsl.component",
    "kfp.dsl.ContainerOp": "@dsl.container_component",
    "kfp.dsl.VolumeOp": "kubernetes.CreatePVC",
    "kfp.dsl.ResourceOp": "a container component that applies the manifest",
    "kfp.dsl.get_pipeline_conf": "the task's own settings",
    "kfp.onprem.use_k8s_secret": "kubernetes.use_secret_as_env",
    "kfp.onprem.mount_pvc": "kubernetes.mount_pvc",
}


def _outside(view: View) -> Iterator[Spot]:
    for name, tree in view.programs.items():
        known = bound(tree) | GIVEN
        for missing in dict.fromkeys(each for each, _ in read_names(tree.body) if each not in known):
            yield Spot(name, f"it reads {missing!r}, which its own source does not define")


def _outside_source(source: Source) -> Iterator[Spot]:
    module = bound(ast.Module([node for node in source.tree.body if not _scope(node)], [])) | {
        node.name for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for component in source.components:
        if any(component.keyword(each) for each in ("target_image", "additional_funcs", "use_code_pickling")):
            continue
        function = component.function
        own = bound(function) | GIVEN
        reads = [(each, line) for each, line in read_names(function.body) if each in module - own]
        for missing, line in dict(reads[::-1]).items():
            yield Spot(function.name, f"it reads {missing!r} of the file around it", line)


def _scope(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def provides(requirements: Set[str], module: str) -> bool:
    """Whether one of these installed packages (normalised names) brings what is imported."""
    top = module.partition(".")[0]
    named = _ALIASES.get(top, set()) | {re.sub(r"[-_.]+", "-", top).lower()}
    if any(top in _BRINGS.get(each, set()) for each in requirements):
        return True
    if "python" in named or named & requirements:
        return True
    parts = re.sub(r"[-_.]+", "-", module).lower()
    return any(
        parts.startswith(each) or each.startswith(f"{re.sub('_', '-', top.lower())}-")
        for each in requirements
    )


def _not_installed(view: View) -> Iterator[Spot]:
    for name, tree in view.programs.items():
        container = view.containers[name]
        installed = {images.requirement_name(each) for each in images.installs(container)}
        known = all(each in _BRINGS for each in installed)
        if not _PLAIN_PYTHON.match(str(container.get("image", ""))) or not installed or not known:
            continue
        for module in dict.fromkeys(each for each, _ in imported(tree) if not each.startswith("kfp")):
            if not provides(installed, module):
                yield Spot(name, f"it imports {module}, which neither the image nor its pip install has")


def _not_locked(source: Source) -> Iterator[Spot]:
    if source.locked is None:
        return
    for module, line in imported(source.tree):
        if module.partition(".")[0] != "tagline_task" and not provides(source.locked, module):
            yield Spot(module, "src/requirements.txt has no package of that name", line)


def full_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """(full name, line) of every imported or dotted name that a file reads."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {each.asname: each.name for each in node.names if each.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                aliases[each.asname or each.name] = f"{node.module}.{each.name}"
                yield f"{node.module}.{each.name}", node.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := dotted(node)):
            head, _, rest = name.partition(".")
            yield f"{aliases.get(head, head)}.{rest}", node.lineno


def _gone(source: Source) -> Iterator[Spot]:
    seen = set()
    if source.kfp_1 or _FOR_KFP_1.search(source.file):
        return
    chosen = {
        getattr(each, "lineno", 0)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.If | ast.Try)
        for each in ast.walk(node)
    }  # which kfp it is may have been asked there
    for name, line in full_names(source.tree):
        if (instead := _GONE.get(name)) and (name, line) not in seen and line not in chosen:
            seen.add((name, line))
            yield Spot(name, f"kfp 2 has it no more; use {instead}", line)


def _old_module(source: Source) -> Iterator[Spot]:
    if source.kfp_1:
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        if any(each == "kfp.v2" or each.startswith("kfp.v2.") for each in names):
            yield Spot("kfp.v2", "the module warns in kfp 2, and is to go: its names are in kfp", node.lineno)


RULES = (
    Rule(
        "component-reads-outside",
        Level.ERROR,
        "Of a lightweight component only the function's own text runs: NameError in the run.",
        "import or define it inside the function, or hand it over as a parameter",
        _outside,
    ),
    Rule(
        "import-not-installed",
        Level.ERROR,
        "A component that imports what nothing has installed ends with ModuleNotFoundError.",
        "add it to packages_to_install, better build it into the image",
        _not_installed,
        ON_CLUSTER,
    ),
)
SOURCE_RULES = (
    Rule(
        "source-reads-outside",
        Level.ERROR,
        "Of a lightweight component only the function's own text runs: NameError in the run.",
        "import or define it inside the function, or hand it over as a parameter",
        _outside_source,
    ),
    Rule(
        "import-not-locked",
        Level.WARNING,
        "A task that imports what the lock lacks ends with ModuleNotFoundError in the run.",
        "add the package to src/requirements.in and lock again",
        _not_locked,
    ),
    Rule(
        "kfp-call-gone",
        Level.ERROR,
        "The call is of kfp 1; with kfp 2 the file does not compile.",
        "write it for kfp 2",
        _gone,
    ),
    Rule(
        "kfp-v2-module",
        Level.WARNING,
        "`kfp.v2` was the name inside kfp 1.",
        "from kfp import compiler, dsl (`tagline lint --fix` writes it)",
        _old_module,
    ),
)
