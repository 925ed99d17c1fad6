"""`flowsim app`: what it listens on, and what it refuses."""

from __future__ import annotations

import importlib.util
import re
import signal
import socket
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from flowsim.cli import main
from flowsim.present.app import ground, server
from flowsim.present.texts import LANGUAGES, text


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What Streamlit would have been started with."""
    calls: list[tuple[Any, ...]] = []

    def start(*given: Any) -> int:
        calls.append(given)
        return 0

    monkeypatch.setattr(server, "_streamlit", start)
    monkeypatch.setenv(server.FUTURES_SETTING, "1")
    return calls


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def test_it_listens_on_this_machine_only_unless_told_otherwise(started: list[tuple[Any, ...]]) -> None:
    port = free_port()
    assert main(["app", "--port", str(port)]) == 0
    assert main(["app", "--port", str(port), "--host", "0.0.0.0", "--no-browser"]) == 0
    assert started == [("127.0.0.1", port, True), ("0.0.0.0", port, False)]


def test_a_visitor_begins_in_the_language_that_is_asked_for(started: list[tuple[Any, ...]]) -> None:
    assert ground.first_language() == "nl"
    try:
        assert main(["app", "--port", str(free_port()), "--lang", "en"]) == 0
        assert ground.first_language() == "en"
    finally:
        ground.stand_on(None)
    assert ground.first_language() == "nl"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT there")
def test_an_interruption_ends_it_without_a_word_about_its_runs() -> None:
    """Its first run is under way when the process ends."""
    port = free_port()
    code = "import sys; from flowsim.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "app", "--no-browser", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(300):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "failed" not in said


def test_it_is_closed_by_default() -> None:
    options = server.OPTIONS
    assert options["browser.gatherUsageStats"] is False
    assert options["server.enableXsrfProtection"] is True
    assert options["server.enableCORS"] is True
    assert options["server.maxUploadSize"] == 1
    assert options["client.showErrorDetails"] == "none"
    from streamlit import config

    for name in options:
        assert config.get_option(name) is not NotImplemented  # RuntimeError for a name that Streamlit does not know


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "not an address"], "--host: found 'not an address'"),
        (["--host", "203.0.113.7"], "--host: found '203.0.113.7'"),
        (["--port", "0"], "--port: found 0"),
        (["--port", "70000"], "--port: found 70000"),
        (["--port", "x"], "whole number"),
        (["--lang", "fr"], "--lang: found 'fr'; expected one of nl, en"),
        (["--futures", "3"], "--futures: found 3"),
        (["--futures", "1000000"], "--futures: found 1000000"),
    ],
)
def test_what_cannot_be_used_is_refused(
    arguments: list[str], message: str, started: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["app", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert started == []


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("/doelen", ""),
        ("/doelen/", "../doelen"),
        ("/a/b", "../a-b"),
        ("/a%2Fb", "a-b"),
        ("/a%2Fb/c", "../a-b-c"),
        ("/a/b/", "../../a-b"),
        ("/a/<b>\r\nX: y", "../a-%3Cb%3E%0D%0AX%3A%20y"),
        ("//", ""),
    ],
)
def test_an_address_of_more_parts_leads_to_one_of_a_single_part_below_the_same_folder(asked: str, there: str) -> None:
    from urllib.parse import unquote, urljoin

    assert server.in_one_word(unquote(asked), asked) == there
    if there:
        behind = "https://example.org/wachtlijsten"
        assert urljoin(behind + asked, there).startswith(f"{behind}/")
        assert "/" not in urljoin(behind + asked, there).removeprefix(f"{behind}/")


@pytest.mark.parametrize(
    ("path", "asked", "lang"),
    [
        ("/", None, "nl"),
        ("/", "en", "en"),
        ("/doelen", None, "nl"),
        ("/targets", None, "en"),
        ("/targets", "nl", "nl"),
        ("/route", None, "nl"),
        ("/nowhere", "fr", "nl"),
    ],
)
def test_a_page_has_a_language_before_it_runs(path: str, asked: str | None, lang: str) -> None:
    assert server.language_of(path, asked) == lang


def test_the_language_that_was_asked_for_holds_before_a_page_runs() -> None:
    try:
        ground.stand_on(None, "en")
        assert [server.language_of(path, None) for path in ("/", "/doelen", "/targets")] == ["en"] * 3
    finally:
        ground.stand_on(None)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_browser_without_scripts_is_told_so_in_the_language(lang: str) -> None:
    """In Streamlit's own page: its words are gone, what makes it run is not."""
    from streamlit import file_util

    theirs = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    ours = server.in_words(theirs, lang)
    body = ours.partition("<body>")[2]
    words = unescape(re.sub("<[^>]*>", "", body)).split()
    assert words == text(lang, "app.no_script").split()
    assert f'<html lang="{lang}">' in ours
    assert "<title>flowsim</title>" in ours
    assert re.findall("<script.*?</script>", ours, re.DOTALL) == re.findall("<script.*?</script>", theirs, re.DOTALL)
    assert '<div id="root"></div>' in body


def test_a_port_in_use_is_told(started: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["app", "--port", str(port)]) == 2
    assert f"--port: found {port}, which is in use" in capsys.readouterr().err
    assert started == []


def test_without_the_extra_it_says_what_to_install(
    started: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(server, "find_spec", lambda name: None if name == "streamlit" else found(name))
    assert main(["app"]) == 2
    assert ".[app]" in capsys.readouterr().err


def test_help_and_the_pure_modules_do_not_import_streamlit() -> None:
    modules = ("levers", "drafts", "jobs", "studies", "state", "html", "flows", "facts", "server")
    script = (
        "import sys\nfrom flowsim.cli import main\nmain(['app', '--help'])\nassert 'streamlit' not in sys.modules\n"
    )
    script += "".join(f"import flowsim.present.app.{name}\n" for name in modules)
    script += "assert not {'streamlit', 'plotly', 'pandas'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL, timeout=120)
