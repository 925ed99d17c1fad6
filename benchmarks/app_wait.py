"""How long a visitor of the web app waits: from the key that turns a lever to the numbers on the page, in Chromium.

    python benchmarks/app_wait.py [--rounds 3] [--futures 200] [--elsewhere]

Starts `flowsim app`, opens the comparison when all is at rest, presses an arrow key on a lever once a round, and reads
off the page, every 20 ms, of how many futures the numbers on it are. Prints for each round the seconds until a result
was on the page, the processor seconds of the app and of the browser in that time, and, before and after, the processor
time that a future takes by itself. On a busy machine the waits are longer, and the processor seconds somewhat.

With ``--elsewhere`` the visitor has a computer of his own: in the place of Chromium a client (`visitor`) speaks with
the app and draws nothing, and the seconds are those until a result has been sent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from visitor import Visitor

from flowsim.present.texts import text

LEVERS = ("conversations", "staff_growth")
"""One that leaves the run without a network as it was, and one that does not."""
LOOK = """() => {
    window.seen = []; window.began = null;
    const look = () => {
        const above = document.querySelector('#cards')?.previousElementSibling;  // a look must cost next to nothing
        const found = above && above.textContent.match(/([\\d.]+) toekomsten per scenario/);
        const number = found ? Number(found[1]) : 0;
        if (!seen.length || seen[seen.length - 1][1] != number) seen.push([performance.now(), number]);
    };
    window.looking = setInterval(look, 20);
    document.addEventListener('keydown', () => { began ??= performance.now(); }, true);
}"""


def processor_seconds(root: int) -> float:
    """Of a process and all that it started."""
    found: dict[int, tuple[int, float]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # gone meanwhile
                continue
            found[int(place.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    total, todo = 0.0, [root]
    while todo:
        one = todo.pop()
        total += found.get(one, (0, 0.0))[1]
        todo += [child for child, (parent, _) in found.items() if parent == one]
    return total


def of_a_future() -> float:
    """Processor milliseconds of one future of the plan, on one thread."""
    code = (
        "import time\nfrom flowsim.scenario.load import default\nfrom flowsim.study.futures import Balances, Case\n"
        "case, balances = Case('plan', default()), Balances(1)\ncase.extend(4, 1, balances, 1)\n"
        "begin = time.process_time()\ncase.extend(40, 1, balances, 1)\nprint(25 * (time.process_time() - begin))"
    )
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def turned(page: Any, app: int, lever: str, futures: int) -> str:
    """One press of a key, and what came of it."""
    page.evaluate(LOOK)
    slider = page.get_by_role("slider", name=text("nl", f"app.lever.{lever}.name"))
    before = processor_seconds(app), processor_seconds(os.getpid())
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_timeout(300)
    page.locator("[data-testid=stProgress]").wait_for(state="detached")
    page.wait_for_timeout(700)
    own = processor_seconds(app) - before[0]
    rest = processor_seconds(os.getpid()) - before[1] - own
    began, seen = page.evaluate("[window.began, window.seen]")
    page.evaluate("clearInterval(window.looking)")
    after = [((at - began) / 1e3, number) for at, number in seen if number][1:]  # the first is what stood there
    last = next((at for at, number in after if number == futures), float("nan"))
    shown = ", ".join(f"{number} after {at:.2f} s" for at, number in after)
    return f"{lever}: {shown}; {futures} after {last:.2f} s; app {own:.1f}, browser and driver {rest:.1f} processor s"


def in_chromium(address: str, app: int, rounds: int, futures: int) -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        path = os.environ.get("FLOWSIM_CHROMIUM") or shutil.which("chromium")
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(240_000)
        page.goto(address)
        page.locator("#verdict").wait_for()
        page.locator("[data-testid=stProgress]").wait_for(state="detached")
        page.get_by_role("link", name=text("nl", "app.page.compare.title"), exact=True).click()
        page.locator("#cards li").first.wait_for()
        page.locator("[data-testid=stProgress]").wait_for(state="detached")
        page.evaluate("document.querySelectorAll('details').forEach(x => x.open || x.firstElementChild.click())")
        for _ in range(rounds):
            for lever in LEVERS:
                page.wait_for_timeout(1000)
                print(turned(page, app, lever, futures), flush=True)
        browser.close()


async def from_elsewhere(port: int, app: int, rounds: int, futures: int) -> None:
    """Measure and print."""
    visitor = await Visitor.at(port)
    await visitor.rest()
    await visitor.open(text("nl", "app.page.compare.address"))
    await visitor.rest()
    for _ in range(rounds):
        for lever in LEVERS:
            await asyncio.sleep(1.0)
            before = processor_seconds(app)
            seen = await visitor.turn(text("nl", f"app.lever.{lever}.name"), futures)
            await visitor.rest()
            shown = ", ".join(f"{number} after {at:.2f} s" for at, number in seen)
            print(f"{lever}: {shown}; app {processor_seconds(app) - before:.1f} processor s", flush=True)


def main() -> None:
    """Start the app, measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--futures", type=int, default=200)
    asked.add_argument("--elsewhere", action="store_true", help="a visitor with a computer of his own")
    options = asked.parse_args()
    print(f"a future by itself: {of_a_future():.1f} ms", flush=True)
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    start = "import sys; from flowsim.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", start, "app", "--no-browser", "--port", str(port)]
    app = subprocess.Popen([*command, "--futures", str(options.futures)], stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        if options.elsewhere:
            asyncio.run(from_elsewhere(port, app.pid, options.rounds, options.futures))
        else:
            in_chromium(address, app.pid, options.rounds, options.futures)
    finally:
        app.terminate()
        app.wait(20)
    print(f"a future by itself: {of_a_future():.1f} ms")


if __name__ == "__main__":
    main()
