"""The app in a real browser: Debian's Chromium, driven by Playwright, against `flowsim app` itself.

Chromium is looked for at the path in ``FLOWSIM_CHROMIUM``, else among the usual names. Without one these tests fail,
unless ``FLOWSIM_NO_BROWSER=1`` says that they may be left out.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from flowsim.present.app.chrome import PREFIX
from flowsim.present.app.levers import GROUPS
from flowsim.present.app.shell import PAGES
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.scenario.load import load

pytestmark = pytest.mark.skipif(
    os.environ.get("FLOWSIM_NO_BROWSER") == "1", reason="FLOWSIM_NO_BROWSER=1: no browser on this machine"
)
WAIT = 240_000  # the first page may have to wait for the engine to be compiled, on a busy machine
FUTURES = 12

CHANGED = """before => {
    const all = [...document.querySelectorAll('table')].map(x => x.innerText);
    return all.length > 2 && !all.includes(before);
}"""
# What axe finds in Streamlit's own elements, which flowsim cannot change: rule -> pattern of the element, reason.
STREAMLIT: dict[str, tuple[str, str]] = {}


def chromium() -> str:
    """The browser's path."""
    asked = os.environ.get("FLOWSIM_CHROMIUM")
    found = asked or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "no Chromium: install it, name it in FLOWSIM_CHROMIUM, or set FLOWSIM_NO_BROWSER=1 to leave these out"
    return found


def words(key: str, lang: str = "nl", **values: object) -> str:
    return text(lang, f"app.{key}", **values)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`flowsim app` in a home of its own; at the end nothing has been written there."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    start = "import sys; from flowsim.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", start, "app", "--no-browser", "--port", str(port), "--futures", str(FUTURES)]
    log = tmp_path_factory.mktemp("log") / "log.txt"
    cache = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    with log.open("w") as stream:
        environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": cache}
        process = subprocess.Popen(command, cwd=home, stdout=stream, stderr=stream, env=environment)
        try:
            address = f"http://127.0.0.1:{port}"
            until = time.monotonic() + WAIT / 1000
            while True:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, f"no answer from {address} after {WAIT / 1000:.0f} s"
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
                    break
                except OSError:
                    time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()
    assert [path.name for path in home.rglob("*") if path.is_file()] == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = chromium()
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=path, args=flags)
        yield made
        made.close()


class Visitor:
    """A browser window: what it asked of other machines, and what its console said."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT)
        self.address = address
        self.told: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda said: self.told.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:", self.address.replace("http", "ws"))):
            self.elsewhere.append(request.url)

    def open(self, path: str = "") -> Any:
        self.page.goto(f"{self.address}/{path}")
        self.page.locator("h1.fs-h1").wait_for()
        return self.page

    def go(self, name: str, lang: str = "nl") -> None:
        """To a page, by the navigation."""
        self.page.get_by_role("link", name=words(f"page.{name}.title", lang), exact=True).click()
        heading = words(f"page.{name}.heading", lang, last="2029")
        self.page.locator("h1.fs-h1", has_text=heading).wait_for()

    def settled(self) -> None:
        """Nothing is running any more."""
        self.page.locator("[data-testid=stProgress]").wait_for(state="detached")
        self.page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")

    def more(self, group: str, lang: str = "nl") -> Any:
        """The line below which the other levers of a group are."""
        name = words(f"compare.group.{group}", lang)
        return self.page.locator("summary", has_text=re.compile(f"{re.escape(name)}: "))

    def levers(self, lang: str = "nl") -> None:
        """Open them all."""
        for group in GROUPS:
            self.more(group, lang).click()
            self.page.locator("details[open] > summary", has_text=words(f"compare.group.{group}", lang)).wait_for()

    def cards(self) -> list[str]:
        self.page.locator("#cards .fs-number").first.wait_for()  # a card has none until its first result
        return [str(one) for one in self.page.locator("#cards .fs-number").all_inner_texts()]

    def close(self) -> None:
        assert self.elsewhere == []
        assert self.told == []
        self.context.close()


@pytest.fixture
def visitor(browser: Any, server: str) -> Iterator[Visitor]:
    made = Visitor(browser, server)
    yield made
    made.close()


def table_numbers(visitor: Visitor) -> str:
    """The numbers at the end of each scenario; while a page is drawn again, those of before stand there too, below."""
    tables = visitor.page.locator("table", has_text=words("compare.column.mean_wait", year=2029))
    return str(tables.first.inner_text())


WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],  # every one; of what is in order no list is made, which takes long
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_page_opens_without_errors_and_without_violations(browser: Any, server: str, lang: str) -> None:
    """Wide and narrow, light and dark."""
    from axe_playwright_python.sync_playwright import Axe

    visitor = Visitor(browser, server, color_scheme="light")
    visitor.open(f"?lang={lang}")
    visitor.page.locator("#verdict").wait_for()
    assert visitor.page.evaluate("document.documentElement.lang") == lang
    visitor.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img id=wrong src=data:,>')")
    looked = Axe().run(visitor.page, options=WCAG).response["violations"]
    assert "image-alt" in {one["id"] for one in looked}  # axe does look
    visitor.page.evaluate("document.getElementById('wrong').remove()")
    found: list[str] = []
    for name in PAGES:
        visitor.go(name, lang)
        if name == "compare":
            visitor.cards()
            visitor.levers(lang)
        visitor.settled()
        for theme in ("light", "dark"):
            visitor.page.emulate_media(color_scheme=theme)
            visitor.page.wait_for_function(IS_DARK, arg=theme == "dark")
            visitor.settled()
            for width in (1280, 390):
                visitor.page.set_viewport_size({"width": width, "height": 900})
                assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
                for violation in Axe().run(visitor.page, options=WCAG).response["violations"]:
                    for node in violation["nodes"]:
                        pattern, _ = STREAMLIT.get(violation["id"], (None, ""))
                        if pattern is None or not re.search(pattern, node["html"]):
                            place = f"{name} {theme} {width}: {violation['id']}"
                            found.append(f"{place}: {node['target']}: {node['html'][:200]}")
            visitor.page.set_viewport_size({"width": 1280, "height": 900})
    assert found == []
    visitor.close()


IS_DARK = """dark => {
    const [red, green, blue] = getComputedStyle(document.querySelector('.stApp')).backgroundColor.match(/[\\d.]+/g);
    return (Number(red) + Number(green) + Number(blue) < 300) == dark;
}"""

MARK = """() => {
    const all = 'a[href], button, input, select, textarea, summary, [tabindex="0"], [role=slider], [role=button], '
        + '.fs-term, .fs-scroll';
    const groups = new Set();
    return [...document.querySelectorAll(all)].filter(x => {
        if (!x.checkVisibility() || x.disabled || x.closest('[inert], [aria-hidden=true]')) return false;
        const style = getComputedStyle(x), box = x.getBoundingClientRect();
        if (style.visibility == 'hidden' || style.display == 'none' || !box.width || !box.height) return false;
        if (x.tagName == 'BUTTON' && x.closest('[data-testid=stSelectbox]')) return false;  // its field opens it too
        if (x.type == 'radio') {  // a group is one stop: the arrows go on from there
            if (groups.has(x.name)) return false;
            groups.add(x.name);
        }
        return true;
    }).map((x, i) => {
        const all = x.type == 'radio' ? document.querySelectorAll(`input[name="${CSS.escape(x.name)}"]`) : [x];
        all.forEach(one => one.dataset.wanted = i);
        return `${x.tagName} ${x.type || x.getAttribute('role') || ''} ${x.getAttribute('aria-label') || x.innerText}`;
    });
}"""
"""Numbers everything on the page that can be used, and tells what it is."""

REACHED = """() => {
    const x = document.activeElement, tip = x.querySelector(':scope > .fs-tip');
    return [x.dataset.wanted ?? null, tip ? getComputedStyle(tip).visibility : null];
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_reaches_everything_on_every_page_and_opens_each_term(
    browser: Any, server: str, width: int
) -> None:
    visitor = Visitor(browser, server)
    page = visitor.open()
    page.locator("#verdict").wait_for()
    for name in PAGES:
        page.set_viewport_size({"width": 1280, "height": 900})
        visitor.go(name)
        if name == "compare":  # it begins to simulate: what can be stopped is gone again when it is done
            visitor.cards()
            visitor.levers()
        visitor.settled()
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(1000)  # the sidebar folds, and a page that finds its run done is drawn once more
        visitor.settled()
        wanted = page.evaluate(MARK)
        assert len(wanted) > 8, (name, wanted)
        reached: set[int] = set()
        tips: list[str] = []
        page.evaluate("document.activeElement.blur()")
        terms = page.locator(".fs-term").count()
        twice = min(terms, 2)  # the first ones are closed with Escape, and open again the second time
        for _ in range(3 * len(wanted)):
            page.keyboard.press("Tab")
            number, tip = page.evaluate(REACHED)
            reached |= {int(number)} if number is not None else set()
            tips += [tip] if tip is not None else []
            if tip is not None and len(tips) < 3:
                page.keyboard.press("Escape")
                assert page.evaluate(REACHED)[1] == "hidden"
            if len(reached) == len(wanted) and len(tips) >= terms + twice:
                break
        assert [one for i, one in enumerate(wanted) if i not in reached] == [], name
        assert len(tips) >= terms + twice, name
        assert set(tips) <= {"visible"}, name
    glossary = page.locator("summary", has_text=words("glossary.title"))
    glossary.focus()
    glossary.press("Enter")
    page.locator("dl dt", has_text=words("term.crn.name")).wait_for()
    visitor.close()


def test_on_a_narrow_page_the_route_has_numbers_and_a_list_of_them(browser: Any, server: str) -> None:
    """The labels of the wide chart would lie on each other there."""
    visitor = Visitor(browser, server)
    page = visitor.open()
    visitor.go("route")
    wide, narrow = (page.locator(f".st-key-{name}-chart .sankey-node") for name in ("wide", "narrow"))
    wide.first.wait_for()
    visitor.settled()
    assert not narrow.first.is_visible()
    page.set_viewport_size({"width": 390, "height": 900})
    narrow.first.wait_for()
    assert not wide.first.is_visible()
    labels = page.locator(".st-key-narrow-chart .node-label")
    page.wait_for_function(  # while a finer outcome takes the place of the first, both charts are there
        """() => document.querySelectorAll('.st-key-narrow-chart .node-label').length
            === document.querySelectorAll('.fs-numbered li').length"""
    )
    boxes = list(labels.evaluate_all("all => all.map(x => x.getBoundingClientRect().toJSON())"))
    assert len(boxes) == page.locator(".fs-numbered li").count() > 8
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert (
                one["right"] <= other["left"]
                or other["right"] <= one["left"]
                or one["bottom"] <= other["top"] + 4  # the box of a line of text is higher than its letters
                or other["bottom"] <= one["top"] + 4
            )
    visitor.close()


def test_on_a_phone_four_scenarios_are_few_screens_and_their_tables_open_by_keyboard(visitor: Visitor) -> None:
    """What matters is open: the answer of each, the fan, the differences, and what the closed tables come to."""
    names = ("places_basic=0.1", "places_specialist=0.05", "conversations=300.0")
    links = ["Het plan", *(f"Proef {i}~{name}" for i, name in enumerate(names, 1))]
    page = visitor.open("vergelijken?lang=nl&" + "&".join(f"s={quote(link)}" for link in links))
    assert len(visitor.cards()) == 4
    visitor.settled()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    tall = "document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
    short = page.evaluate(tall)
    assert short < 7_500  # it was 11,900
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cut = "all => all.filter(x => x.scrollWidth > x.clientWidth + 1).map(x => x.innerText)"
    assert page.locator(".fs-card, .fs-card *").evaluate_all(cut) == []
    tops = page.locator(".fs-card").evaluate_all("all => all.map(x => Math.round(x.getBoundingClientRect().top))")
    assert tops[0] == tops[1] < tops[2] == tops[3]
    assert page.locator(".fs-digest").all_inner_texts() != []
    assert page.locator("table", has_text=words("compare.column.mean_wait", year=2029)).first.is_visible()
    goals = page.locator("table", has_text=text("nl", "targets.promise.kpi_11").partition(":")[0])
    line = page.locator("summary", has_text=words("compare.kpis_table"))
    assert not goals.is_visible()
    line.focus()
    page.keyboard.press("Enter")
    goals.wait_for()
    page.wait_for_function(f"{tall} > {short + 1_000}")  # it opens in a moment


def test_counts_stay_in_their_own_tab_until_they_are_taken_away(visitor: Visitor) -> None:
    """Over a reload; not in the address, not in another tab of the same browser, not once they were taken away."""
    page = visitor.open("bijwerken")
    counted = b"kwartaal;wachtlijst\n2026-Q1;880\n"
    file = {"name": "mijn.csv", "mimeType": "text/csv", "buffer": counted}
    page.set_input_files("input[type=file]", files=[file])
    kept = page.get_by_text("mijn.csv", exact=True)
    kept.wait_for()
    page.wait_for_function("sessionStorage.getItem('flowsim-counts')")
    page.reload()
    kept.wait_for()
    assert page.url.endswith("/bijwerken?lang=nl")
    assert "mijn.csv" not in page.evaluate("JSON.stringify(localStorage) + document.cookie + location.href")
    other = visitor.context.new_page()
    other.goto(page.url)
    other.get_by_text(words("update.none")).wait_for()
    assert other.evaluate("sessionStorage.getItem('flowsim-counts')") is None
    other.close()
    page.get_by_role("button", name=words("update.remove")).click()
    page.get_by_text(words("update.none")).wait_for()
    page.wait_for_function("!sessionStorage.getItem('flowsim-counts')")
    page.reload()
    page.get_by_text(words("update.none")).wait_for()
    visitor.settled()
    assert kept.count() == 0


def test_a_tab_does_not_keep_what_it_hears_too_late(visitor: Visitor) -> None:
    """Streamlit can say once more what it said before, after what came later."""
    code = (resources.files("flowsim.present.app") / "keeping.js").read_text(encoding="utf-8")
    said = [{"keep": "mine", "turn": 1.5}, {"keep": "", "forget": True, "turn": 2.5}, {"keep": "mine", "turn": 1.5}]
    tell = """async ([code, said]) => {
        const made = await import(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
        return said.map((data) => {
            made.default({ data, setTriggerValue: () => {} });
            return sessionStorage.getItem('flowsim-counts');
        });
    }"""
    page = visitor.context.new_page()
    page.goto(f"{visitor.address}/_stcore/health")
    assert page.evaluate(tell, [code, said]) == ["mine", None, None]
    page.close()


@pytest.mark.parametrize(("path", "lang"), [("", "nl"), ("?lang=en", "en"), ("targets", "en"), ("vergelijken", "nl")])
def test_without_scripts_a_page_says_what_it_needs(browser: Any, server: str, path: str, lang: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server}/{path}")
    assert page.locator("body").inner_text().split() == words("no_script", lang).split()
    assert page.locator("html").get_attribute("lang") == lang
    context.close()


def test_on_a_phone_what_does_not_add_up_is_a_list_of_lines_that_open_by_keyboard(visitor: Visitor) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visitor.open("nagerekend")
    page.set_viewport_size({"width": 390, "height": 844})
    first = page.locator("#wrong details").first
    first.wait_for()
    visitor.settled()
    tall = "document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
    short = page.evaluate(tall)
    assert short < 6_500
    lines = page.locator("#wrong summary")
    assert lines.count() > 30
    overflowing = (
        "all => all.filter(x => x.scrollWidth > x.clientWidth + 1 || x.clientHeight > 90).map(x => x.innerText)"
    )
    assert page.locator("#wrong summary, #tables summary").evaluate_all(overflowing) == []
    cause = first.locator("p")
    assert not cause.is_visible()
    lines.first.focus()
    page.keyboard.press("Enter")
    cause.wait_for()
    assert first.locator("table").is_visible()
    page.keyboard.press("Space")
    cause.wait_for(state="hidden")
    page.get_by_text(words("plan.everything")).click()
    cause.wait_for()
    page.wait_for_function("[...document.querySelectorAll('#wrong details, #tables details')].every(x => x.open)")
    assert page.evaluate(tall) > 3 * short
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Axe().run(page, options=WCAG).response["violations"] == []


def test_a_slider_by_keyboard_changes_the_result(visitor: Visitor) -> None:
    visitor.open()
    visitor.go("compare")
    visitor.cards()
    visitor.settled()
    before = table_numbers(visitor)
    visitor.levers()
    slider = visitor.page.get_by_role("slider", name=words("lever.staff_growth.name"))
    slider.focus()
    for _ in range(8):
        slider.press("ArrowRight")
    visitor.page.wait_for_function(CHANGED, arg=before)
    visitor.settled()
    assert table_numbers(visitor) != before


BESIDE = """name => {
    const place = x => x?.getBoundingClientRect();
    const line = place(document.querySelector('.fs-outlook')), cards = place(document.querySelector('#cards'));
    const labels = [...document.querySelectorAll('[data-testid=stWidgetLabel]')];
    const lever = place(labels.find(x => x.checkVisibility() && x.innerText.includes(name)));
    return line && cards && lever && cards.y > innerHeight
        && lever.y >= 0 && lever.bottom <= line.y && line.bottom <= innerHeight;
}"""
"""The lever and the line with the outcome are seen together; the outcome itself is far below."""


def test_on_a_phone_the_outcome_stays_in_sight_and_the_other_pages_are_found(visitor: Visitor) -> None:
    from playwright.sync_api import expect

    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open("vergelijken")
    visitor.cards()
    visitor.settled()
    line = visitor.more("network")
    line.focus()
    line.press("Enter")
    slider = page.get_by_role("slider", name=words("lever.conversations.name"))
    slider.focus()
    slider.press("End")
    page.wait_for_url(re.compile("conversations"))
    page.wait_for_function(BESIDE, arg=words("lever.conversations.name"))
    visitor.settled()
    expect(page.locator(".fs-outlook")).to_contain_text(visitor.cards()[0])
    others = page.locator(".st-key-other-pages")
    others.get_by_role("link", name=words("page.goals.title"), exact=True).click()
    page.locator("h1.fs-h1", has_text=words("page.goals.heading")).wait_for()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_on_a_phone_the_levers_are_one_screen_and_the_others_open_by_keyboard_and_stay_open(
    browser: Any, server: str, lang: str
) -> None:
    """The line says how many there are and which were turned; it stays open, with the focus, when one inside turns."""
    visitor = Visitor(browser, server)
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open(f"{words('page.compare.address', lang)}?lang={lang}")
    visitor.cards()
    visitor.settled()
    head = page.locator("h3", has_text=words("compare.group.network", lang))
    height = "x => document.querySelector('.fs-outlook').getBoundingClientRect().y - x.getBoundingClientRect().y"
    page.set_viewport_size({"width": 390, "height": 4_000})  # so that the line with the outcome is in its own place
    assert 400 < head.evaluate(height) < 1_100
    page.set_viewport_size({"width": 390, "height": 844})
    several = words("compare.more.many", lang, group=words("compare.group.network", lang), n=3)
    line = visitor.more("network", lang)
    assert line.locator("p").inner_text() == several
    assert page.get_by_role("slider", name=words("lever.conversations.name", lang)).is_visible()
    slider = page.get_by_role("slider", name=words("lever.would_have_entered.name", lang))
    assert not slider.is_visible()
    line.focus()
    line.press("Enter")
    slider.focus()
    slider.press("Home")
    least = words("compare.more.stands", lang, lever=words("lever.would_have_entered.name", lang), where="50%")
    said = words("compare.more.turned", lang, label=several, levers=least)
    line.locator("p", has_text=said).wait_for()
    assert slider.is_visible()
    assert slider.evaluate("x => x === document.activeElement")
    visitor.settled()
    visitor.close()


def test_on_a_phone_the_menu_closes_when_a_page_is_chosen(visitor: Visitor) -> None:
    from playwright.sync_api import expect

    visitor.page.set_viewport_size({"width": 390, "height": 844})
    page = visitor.open("verantwoording")
    page.get_by_test_id("stExpandSidebarButton").click()
    menu = page.get_by_test_id("stSidebarNav")
    expect(menu).to_be_in_viewport()
    menu.get_by_role("link", name=words("page.plan.title"), exact=True).click()
    page.locator("h1.fs-h1", has_text=words("page.plan.heading")).wait_for()
    visitor.settled()
    expect(menu).not_to_be_in_viewport()
    page.wait_for_timeout(1000)  # nor does it open again
    expect(menu).not_to_be_in_viewport()


def test_compare_save_open_and_language(visitor: Visitor, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    page = visitor.open()
    visitor.go("compare")
    visitor.cards()
    page.get_by_role("button", name=words("compare.add")).click()
    name = page.get_by_label(words("compare.name")).locator("visible=true")
    expect(name).to_have_value(words("compare.copy_title", letter="B"), timeout=WAIT)
    name.fill("Vlug <b>en</b> goed")
    name.press("Enter")
    page.get_by_role("tab").filter(has_text="Vlug <b>en</b> goed").wait_for()
    page.wait_for_function("document.querySelectorAll('#cards li').length == 2")
    assert page.locator("#cards b").count() == 0
    with page.expect_download() as waiting:
        page.get_by_role("button", name=words("compare.save")).locator("visible=true").click()
    saved = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    assert saved.name == "vlug-b-en-b-goed.toml"
    assert tomllib.loads(saved.read_text(encoding="utf-8"))["title"] == "Vlug <b>en</b> goed"
    assert load(saved).title == "Vlug <b>en</b> goed"

    bad = tmp_path / "bad.toml"
    bad.write_text('title = "x"\nparent = "../../etc/passwd"')
    upload(page, bad)
    page.get_by_role("alert").filter(has_text="parent").wait_for()
    upload(page, saved)
    page.get_by_role("tab", name=re.compile("^C")).wait_for()
    page.wait_for_function("document.querySelectorAll('#cards li').length == 3")

    page.get_by_text(words("unit.waiting"), exact=True).first.click()
    visitor.settled()
    page.get_by_text(text("en", "app.language.name"), exact=True).click()
    page.locator("h1.fs-h1", has_text=words("page.compare.heading", "en")).wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"
    checked = "[...document.querySelectorAll('input[type=radio]:checked')].map(x => x.closest('label').innerText)"
    page.wait_for_function(f"{checked}.includes('{words('unit.waiting', 'en')}')")
    page.get_by_role("button", name=words("compare.add", "en")).wait_for()
    visitor.settled()


def upload(page: Any, file: Path) -> None:
    """Open a file through the popover."""
    if not page.locator("input[type=file]").count():
        page.get_by_role("button", name=words("compare.open")).click()
    page.locator("input[type=file]").set_input_files(str(file))


def test_four_scenarios_fit_on_a_desk_in_both_languages(visitor: Visitor) -> None:
    page = visitor.open("vergelijken")
    visitor.cards()
    for count in (2, 3, 4):
        page.get_by_role("button", name=words("compare.add")).click()
        page.wait_for_function(f"document.querySelectorAll('#cards li').length == {count}")
    for lang in LANGUAGES:
        page.get_by_text(text(lang, "app.language.name"), exact=True).click()
        page.locator("h1.fs-h1", has_text=words("page.compare.heading", lang)).wait_for()
        visitor.settled()
        for name in ("kpis", "euros"):
            page.locator("summary", has_text=words(f"compare.{name}_table", lang)).click()
        page.locator("table", has_text=text(lang, "targets.promise.kpi_11").partition(":")[0]).wait_for()
        page.locator("table", has_text=text(lang, "euros.line.gains")).wait_for()
        wide = "all => all.filter(x => x.scrollWidth > x.clientWidth).map(x => x.ariaLabel)"
        assert page.locator(".fs-scroll").evaluate_all(wide) == []


def test_counts_are_uploaded_refused_and_weighed(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open()
    visitor.go("update")
    with page.expect_download() as waiting:
        page.get_by_role("button", name=words("update.template")).click()
    assert waiting.value.suggested_filename == words("update.template_name")
    saved = tmp_path / "<b>mijn</b>.csv".replace("/", "")
    waiting.value.save_as(saved)
    chosen = page.locator("input[type=file]")
    chosen.set_input_files(str(saved))
    page.get_by_role("alert").filter(has_text=words("refused.counts.no_counts")).wait_for()
    empty = saved.read_bytes()
    saved.write_bytes(empty.replace(b"2026-Q1;;;", b"2026-Q1;;;880", 1))
    page.wait_for_function("document.querySelectorAll('input[type=file]').length === 1")  # the one before may still go
    chosen.set_input_files(str(saved))
    page.locator("#cards li").nth(1).wait_for()
    visitor.settled()
    assert page.get_by_text(saved.name).count() == 1
    assert page.get_by_role("alert").count() == 0
    page.get_by_role("button", name=words("update.example")).click()
    page.get_by_role("status").filter(has_text="VERZONNEN").wait_for()
    page.locator("#cards li").nth(1).wait_for()
    visitor.settled()
    page.get_by_role("button", name=words("update.remove")).click()
    page.get_by_text(words("update.none")).wait_for()


SEEN = """() => {
    const all = [...document.querySelectorAll('body *:not(script, style, noscript)')];
    const labels = all.flatMap(x => ['aria-label', 'placeholder', 'title', 'alt'].map(name => x.getAttribute(name)));
    const text = all.flatMap(x => [...x.childNodes].filter(n => n.nodeType === 3).map(n => n.nodeValue));
    return [...labels, ...text].filter(Boolean).map(x => x.trim());
}"""
"""All that can be read on a page or heard of it."""


def left_in_english(page: Any) -> list[str]:
    """What Streamlit still says in its own words."""
    spoken = [said for key, said in texts("en").items() if key.startswith(PREFIX)]
    patterns = [re.sub(r"\\\{\w+\\\}", ".+", re.escape(said)) for said in spoken]
    return [said for said in page.evaluate(SEEN) if any(re.fullmatch(pattern, said) for pattern in patterns)]


def test_a_file_of_another_type_is_refused_in_dutch_and_so_is_all_of_the_upload(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.open()
    visitor.go("update")
    other, large = tmp_path / "brief.docx", tmp_path / "groot.csv"
    other.write_bytes(b"PK\x03\x04")
    large.write_bytes(b"x" * 2_000_000)
    chosen = page.locator("input[type=file]")
    chosen.wait_for(state="attached")
    page.get_by_role("button", name=words("streamlit.upload")).wait_for()
    assert chosen.get_attribute("accept") == ".csv"
    assert left_in_english(page) == []
    chosen.set_input_files(str(other))
    page.get_by_role("alert").filter(has_text=words("refused.counts.type")).wait_for()
    page.wait_for_function("document.querySelectorAll('input[type=file]').length === 1")
    chosen.set_input_files(str(large))
    page.get_by_text(words("streamlit.large", size="1.0MB")).first.wait_for(state="attached")
    assert left_in_english(page) == []
    page.get_by_text(text("en", "app.language.name"), exact=True).click()
    page.locator("h1.fs-h1", has_text=words("page.update.heading", "en")).wait_for()
    page.get_by_label(words("streamlit.help", "en", name=words("update.upload", "en"))).wait_for()
    page.get_by_text(text("nl", "app.language.name"), exact=True).click()
    visitor.go("compare")
    visitor.settled()
    page.wait_for_function("document.querySelectorAll('input[type=file]').length === 0")  # that of the page before
    upload(page, other)
    page.get_by_role("alert").filter(has_text=words("refused.type")).wait_for()
    bad = tmp_path / "kapot.toml"
    bad.write_text("title = het plan")
    upload(page, bad)
    page.get_by_role("alert").filter(has_text=text("nl", "refused.toml.place", line=1, column=9)).wait_for()
    page.get_by_label(words("compare.name")).locator("visible=true").fill("Anders")
    page.get_by_text(words("streamlit.apply")).wait_for()
    assert left_in_english(page) == []
    page.keyboard.press("Enter")
    page.get_by_role("tab").filter(has_text="Anders").wait_for()
    page.get_by_role("button", name=words("compare.share")).click()
    page.locator("[data-testid=stCode]").wait_for()
    assert page.get_by_label(words("streamlit.copy")).count() == 1
    assert left_in_english(page) == []
    visitor.settled()


def test_reports_are_made_downloaded_and_read_back(visitor: Visitor, tmp_path: Path) -> None:
    from pypdf import PdfReader

    page = visitor.open()
    page.locator("#verdict").wait_for()
    visitor.settled()

    def report(file: str) -> str:
        page.get_by_role("button", name=words("report.make")).locator("visible=true").click()
        download = page.get_by_role("button", name=words("report.download")).locator("visible=true")
        with page.expect_download() as waiting:
            download.click()
        assert waiting.value.suggested_filename == file
        waiting.value.save_as(tmp_path / file)
        return " ".join(" ".join(one.extract_text() for one in PdfReader(tmp_path / file).pages).split())

    title = text("nl", "answer.title.default")
    found = report("het-plan-zoals-het-er-ligt.pdf")
    assert text("nl", "report.heading.answer") in found
    assert text("nl", "answer.case.headcount")[1:] in found
    visitor.go("compare")
    visitor.cards()
    page.get_by_role("button", name=words("compare.add")).click()
    page.get_by_role("tab", name=re.compile("^B")).wait_for()
    page.wait_for_function("document.querySelectorAll('#cards li').length == 2")
    visitor.settled()
    found = report("scenario-b.pdf")
    assert words("compare.copy_title", letter="B") in found
    assert title in found


def test_the_animation_stands_still_until_it_is_played(browser: Any, server: str) -> None:
    visitor = Visitor(browser, server, reduced_motion="reduce")
    page = visitor.open()
    visitor.go("route")
    box = page.locator(".st-key-queues-chart")
    box.locator(".slider-label").first.wait_for()
    visitor.settled()

    def week() -> str:
        return str(box.locator(".slider-label").first.text_content())

    first = week()
    assert first.startswith(words("queues.week"))
    page.wait_for_timeout(1500)
    assert week() == first  # nobody pressed play
    play, pause = (box.locator(".updatemenu-button", has_text=words(f"queues.{name}")) for name in ("play", "pause"))
    before = box.locator(".barlayer").inner_html()
    play.click()
    page.wait_for_function(
        "first => (document.querySelector('.slider-label')?.textContent ?? first) != first", arg=first
    )
    page.wait_for_timeout(600)
    pause.click()
    page.wait_for_timeout(400)
    stopped = week()
    assert stopped != first
    assert box.locator(".barlayer").inner_html() != before
    page.wait_for_timeout(800)
    assert week() == stopped
    begin = page.get_by_role("slider", name=words("queues.begin"))
    begin.focus()
    begin.press("End")
    page.wait_for_function("() => document.querySelector('.slider-label')?.textContent.includes('12-2029')")
    # Plotly rejects the promise of an animation that a pause interrupts, with nothing; nobody waits for it.
    visitor.told = [said for said in visitor.told if said != "undefined"]
    visitor.close()


def test_cancel_really_stops(visitor: Visitor) -> None:
    page = visitor.open()
    visitor.go("compare")
    visitor.cards()
    visitor.settled()
    slider = page.get_by_role("slider", name=words("lever.demand_growth.name"))
    slider.focus()
    slider.press("End")
    page.get_by_role("button", name=words("run.cancel")).click()
    told = page.get_by_text(re.compile(f"{re.escape(words('run.stopped'))}|{re.escape(words('run.stopped_early'))}"))
    told.wait_for()
    page.get_by_role("button", name=words("run.again")).click()
    told.wait_for(state="detached")
    visitor.settled()
    visitor.cards()


def test_a_link_opens_its_scenario(browser: Any, server: str) -> None:
    from playwright.sync_api import expect

    visitor = Visitor(browser, server)
    page = visitor.open("?lang=en&s=From%20a%20link~conversations%3D900.0")
    visitor.go("compare", "en")
    expect(page.get_by_label(words("compare.name", "en"))).to_have_value("From a link", timeout=WAIT)
    visitor.settled()
    visitor.close()


@pytest.mark.parametrize(
    ("typed", "leads_to", "lang", "page"),
    [
        ("antwoord", "/?lang=nl", "nl", "answer"),
        ("answer", "/?lang=en", "en", "answer"),
        ("doelen", "/doelen?lang=nl", "nl", "goals"),
        ("targets", "/doelen?lang=en", "en", "goals"),
        ("targets?lang=nl", "/doelen?lang=nl", "nl", "goals"),
    ],
)
def test_a_page_is_found_under_its_name_in_both_languages(
    browser: Any, server: str, typed: str, leads_to: str, lang: str, page: str
) -> None:
    visitor = Visitor(browser, server)
    opened = visitor.open(typed)
    opened.locator("h1.fs-h1", has_text=words(f"page.{page}.heading", lang, last="2029")).wait_for()
    opened.wait_for_url(server + leads_to)
    assert opened.evaluate("document.documentElement.lang") == lang
    assert opened.locator("[role=dialog]").count() == 0
    assert opened.locator("[data-testid=stSidebarNav] li").count() == len(PAGES)
    visitor.close()


@pytest.mark.parametrize(
    ("typed", "lang"),
    [
        ("bestaat-niet", "nl"),
        ("nowhere?lang=en", "en"),
        ("%3Cb%3Ex%3C", "nl"),
        ("a/b?lang=en", "en"),
        ("a%2Fb", "nl"),
        ("a%2Fb/c/", "nl"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_in_the_language_of_the_page(
    browser: Any, server: str, typed: str, lang: str
) -> None:
    visitor = Visitor(browser, server)
    opened = visitor.open(typed)
    opened.locator("#verdict").wait_for()
    opened.get_by_role("alert").filter(has_text=words("address.no_page", lang)).wait_for()
    assert opened.locator("[role=dialog]").count() == 0
    assert opened.locator("[data-testid=stSidebarNav] li").count() == len(PAGES)
    opened.get_by_role("link", name=words("page.goals.title", lang), exact=True).click()
    opened.locator("h1.fs-h1", has_text=words("page.goals.heading", lang, last="2029")).wait_for()
    assert opened.get_by_role("alert").filter(has_text=words("address.no_page", lang)).count() == 0
    visitor.close()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_page_opens_at_its_own_address_without_errors(visitor: Visitor, lang: str) -> None:
    for name in PAGES:
        visitor.open(words(f"page.{name}.address", lang) + f"?lang={lang}")  # some have the same in both
        heading = words(f"page.{name}.heading", lang, last="2029")
        visitor.page.locator("h1.fs-h1", has_text=heading).wait_for()
    assert visitor.told == []


def test_the_language_stays_when_a_page_is_loaded_again(visitor: Visitor) -> None:
    page = visitor.open("doelen")
    page.wait_for_url(f"{visitor.address}/doelen?lang=nl")
    page.get_by_text(text("en", "app.language.name"), exact=True).click()
    page.wait_for_url(f"{visitor.address}/doelen?lang=en")
    visitor.go("plan", "en")
    page.wait_for_url(f"{visitor.address}/nagerekend?lang=en")
    page.reload()
    page.locator("h1.fs-h1", has_text=words("page.plan.heading", "en")).wait_for()
    page.go_back()
    page.locator("h1.fs-h1", has_text=words("page.goals.heading", "en")).wait_for()
    page.wait_for_url(f"{visitor.address}/doelen?lang=en")
    with page.context.expect_page() as opened:
        link = page.get_by_role("link", name=words("page.plan.title", "en"), exact=True)
        link.click(button="middle")
    opened.value.locator("h1.fs-h1", has_text=words("page.plan.heading", "en")).wait_for()


def test_scenarios_stay_when_the_page_is_loaded_again_and_nobody_else_sees_them(
    browser: Any, server: str, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    visitor = Visitor(browser, server)
    page = visitor.open("vergelijken")
    visitor.cards()
    slider = page.get_by_role("slider", name=words("lever.demand_growth.name"))
    slider.focus()
    slider.press("End")
    page.wait_for_url(re.compile("demand_growth"))
    steps = page.evaluate("history.length")
    slider.press("Home")
    page.wait_for_url(re.compile("demand_growth%3D-"))
    assert page.evaluate("history.length") == steps  # Back does not go through every place of a slider
    file = tmp_path / "more.toml"
    file.write_text('title = "Wat geen knop zegt"\n[settings]\nfreed_place = "heavier"\n')
    upload(page, file)
    page.get_by_role("tab", name=re.compile("^B")).wait_for()
    page.wait_for_url(re.compile("s=%7E"))
    page.reload()
    expect(page.get_by_role("tab")).to_have_count(2, timeout=WAIT)
    assert page.get_by_role("tab").nth(1).inner_text() == "B · Wat geen knop zegt"
    expect(page.get_by_role("slider", name=words("lever.demand_growth.name"))).to_have_attribute(
        "aria-valuetext", re.compile("-"), timeout=WAIT
    )
    visitor.go("goals")
    page.wait_for_url(re.compile("/doelen.*demand_growth"))
    page.reload()
    page.wait_for_url(re.compile("/doelen.*demand_growth"))
    visitor.go("compare")
    expect(page.get_by_role("tab")).to_have_count(2, timeout=WAIT)
    other = Visitor(browser, server)
    other.open("vergelijken")
    other.cards()
    expect(other.page.get_by_role("tab")).to_have_count(1, timeout=WAIT)
    other.close()
    visitor.settled()
    visitor.close()


def test_a_link_that_is_refused_stays_in_the_address(visitor: Visitor) -> None:
    page = visitor.open("vergelijken?lang=nl&s=x~y%3Dz")
    page.get_by_role("alert").filter(has_text=words("refused.link")).wait_for()
    visitor.cards()
    visitor.settled()
    assert "x~y%3Dz" in page.url.replace("%7E", "~")
    page.reload()
    page.get_by_role("alert").filter(has_text=words("refused.link")).wait_for()
    page.get_by_role("button", name=words("compare.add")).click()
    page.wait_for_url(re.compile("Scenario"))
    assert "y%3Dz" not in page.url
    page.wait_for_function("document.querySelectorAll('#cards li').length == 2")
    visitor.settled()


def test_charts_follow_the_theme_at_once(browser: Any, server: str) -> None:
    visitor = Visitor(browser, server, color_scheme="light")
    page = visitor.open("route")
    labels = (
        ".st-key-wide-chart .node-label, .st-key-queues-chart .slider-label, .st-key-queues-chart .updatemenu-item-text"
    )
    page.locator(labels).first.wait_for()
    visitor.settled()
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(IS_DARK, arg=theme == "dark")
        page.wait_for_timeout(500)
        found = page.evaluate(
            """labels => [getComputedStyle(document.querySelector('.stApp')).color,
                ...[...document.querySelectorAll(labels)].map(x => getComputedStyle(x))
                    .filter(style => style.fillOpacity > 0).map(style => style.fill)]""",
            labels,
        )
        assert len(found) > 10
        assert set(found) == {found[0]}
    visitor.close()


@pytest.mark.parametrize("name", ["goals", "plan", "account"])
def test_no_table_is_cut_on_a_narrow_page(visitor: Visitor, name: str) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 900})
    page = visitor.open(words(f"page.{name}.address"))
    if name == "plan":  # its tables are closed
        page.get_by_text(words("plan.everything")).click()
    page.locator("table.fs-stack").first.wait_for()
    visitor.settled()
    cut = """() => [...document.querySelectorAll('table.fs-stack td, table.fs-stack tbody th')]
        .filter(x => x.getBoundingClientRect().width && (x.getBoundingClientRect().right > 390
            || [...x.querySelectorAll('*')].some(one => one.getBoundingClientRect().right > 390)))
        .map(x => x.innerText)"""
    assert page.evaluate(cut) == []
    assert page.get_by_role("table").first.get_by_role("columnheader").count() > 3


def test_the_health_check_of_the_container_tells_a_running_app_from_none(server: str) -> None:
    recipe = (Path(__file__).parents[2] / "docs" / "Containerfile").read_text(encoding="utf-8")
    (asked,) = re.findall(r"^HEALTHCHECK CMD (.+)$", recipe, re.M)
    (listens,) = re.findall(r'^CMD \[.*"--port", "(\d+)".*\]$', recipe, re.M)
    program, option, code = shlex.split(asked)
    assert (program, option) == ("python", "-c")
    assert f"127.0.0.1:{listens}/" in code
    assert f"EXPOSE {listens}" in recipe
    port = server.rpartition(":")[2]
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        silent = str(nobody.getsockname()[1])
    codes = []
    for one in (port, silent):
        command = [sys.executable, option, code.replace(f":{listens}/", f":{one}/")]
        codes.append(subprocess.run(command, stderr=subprocess.DEVNULL, timeout=30, check=False).returncode)
    assert codes[0] == 0
    assert codes[1] != 0
