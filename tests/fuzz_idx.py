"""Damaged IDX files by the hundred thousand: the reader may refuse them, and do nothing else.

Run it with ``make fuzz``. Each input is made from its number and the seed that is printed, so that
one that breaks the reader can be made again: ``python tests/fuzz_idx.py SEED NUMBER``.
"""

from __future__ import annotations

import gzip
import io
import random
import resource
import secrets
import struct
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil

from sweepmark.errors import DataError
from sweepmark.sources import idx

N_INPUTS = 120_000
HEADROOM = 1 << 30
"""Bytes of address space beyond what the interpreter has: who believes a header runs out of it."""

_TYPES = ("u1", "i1", ">i2", ">i4", ">f4", ">f8")
_EXTREMES = (0, 1, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1)


def make_input(seed: int, number: int) -> bytes:
    """Return a file that was an IDX file before some things happened to it."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 -- to be repeated, not to be secret
    shape = [chance.randrange(5) for _ in range(chance.randint(1, 4))]
    array = np.zeros(shape, dtype=chance.choice(_TYPES))
    content = bytearray(idx.encode(array))
    for _ in range(chance.randint(0, 4)):
        chance.choice(_DAMAGES)(chance, content)
    if chance.random() < 0.2:
        content = bytearray(gzip.compress(bytes(content), 1))
        for _ in range(chance.randint(0, 2)):
            chance.choice(_DAMAGES)(chance, content)
    return bytes(content)


def _flip(chance: random.Random, content: bytearray) -> None:
    if content:
        content[chance.randrange(min(len(content), 24))] ^= 1 << chance.randrange(8)


def _replace(chance: random.Random, content: bytearray) -> None:
    if content:
        content[chance.randrange(len(content))] = chance.randrange(256)


def _cut(chance: random.Random, content: bytearray) -> None:
    del content[chance.randint(0, len(content)) :]


def _extend(chance: random.Random, content: bytearray) -> None:
    content.extend(chance.randbytes(chance.randrange(64)))


def _insert(chance: random.Random, content: bytearray) -> None:
    place = chance.randint(0, len(content))
    content[place:place] = chance.randbytes(chance.randrange(8))


def _lie(chance: random.Random, content: bytearray) -> None:
    """Put an extreme number where a dimension stands."""
    place = 4 + 4 * chance.randrange(4)
    content[place : place + 4] = struct.pack(">I", chance.choice(_EXTREMES))


def _rank(chance: random.Random, content: bytearray) -> None:
    content[3:4] = bytes([chance.randrange(256)])


_DAMAGES = (_flip, _replace, _cut, _extend, _insert, _lie, _rank)


def read(content: bytes, path: Path) -> str:
    """Read an input in every way there is; return what came of it."""
    outcomes = set()
    for reader in (_stream, _file):
        try:
            outcomes.add(reader(content, path))
        except DataError:
            outcomes.add("refused")
    return " and ".join(sorted(outcomes))


def _stream(content: bytes, path: Path) -> str:
    del path
    stream = io.BytesIO(content)
    header = idx.read_header(stream, name="input")
    n_read = sum(len(block) for block in idx.read_blocks(stream, header, name="input"))
    assert n_read == header.n_elements
    return "read"


def _file(content: bytes, path: Path) -> str:
    path.write_bytes(content)
    with idx.open_file(path) as stream:
        header = idx.read_header(stream, name="input")
        for _ in idx.read_blocks(stream, header, name="input"):
            pass
    return "read"


def main(arguments: list[str]) -> None:
    """Read all inputs, or the one that is named."""
    seed = int(arguments[0]) if arguments else secrets.randbelow(10**6)
    numbers = [int(arguments[1])] if arguments[1:] else range(N_INPUTS)
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + HEADROOM, resource.RLIM_INFINITY))
    started = time.monotonic()
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="sweepmark-") as folder:
        for number in numbers:
            content = make_input(seed, number)
            try:
                outcomes[read(content, Path(folder) / "input")] += 1
            except BaseException:
                sys.stderr.write(f"seed {seed}, input {number}: {content!r}\n")
                raise
    seconds = time.monotonic() - started
    shown = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
    sys.stdout.write(
        f"seed {seed}: {sum(outcomes.values()):,} inputs in {seconds:.0f} s: {shown}\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
