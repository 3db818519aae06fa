from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from idx_files import decode
from sweepmark.errors import DataError
from sweepmark.sources import idx

if TYPE_CHECKING:
    from pathlib import Path

DTYPES = ["u1", "i1", "i2", "i4", "f4", "f8"]

arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=5, min_side=0))
)


@given(arrays)
def test_what_is_encoded_is_decoded(array: np.ndarray[Any, Any]) -> None:
    decoded = decode(idx.encode(array))
    assert decoded.dtype == array.dtype
    assert decoded.dtype.isnative
    np.testing.assert_array_equal(decoded, array)


@given(arrays, st.data())
def test_a_mutated_file_raises_nothing_but_data_errors(
    array: np.ndarray[Any, Any], data: st.DataObject
) -> None:
    content = bytearray(idx.encode(array))
    position = data.draw(st.integers(0, min(len(content), 4 + 4 * array.ndim) - 1))
    content[position] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        decoded = decode(bytes(content))
    except DataError:
        return
    assert decoded.nbytes <= len(content)


@given(st.binary(max_size=64))
def test_any_bytes_raise_nothing_but_data_errors(content: bytes) -> None:
    try:
        decode(content)
    except DataError:
        return


def test_the_bytes_are_those_of_the_definition() -> None:
    array = np.array([[1, -2], [300, 4]], dtype="<i2")
    expected = "00000b02 00000002 00000002 0001 fffe 012c 0004"
    assert idx.encode(array) == bytes.fromhex(expected)


def test_the_order_of_the_elements_does_not_depend_on_memory_layout() -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert idx.encode(np.asfortranarray(array)) == idx.encode(array)


@pytest.mark.row(14, "IDX with a wrong magic, count or length")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"magic number must be 4 bytes, found 0"),
        (b"\0\0\x08", r"magic number must be 4 bytes, found 3"),
        (b"\x01\0\x08\x01\0\0\0\x01\0", r"magic number must begin with bytes 00 00, found 0100"),
        (b"\0\0\x0a\x01\0\0\0\x01\0", r"element type must be one of 0x08 uint8.*found 0x0A"),
        (b"\0\0\x08\0", r"rank must be in \[1, 64\], found 0"),
        (b"\0\0\x08\xff" + bytes(1020), r"rank must be in \[1, 64\], found 255"),
        (b"\0\0\x08\x03\0\0\0\x01\0\0", r"dimensions must be 12 bytes, found 6 \(truncated\)"),
        (b"\0\0\x08\x01\0\0\0\x03\0\0", r"length must be 11 bytes.*\(3,\), found 10"),
        (b"\0\0\x08\x01\0\0\0\x01\0\0", r"length must be 9 bytes.*\(1,\), found more than 9"),
        (b"\0\0\x0e\x40" + b"\xff" * 256, r"dimensions must fit into memory"),
    ],
)
def test_an_error_says_field_expected_and_found(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=f"train-images: {message}"):
        decode(content, name="train-images")


@pytest.mark.row(14, "IDX of 2^31 images")
def test_a_header_of_two_thousand_million_images_allocates_nothing() -> None:
    content = struct.pack(">HBBIII", 0, 8, 3, 2**31, 28, 28) + bytes(784)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"length must be 1683627180048 bytes.*found 800"):
            decode(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 2**20


def test_dimensions_beyond_memory_are_refused_where_one_is_zero() -> None:
    """Found by `make fuzz`."""
    content = bytes.fromhex("00000904 80000000 80000002 00000000 00000004")
    with pytest.raises(DataError, match="dimensions must fit into memory"):
        decode(content)


def test_a_stream_is_read_in_blocks() -> None:
    array = np.arange(3 * 2**20 // 4 + 5, dtype=np.int32)
    stream = io.BytesIO(idx.encode(array))
    header = idx.read_header(stream, name="stream")
    blocks = list(idx.read_blocks(stream, header, name="stream"))
    assert [block.nbytes for block in blocks] == [2**20] * 3 + [20]
    np.testing.assert_array_equal(np.concatenate(blocks), array)


def test_a_stream_that_goes_on_is_refused() -> None:
    stream = io.BytesIO(idx.encode(np.zeros(3, dtype=np.uint8)) + b"\0")
    header = idx.read_header(stream, name="stream")
    with pytest.raises(DataError, match="found more than 11"):
        list(idx.read_blocks(stream, header, name="stream"))


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_file_is_opened_gzipped_or_not(tmp_path: Path, compress: Any) -> None:
    path = tmp_path / "labels"
    path.write_bytes(compress(b"content"))
    with idx.open_file(path) as stream:
        assert stream.read(100) == b"content"


def test_a_damaged_gzip_file_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(idx.encode(np.arange(200, dtype=np.uint8)))[:-30])
    with idx.open_file(path) as stream, pytest.raises(DataError, match="must be a whole gzip file"):
        list(idx.read_blocks(stream, idx.read_header(stream, name="labels"), name="labels"))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3, dtype=np.int64), "element type must be one of .*, but got int64"),
        (np.zeros((), dtype=np.uint8), r"rank must be in \[1, 64\], but got 0"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(array: np.ndarray[Any, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        idx.encode(array)
