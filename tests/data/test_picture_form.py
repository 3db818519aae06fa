"""Pictures of digits brought into MNIST's form."""

from __future__ import annotations

import contextlib
import struct
import zlib
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glyphs import drawn
from sweepmark.data.picture_form import (
    LARGEST_PICTURE,
    PictureForm,
    bring_into_form,
    is_picture,
    read_picture,
)
from sweepmark.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def form(grey: NDArray[Any]) -> PictureForm:
    return bring_into_form(grey, name="picture")


def apart(one: PictureForm, other: PictureForm) -> float:
    return float(np.abs(one.image.astype(int) - other.image.astype(int)).mean())


digits = st.integers(0, 9)


@pytest.mark.parametrize("digit", range(10))
def test_a_printed_digit_in_form(digit: int) -> None:
    found = form(drawn(digit))
    assert found.image.shape == (28, 28)
    assert found.image.dtype == np.uint8
    assert (found.image.min(), found.image.max()) == (0, 255)
    assert found.is_dark_on_light
    extents = [np.flatnonzero(found.image.any(axis=axis)) for axis in (0, 1)]
    assert max(int(extent[-1] - extent[0]) + 1 for extent in extents) == 20
    for axis in (0, 1):
        mass = found.image.sum(axis=axis, dtype=float)
        assert abs(float(mass @ np.arange(28) / mass.sum()) - 14) <= 0.5


def test_the_ratio_is_kept() -> None:
    bar = np.full((90, 60), 255.0)
    bar[10:70, 20:35] = 0
    found = form(bar)
    assert found.box == (10, 20, 60, 15)
    assert found.image.any(axis=1).sum() == 20
    assert found.image.any(axis=0).sum() == 5
    assert set(np.unique(found.image)) == {0, 255}


@given(digits, st.lists(st.integers(0, 90), min_size=4, max_size=4))
@settings(max_examples=30, deadline=None)
def test_paper_around_it_changes_nothing(digit: int, border: list[int]) -> None:
    top, bottom, left, right = border
    padded = np.pad(drawn(digit), ((top, bottom), (left, right)), constant_values=255)
    assert np.array_equal(form(padded).image, form(drawn(digit)).image)


@given(digits)
@settings(max_examples=10, deadline=None)
def test_inverted_is_the_same(digit: int) -> None:
    inverted = form(255 - drawn(digit))
    assert not inverted.is_dark_on_light
    assert np.array_equal(inverted.image, form(drawn(digit)).image)


@given(digits, st.floats(0.1, 1), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_contrast_changes_nothing(digit: int, contrast: float, light: float) -> None:
    pale = drawn(digit) * contrast + (255 * (1 - contrast)) * light
    assert apart(form(pale), form(drawn(digit))) < 0.1


@pytest.mark.parametrize("digit", range(10))
def test_ten_times_larger_is_nearly_the_same(digit: int) -> None:
    """Where a side or the centre is rounded the other way, the digit is one pixel off."""
    small = form(drawn(digit, size=56)).image.astype(int)
    large = form(drawn(digit, size=560)).image.astype(int)
    shifted = [np.roll(large, shift, (0, 1)) for shift in product((-1, 0, 1), repeat=2)]
    assert min(np.abs(image - small).mean() for image in shifted) < 12


def test_what_is_in_form_stays() -> None:
    once = form(drawn(3))
    assert apart(form(once.image), once) < 0.2


def test_uneven_paper_is_no_ink() -> None:
    generator = np.random.default_rng(0)
    noisy = drawn(4) * 0.7 + generator.normal(40, 5, size=drawn(4).shape)
    assert apart(form(noisy), form(drawn(4))) < 8
    with pytest.raises(DataError, match=r"blank: its grey values are .* as uneven as its border"):
        form(generator.normal(120, 5, size=(60, 60)).clip(100, 140))


def test_the_border_decides_which_side_is_ink() -> None:
    heavy = np.zeros((40, 40))
    heavy[2:38, 2:38] = 255  # more ink than paper
    assert not form(heavy).is_dark_on_light
    assert form(heavy).image.sum() == 20 * 20 * 255


@pytest.mark.parametrize("grey", [np.zeros((9, 9)), np.full((1, 1), 200.0), np.full((5, 3), 255)])
def test_blank(grey: NDArray[Any]) -> None:
    with pytest.raises(DataError, match="must show a digit, but is blank"):
        form(grey)


def lopsided() -> NDArray[np.float64]:
    picture = np.zeros((60, 60))
    picture[5:55, 30] = 30
    picture[50:55, 10:50] = 255
    return picture


def test_nothing_is_cut_off_where_the_mass_is_at_an_end() -> None:
    image = form(lopsided()).image
    assert np.flatnonzero(image.any(axis=1)).tolist() == list(range(20))


# Files


def save(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def as_picture(digit: int = 5) -> Image.Image:
    return Image.fromarray(drawn(digit).astype(np.uint8))


def stencil(level: int) -> Image.Image:
    """Return strokes of a colour on nothing."""
    cover = Image.fromarray((255 - drawn(5)).astype(np.uint8))
    picture = Image.new("LA", cover.size, (level, 0))
    picture.putalpha(cover)
    return picture


@pytest.mark.parametrize(
    ("name", "convert", "tolerance"),
    [
        ("grey.png", as_picture, 0.01),
        ("colour.png", lambda: as_picture().convert("RGB"), 0.01),
        ("palette.png", lambda: as_picture().convert("P"), 0.01),
        ("opaque.png", lambda: as_picture().convert("RGBA"), 0.01),
        ("bits.png", lambda: as_picture().convert("1", dither=Image.Dither.NONE), 9),
        ("dark_on_nothing.png", lambda: stencil(0), 1),
        ("light_on_nothing.png", lambda: stencil(255).convert("RGBA"), 1),
        ("deep.png", lambda: Image.fromarray(drawn(5).astype(np.uint16) * 257), 0.01),
        ("binary.pgm", as_picture, 0.01),
        ("photo.jpg", lambda: as_picture().convert("RGB"), 4),
        ("cmyk.jpg", lambda: as_picture().convert("CMYK"), 4),
    ],
)
def test_kinds_of_pictures(tmp_path: Path, name: str, convert: Any, tolerance: float) -> None:
    path = save(convert(), tmp_path / name)
    assert is_picture(path)
    assert apart(read_picture(path), form(drawn(5))) < tolerance


def test_a_tile_on_nothing_brings_its_paper(tmp_path: Path) -> None:
    tile = as_picture().convert("RGBA")
    sheet = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    sheet.paste(tile, (40, 40))
    path = save(sheet, tmp_path / "tile.png")
    assert apart(read_picture(path), form(drawn(5))) < 0.5


def test_all_transparent_is_blank(tmp_path: Path) -> None:
    path = save(Image.new("RGBA", (30, 30), (0, 0, 0, 0)), tmp_path / "nothing.png")
    with pytest.raises(DataError, match="blank"):
        read_picture(path)


def test_plain_pgm(tmp_path: Path) -> None:
    image = form(drawn(2)).image
    path = tmp_path / "plain.pgm"
    path.write_text("P2\n28 28\n255\n" + "\n".join(" ".join(map(str, row)) for row in image) + "\n")
    assert is_picture(path)
    assert np.abs(read_picture(path).image.astype(int) - image).mean() < 0.2
    assert not is_picture(path.rename(tmp_path / "plain.csv"))


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn right
    lying = as_picture(7).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    path = save(lying, tmp_path / "turned.jpg", exif=exif)
    assert apart(read_picture(path), form(drawn(7))) < 6


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9))


@pytest.mark.parametrize(
    "sides", [(50_000, 50_000), (2**31 - 1, 2**31 - 1), (LARGEST_PICTURE + 1, 1)]
)
def test_bombs_are_refused_by_their_headers(tmp_path: Path, sides: tuple[int, int]) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(*sides))
    with pytest.raises(DataError, match="25,000,000 pixels at most"):
        read_picture(path)
    plain = tmp_path / "bomb.pgm"
    plain.write_text(f"P5\n{sides[0]} {sides[1]}\n255\n")
    with pytest.raises(DataError, match="pixels at most"):
        read_picture(plain)


@pytest.mark.parametrize(
    "content",
    [
        png_header(20, 20),
        png_header(20, 20)[:20],
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0nothing",
        b"P2\n3 3\n255\n1 2 x",
        b"P2\n3 3\n255\n1 2",
        b"P5\n0 0\n255\n",
        b"P5\n-3 3\n255\n",
        b"P5\n",
    ],
)
def test_damaged_pictures_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged"
    path.write_bytes(content)
    assert is_picture(path)
    with pytest.raises(DataError, match="damaged"):
        read_picture(path)


@given(st.integers(0, 2**32), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_flipped_bytes_end_in_a_picture_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n_flips: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(save(as_picture(), folder / "whole.png").read_bytes())
    generator = np.random.default_rng(seed)
    for place in generator.integers(8, len(content), n_flips):
        content[place] = int(generator.integers(256))
    path = folder / "flipped.png"
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        assert read_picture(path).image.shape == (28, 28)
