"""``flowsim app``: the web app of the steering group."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowsim.cli.options import whole


def app(
    scenario: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SCENARIO]", help="A scenario file or the folder of a region to begin with.", show_default=False
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", parser=whole, metavar="N", help="Port to listen on.")] = 8501,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    futures: Annotated[
        int, typer.Option("--futures", parser=whole, metavar="N", help="Futures of the finest result of each scenario.")
    ] = 200,
    lang: Annotated[
        str, typer.Option("--lang", metavar="nl|en", help="Language in which a visitor begins; the page can switch.")
    ] = "nl",
) -> int:
    """Open the web app: the answer, scenarios side by side, the route, the targets, the plan recomputed."""
    from flowsim.present.app.server import serve

    return serve(host, port, browser=not no_browser, futures=futures, scenario=scenario, lang=lang)
