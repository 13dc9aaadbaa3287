"""The chain that builds an image on a Dagger engine: one recipe, one label, and nothing in it that no digest counts."""

from pathlib import Path

import dagger
import msgspec
import pytest
from tagline.engines.dagger import client, images
from tagline.engines.dagger.session import Asked, Call, Task
from tagline.engines.dagger_images import DaggerBuilder, build_of
from tagline.errors import BuildFailed
from tagline.images import LABEL, Order, archive, recipe

from tests.modules import chain
from tests.modules.chain import Link

PASSWORD = "index-url = https://ada:correct-horse@packages.example/simple\n"


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """An order as `images.making` gives it: a staged folder, and the recipe outside of it."""
    context = tmp_path / "context"
    context.mkdir()
    (context / ".dockerignore").write_text("*.md\n")
    (tmp_path / "context.Dockerfile").write_text(recipe.whole("FROM base@sha256:0\nUSER 1000\n"))
    (tmp_path / "pip.conf").write_text(PASSWORD)
    return Order(
        context,
        tmp_path / "context.Dockerfile",
        "registry.example/wine:content-1",
        "1",
        tmp_path / "log",
        tmp_path / "layout",
        tmp_path / "image.tar",
        {"FLAVOUR": "red"},
        {"pip.conf": tmp_path / "pip.conf"},
    )


def named(links: list[Link], name: str) -> list[Link]:
    return [link for link in links if link.name == name]


def test_the_engine_gets_the_recipe_the_label_and_the_arguments_of_engine_docker(order: Order) -> None:
    links = chain.links(images.tarball(build_of(order)))
    (built,), (label,) = named(links, "dockerBuild"), named(links, "withLabel")
    assert label.args == {"name": LABEL, "value": order.label}
    assert [(one["name"], one["value"]) for one in built.args["buildArgs"]] == [
        ("FLAVOUR", "red"),
        ("SOURCE_DATE_EPOCH", str(recipe.EPOCH)),
    ]
    assert built.args["platform"] == recipe.host_platform()
    files = {link.args["path"]: link.args["contents"] for link in named(links, "withNewFile")}
    assert files[built.args["dockerfile"]] == order.dockerfile.read_text()


def test_the_recipe_lies_beside_the_files_and_no_copy_takes_it(order: Order) -> None:
    links = chain.links(images.context(build_of(order)))
    (host,) = named(links, "directory")
    assert host.args["path"] == str(order.context)
    files = {link.args["path"]: link.args["contents"] for link in named(links, "withNewFile")}
    assert files[f"{images.RECIPE}.dockerignore"].splitlines() == [
        "*.md",
        images.RECIPE,
        f"{images.RECIPE}.dockerignore",
    ]
    assert list(order.context.iterdir()) == [order.context / ".dockerignore"]


def test_a_secret_goes_in_by_its_id_and_the_call_holds_only_its_place(order: Order) -> None:
    build = build_of(order)
    assert "correct-horse" not in msgspec.json.encode(build).decode()
    (built,) = named(chain.links(images.image(build)), "dockerBuild")
    (secret,) = built.args["secrets"]
    assert isinstance(secret, dagger.Secret)
    assert chain.links(secret) == [Link("setSecret", {"name": "pip.conf", "plaintext": PASSWORD})]


def test_a_client_tells_a_line_an_image_and_a_task_apart(order: Order) -> None:
    for call in (
        build_of(order),
        Call(["tagline", "check"], "/tree"),
        Task("i", ["a"], "/f", "/b", "1:1", {}),
    ):
        assert msgspec.json.decode(msgspec.json.encode(call), type=Asked) == call


def kept(tmp_path: Path, name: str) -> Path:
    """A tar of an image of that name, as `images.making` hands it to a builder."""
    layout = tmp_path / "layout"
    (layout / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    config = msgspec.json.encode({"config": {"User": "1000"}})
    texts = [config]
    described = [archive.Blob(f"sha256:{sha(text)}", len(text), "") for text in texts]
    manifest = msgspec.json.encode(
        {"config": {"digest": described[0].digest, "size": described[0].size}, "layers": []}
    )
    for text in (config, manifest):
        (layout / "blobs/sha256" / sha(text)).write_bytes(text)
    one = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": f"sha256:{sha(manifest)}"}
    (layout / "index.json").write_bytes(msgspec.json.encode({"manifests": [one]}))
    tar = tmp_path / "named.tar"
    with archive.opened(layout) as opened:
        archive.write_tar(opened, name, tar)
    return tar


def sha(text: bytes) -> str:
    import hashlib

    return hashlib.sha256(text).hexdigest()


def test_what_is_not_pushed_is_kept_and_found_again(tmp_path: Path) -> None:
    builder = DaggerBuilder({}, tmp_path / "kept")
    first, second = "tagline.local/wine:content-1", "tagline.local/wine:content-2"
    assert not builder.has(first)
    builder.load(kept(tmp_path, first))
    builder.load(kept(tmp_path, first))
    assert (builder.has(first), builder.has(second)) == (True, False)
    builder.load(kept(tmp_path, second))
    assert (builder.has(first), builder.has(second)) == (False, True)
    assert len(list((tmp_path / "kept").iterdir())) == 1, "one image of a repository is kept"


def test_a_kept_image_that_is_broken_says_which_file_to_remove(tmp_path: Path) -> None:
    builder = DaggerBuilder({}, tmp_path / "kept")
    builder.load(kept(tmp_path, "tagline.local/wine:content-1"))
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(b"half")
    with pytest.raises(BuildFailed, match="cannot be read") as caught:
        builder.has("tagline.local/wine:content-1")
    assert caught.value.where == str(file)


def test_a_base_is_a_name_or_the_path_of_a_tar(tmp_path: Path) -> None:
    assert client.base_of("mirror.example/python:3.12") == "mirror.example/python:3.12"
    names = [link.name for link in chain.links(client.base_of(str(tmp_path / "base.tar")))]
    assert names == ["container", "import"]
