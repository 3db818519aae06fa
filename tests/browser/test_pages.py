"""Reports as a browser shows them: light, dark, on a phone, on paper, without a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest

from program import Called

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

HOSTILE = ("</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<b>bold</b>")
DESK, PHONE = 1280, 390
LUMINANCE = """selector => {
  const colour = getComputedStyle(document.querySelector(selector))[
    selector.includes("text") ? "fill" : "backgroundColor"];
  const [red, green, blue] = colour.match(/\\d+/g).map(Number);
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A page in a browser, and what it complained of or asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)


def look(
    browser: Browser,
    path: Path,
    *,
    width: int = DESK,
    scheme: Literal["light", "dark"] = "light",
) -> Seen:
    """Open a file and wait until its figures are drawn."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    seen = Seen(page)
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))

    def dismiss(dialog: Any) -> None:
        seen.complaints.append("a dialog")
        dialog.dismiss()

    def note(request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            seen.complaints.append(request.url)

    page.on("dialog", dismiss)
    page.on("request", note)
    page.goto(path.as_uri())
    page.wait_for_selector("html.drawn", timeout=60_000)
    return seen


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, digits_cache: Path) -> Path:
    """The report of a grid of six cells."""
    program = Called(tmp_path_factory.mktemp("report"), cache=digits_cache)
    words = ("sweep", "svc_c_gamma", "dataset=digits", "split.size=200", "evaluation.n_splits=2")
    space = ("sweep.space.classifier.C=[0.1,10]", "sweep.space.classifier.gamma=[0.01,0.1,1.0]")
    program.run(*words, *space, "tracking=none", "engine=serial")
    path = program.folder / "report.html"
    program.run("report", "-o", path)
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, digits_cache: Path) -> Path:
    """The report of a run on labels that are markup."""
    program = Called(tmp_path_factory.mktemp("hostile"), cache=digits_cache)
    table = program.folder / "rows.csv"
    rows = [f"{HOSTILE[i % 3]},{i % 3 if i % 5 else 1}" for i in range(90)]
    table.write_text("\n".join(["label,value", *rows, ""]), encoding="utf-8")
    own = (f"dataset.path={table}", "dataset=csv", "dataset.table=mixed", "classifier=knn")
    program.run("run", *own, "tracking=none", "engine=serial")
    path = program.folder / "report.html"
    program.run("report", "-o", path, "--author", "eve <img onerror=alert(1)>")
    return path


def test_figures_are_drawn_without_a_network(browser: Browser, report: Path) -> None:
    seen = look(browser, report)
    drawn = seen.page.eval_on_selector_all(".plot", "all => all.map(one => one.id)")
    assert drawn == ["sweep", "importances", "confusion"]
    assert seen.page.locator(".plot .main-svg").count() >= len(drawn)
    assert seen.page.locator("#sweep .hm image, #sweep .hm path").count() >= 1
    assert seen.page.evaluate("document.querySelector('img').naturalWidth") > 100
    assert seen.complaints == []
    seen.page.close()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_page_is_no_wider_than_the_screen(browser: Browser, report: Path, width: int) -> None:
    seen = look(browser, report, width=width)
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    seen.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_of_page_and_figures_stands_out(
    browser: Browser, report: Path, scheme: Literal["light", "dark"]
) -> None:
    seen = look(browser, report, scheme=scheme)
    paper = seen.page.evaluate(LUMINANCE, "body")
    ticks = seen.page.evaluate(LUMINANCE, "#sweep .xtick text")
    assert (paper < 0.2) == (scheme == "dark")
    assert abs(paper - ticks) > 0.7
    seen.page.close()


def test_paper_is_light_and_figures_fit_it(browser: Browser, report: Path) -> None:
    seen = look(browser, report, scheme="dark")
    assert len(seen.page.pdf(format="A4")) > 10_000
    seen.page.emulate_media(media="print", color_scheme="dark")
    assert seen.page.evaluate(LUMINANCE, "body") > 0.9
    seen.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    widths = seen.page.eval_on_selector_all(
        ".plot .svg-container", "all => all.map(one => one.getBoundingClientRect().width)"
    )
    assert max(widths) <= 660
    seen.page.close()


def test_labels_are_shown_and_not_obeyed(browser: Browser, hostile: Path) -> None:
    seen = look(browser, hostile)
    assert seen.complaints == []
    assert seen.page.locator("script:not([type])").count() == 2
    cells = seen.page.eval_on_selector_all("td", "all => all.map(one => one.textContent)")
    assert set(HOSTILE) <= set(cells)
    ticks = seen.page.eval_on_selector_all(
        "#confusion .xtick text", "all => all.map(one => one.textContent)"
    )
    assert "<b>bold</b>" in ticks
    assert any(tick.startswith("</script>") for tick in ticks)
    assert seen.page.locator("#confusion a").count() == 0
    assert "eve <img onerror=alert(1)>" in seen.page.inner_text("h1")
    seen.page.close()
