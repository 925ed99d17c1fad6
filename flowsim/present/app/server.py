"""Starting the web app: Streamlit in this process, closed to the outside unless told otherwise.

All settings are given here; no file is read for them and none is written in the user's folder.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import sys
from collections.abc import Sequence
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from flowsim.errors import InputError, extra
from flowsim.present.app.address import LANG
from flowsim.present.app.ground import first_language, stand_on
from flowsim.present.app.studies import FUTURES_SETTING
from flowsim.present.markup import tag
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.scenario.load import Scenario
from flowsim.study.replicate import whole
from flowsim.study.together import read_scenario

LEAST_FUTURES: Final = 12
MOST_FUTURES: Final = 5_000
OPTIONS: Final[dict[str, Any]] = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": 1,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableStaticServing": False,
    "server.showEmailPrompt": False,
    "theme.primaryColor": "#0072B2",
    "theme.light.linkColor": "#005A8F",
    "theme.dark.linkColor": "#7CC4F0",
    "theme.dark.primaryColor": "#3A9AD9",
    "theme.baseRadius": "small",
    "theme.showWidgetBorder": True,
}
"""Streamlit's settings. It can limit uploads to 1 MB at the least; `flowsim.present.app.drafts` takes less."""


def serve(
    host: str, port: int, browser: bool = True, futures: int = 200, scenario: Path | None = None, lang: str = "nl"
) -> int:
    """Run the app until it is stopped; returns the exit code.

    ``scenario`` : a scenario file or the folder of a region to begin with; None: the plan that ships with flowsim.
    ``lang`` : the language in which a visitor begins.

    Raises
    ------
    InputError : a scenario that cannot be used, no Streamlit, an address or port that cannot be listened on, an
        impossible number of futures.
    """
    texts(lang)
    whole("--futures", futures, LEAST_FUTURES, MOST_FUTURES)
    whole("--port", port, 1, 65_535)
    for name in ("streamlit", "plotly"):
        if find_spec(name) is None:
            raise InputError("flowsim app", f"no {name}", extra("app"))
    stand_on(None if scenario is None else _simulable(scenario), lang)
    check_address(host, port)
    os.environ[FUTURES_SETTING] = str(futures)
    return _streamlit(host, port, browser)


def _simulable(place: Path) -> Scenario:
    """The scenario of a file or a folder, after a look whether it can be simulated."""
    from flowsim.scenario.compile import compile_scenario

    found = read_scenario(place)
    compile_scenario(found)
    return found


def check_address(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise InputError("--host", repr(host), "an address of this machine, such as 127.0.0.1") from None
    with socket.socket(family, kind, protocol) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(place)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise InputError(
                    "--port", f"{port}, which is in use", "a port that is free, such as --port 8502"
                ) from None
            if error.errno == errno.EACCES:
                raise InputError("--port", f"{port}, which is not allowed", "a port above 1023") from None
            raise InputError("--host", repr(host), "an address of this machine, such as 127.0.0.1") from None


FILE: Final = re.compile(r"(^|/)_|[.]")
"""In the address of a file, or of Streamlit's own services."""
BASE: Final = """<script>window.__streamlit = { BACKEND_BASE_URL: new URL(".", location.href).href };</script>"""
"""Tells a page where the app is. Else Streamlit's page asks below its own address first, ``/doelen/_stcore/health``: an
error in the browser's console each time a page is opened. The folder is the browser's, behind whatever proxy."""

SHELL: Final = {
    r"<html lang=\"en\">": "<html lang={lang}>",
    r"<title>Streamlit</title>": "<title>flowsim</title>",
    r"<noscript>.*?</noscript>": "<noscript>{words}</noscript>",
}
"""What Streamlit's page says before it runs, or where it cannot run: flowsim's own name, language and words."""


def in_words(index: str, lang: str) -> str:
    """Streamlit's page with its first words in a language."""
    said = {"lang": f'"{lang}"', "words": str(tag("p", text(lang, "app.no_script")))}
    for theirs, ours in SHELL.items():
        found = re.search(theirs, index, re.DOTALL)
        index = index if found is None else index.replace(found[0], ours.format(**said), 1)
    return index


def language_of(path: str, asked: str | None) -> str:
    """The language of a page before it runs: as the link says, else as its address, else that of the app."""
    if asked in LANGUAGES:
        return str(asked)
    address = path.strip("/")
    there = [lang for lang in LANGUAGES if address in _addresses(lang)]
    return there[0] if there and there[0] != LANGUAGES[0] else first_language()


def _addresses(lang: str) -> set[str]:
    return {said for key, said in texts(lang).items() if key.startswith("app.page.") and key.endswith(".address")}


def in_one_word(path: str, raw: str) -> str:
    """Where an address with more parts leads, as seen from there: all words in one part, ``/a/b`` to ``../a-b``. That
    is no page either, or the page itself (``/doelen/``). It names no folder above: a proxy may have put one there.

    ``raw`` : the path as it was asked for, in which ``%2F`` is no slash. Empty for an address of one part.
    """
    parts = [part for part in path.split("/") if part]
    deep = raw.count("/") - 1
    return "../" * deep + quote("-".join(parts), safe="") if parts and (deep > 0 or len(parts) > 1) else ""


def _know_the_folder(addresses: Sequence[str]) -> None:
    """Have pages at these addresses say where the app is, in the shell of HTML that Streamlit serves; so at an address
    that leads nowhere, which `flowsim.present.app.shell` shows with the first page. One of more parts, ``/a/b``, would
    be taken for a page in a folder: it is sent on to one of a single part. Each says its first words in the language
    of the visitor (`in_words`).

    Streamlit has no setting for it. Where its inside is another one than that of version 1.67 nothing changes.
    """
    from starlette.responses import HTMLResponse, RedirectResponse, Response
    from starlette.routing import Match, Route
    from streamlit import config, file_util
    from streamlit.web.server.starlette import starlette_server

    made = getattr(starlette_server, "create_starlette_app", None)
    index = Path(file_util.get_static_dir()) / "index.html"
    if made is None or not index.is_file() or config.get_option("server.baseUrlPath"):
        return
    content = index.read_text(encoding="utf-8").replace("<head>", f"<head>{BASE}", 1)
    made_in = {lang: in_words(content, lang) for lang in LANGUAGES}

    class Nowhere(Route):
        """Words, no file."""

        def matches(self, scope: Any) -> Any:
            words = str(scope.get("path", "")).strip("/")
            return super().matches(scope) if words and not FILE.search(words) else (Match.NONE, {})

    async def page(asked: Any) -> Response:
        path = str(asked.scope["path"])
        there = in_one_word(path, asked.scope.get("raw_path", path.encode()).decode("latin-1"))
        if not there:
            shown = made_in[language_of(path, asked.query_params.get(LANG))]
            return HTMLResponse(shown, headers={"Cache-Control": "no-cache"})
        query = asked.url.query
        return RedirectResponse(f"{there}?{query}" if query else there)

    def create(runtime: Any) -> Any:
        app = made(runtime)
        routes = app.router.routes
        routes[:0] = [Route(f"/{address}", page) for address in ("", *addresses)]
        routes.insert(len(routes) - 1, Nowhere("/{address:path}", page))  # the last are Streamlit's files
        return app

    vars(starlette_server)["create_starlette_app"] = create


def _streamlit(host: str, port: int, browser: bool) -> int:
    from streamlit.web import bootstrap

    from flowsim.present.app.shell import PAGES, addresses
    from flowsim.present.app.state import house, settle

    shown = f"[{host}]" if ":" in host else host
    open_at = f"http://{'localhost' if host in ('0.0.0.0', '::') else shown}:{port}"
    print(f"flowsim app: {open_at} (Ctrl-C stops it)", file=sys.stderr, flush=True)
    options = {**OPTIONS, "server.address": host, "server.port": port, "browser.serverAddress": host}
    if browser:
        import threading
        import webbrowser

        threading.Timer(1.5, webbrowser.open, (open_at,)).start()
    script = str(resources.files("flowsim.present.app") / "main.py")
    flags = {name.replace(".", "_"): value for name, value in options.items()}
    bootstrap.load_config_options(flags)
    _know_the_folder(addresses())
    for name in PAGES:
        import_module(f"flowsim.present.app.views.{name}")
    for name in ("pandas", "plotly.graph_objects"):
        import_module(name)
    settle()
    house().open()
    try:
        bootstrap.run(script, False, [], flags)
    finally:
        house().close()
    return 0
