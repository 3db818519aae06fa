"""What every source must do, whatever the place it fetches from."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from idx_files import decode
from openml_files import publish
from published import WebServer, file_config, whole
from stand_ins import install_archive
from sweepmark.config import dataset_config
from sweepmark.config.registry import SOURCES
from sweepmark.errors import ConfigurationError
from sweepmark.sources.interface import Source
from sweepmark.sources.transfer import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sweepmark.config.schema import FileConfig

    Case = tuple[Source, list[FileConfig]]


def made(name: str, /, **options: Any) -> Source:
    """Create a source by its name, as a data set's configuration does."""
    kind = SOURCES.find(name)
    (source,) = kind.create(kind.options(**options))
    assert isinstance(source, Source)
    return source


def _files(folder: Path) -> list[FileConfig]:
    return [file_config(path) for path in sorted(folder.iterdir())]


def _mirror(folder: Path, _: Path) -> Iterator[Case]:
    with WebServer() as web:
        web.publish(folder, page=whole)
        yield made("mirror", urls=(web.url,)), _files(folder)


def _index_page(folder: Path, _: Path) -> Iterator[Case]:
    with WebServer() as web:
        web.publish(folder, "/files/", page=whole)
        links = "".join(f"<a href='files/{path.name}.gz'>x</a>" for path in folder.iterdir())
        web.pages["/index.html"] = whole(f"<html><a name='x'></a>{links}</html>".encode())
        yield made("index_page", urls=(f"{web.url}index.html",)), _files(folder)


def _npm(folder: Path, package: Path) -> Iterator[Case]:
    if shutil.which("npm") is None:
        pytest.skip("npm is not on the PATH")
    shutil.copytree(folder, package / "data")
    manifest = {"name": "tiny-data", "version": "1.0.0", "scripts": {"prepack": "exit 1"}}
    (package / "package.json").write_text(json.dumps(manifest))
    yield made("npm", package=str(package), version="", folder="package/data"), _files(folder)


def _apt(folder: Path, package: Path) -> Iterator[Case]:
    content = package / "content" / "usr" / "share" / "tiny"
    content.mkdir(parents=True)
    for path in folder.iterdir():
        (content / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    with pytest.MonkeyPatch.context() as patch:
        install_archive(package, package / "content", patch)
        yield made("apt", package="tiny", folder="usr/share/tiny"), _files(folder)


def _bundled(_: Path, __: Path) -> Iterator[Case]:
    yield made("bundled"), list(dataset_config("digits").files.values())


def _torchvision(folder: Path, root: Path) -> Iterator[Case]:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in folder.iterdir():  # it keeps what it downloaded beside what it unpacked
        shutil.copy(path, raw)
        (raw / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    yield made("folder", paths=(str(raw),)), _files(folder)


def _debian(folder: Path, root: Path) -> Iterator[Case]:
    for path in folder.iterdir():
        (root / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    yield made("folder", paths=(str(root),)), _files(folder)


def _keras(folder: Path, root: Path) -> Iterator[Case]:
    arrays = {
        f"{letter}_{part}": decode((folder / f"{prefix}-{kind}-ubyte").read_bytes())
        for letter, kind in (("x", "images-idx3"), ("y", "labels-idx1"))
        for part, prefix in (("train", "train"), ("test", "t10k"))
    }
    np.savez(root / "mnist.npz", **arrays)  # type: ignore[arg-type]
    yield made("keras", paths=(str(root / "mnist.npz"),)), _files(folder)


def _openml(folder: Path, root: Path) -> Iterator[Case]:
    from sklearn.datasets import load_digits

    publish(root, "digits_64", *load_digits(return_X_y=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIKIT_LEARN_DATA", str(root))
        yield made("openml", name="digits_64", version=1), _files(folder)


MAKERS: list[tuple[str, Callable[[Path, Path], Iterator[Case]]]] = [
    ("apt", _apt),
    ("bundled", _bundled),
    ("folder", _torchvision),
    ("folder", _debian),
    ("index_page", _index_page),
    ("keras", _keras),
    ("mirror", _mirror),
    ("npm", _npm),
    ("openml", _openml),
]
"""What makes a source by its name, and the files that it has."""


@pytest.fixture(scope="module", params=[maker for _, maker in MAKERS], ids=lambda m: m.__name__)
def case(
    request: pytest.FixtureRequest, digits_idx: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    yield from request.param(digits_idx, tmp_path_factory.mktemp("package"))


def test_every_source_is_under_contract() -> None:
    assert {name for name, _ in MAKERS} == set(SOURCES.places)


@pytest.mark.parametrize("name", SOURCES.places)
def test_other_options_are_refused_with_the_right_ones(name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        dataset_config("digits", [f"+dataset.sources.{name}.nothing=1"])
    rules = str(refused.value)
    assert f"unknown key 'dataset.sources.{name}.nothing'" in rules
    for option in fields(SOURCES.find(name).options):
        assert f"dataset.sources.{name}.{option.name}" in rules


def test_every_file_is_delivered_decompressed(case: Case, tmp_path: Path) -> None:
    source, files = case
    for file in files:
        told: list[int] = []
        path = source.fetch(file, tmp_path, advance=told.append)
        assert path == tmp_path / file.name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
        assert sum(told) == file.size


def test_other_content_is_refused_with_both_digests(case: Case, tmp_path: Path) -> None:
    source, files = case
    expected = replace(files[0], sha256="0" * 64)
    with pytest.raises(SourceError, match=f"{'0' * 64}, found .*{files[0].sha256}"):
        source.fetch(expected, tmp_path, advance=lambda _: None)
    assert not _left(tmp_path)


@pytest.mark.parametrize("difference", [-1, 1])
def test_another_size_is_refused(case: Case, tmp_path: Path, difference: int) -> None:
    source, files = case
    expected = replace(files[0], size=files[0].size + difference, sha256="0" * 64)
    with pytest.raises(SourceError, match=f"expected {expected.size} bytes"):
        source.fetch(expected, tmp_path, advance=lambda _: None)
    assert not _left(tmp_path)


def test_a_file_that_is_not_there_is_refused(case: Case, tmp_path: Path) -> None:
    source, files = case
    with pytest.raises(SourceError):
        source.fetch(replace(files[0], name="nowhere-idx1-ubyte"), tmp_path, advance=print)
    assert not _left(tmp_path)


def test_a_source_delivers_after_it_failed(case: Case, tmp_path: Path) -> None:
    source, files = case
    with pytest.raises(SourceError):
        source.fetch(replace(files[0], sha256="0" * 64), tmp_path, advance=lambda _: None)
    assert source.fetch(files[0], tmp_path, advance=lambda _: None).is_file()


def test_it_has_a_label(case: Case) -> None:
    assert case[0].label


def _left(folder: Path) -> list[Path]:
    """Return what a failed fetch left behind, a source's own sub-folder aside."""
    return [path for path in folder.iterdir() if path.is_file()]
