"""A visitor of the web app with a computer of his own: speaks Streamlit's protocol and draws nothing.

A browser on the same cores takes a good second of them while a comparison runs, which a real visitor's browser does
not. What is left out is what the visitor's own computer does: to draw what has come takes Chromium a tenth of a second.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from tornado.websocket import WebSocketClientConnection, websocket_connect

LARGEST = 2**28


class Visitor:
    """One session.

    Attributes
    ----------
    pages : hash of each page by its address. sliders : element of each slider by its label, as it came last.
    running : whether the app is making a page or looks at a run again by itself.
    """

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection
        self.pages: dict[str, str] = {}
        self.page = ""
        self.sliders: dict[str, Any] = {}
        self.chosen: dict[str, str] = {}
        self.looks: dict[str, asyncio.Task[None]] = {}
        self.running = False

    @staticmethod
    async def at(port: int) -> Visitor:
        """Connect, and ask for the first page."""
        address = f"ws://127.0.0.1:{port}/_stcore/stream"
        connection = await websocket_connect(address, subprotocols=["streamlit"], max_message_size=LARGEST)
        visitor = Visitor(connection)
        await visitor.ask()
        return visitor

    async def ask(self, fragment: str = "") -> None:
        """Ask for the page, or for a part of it that looks at a run again."""
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash = self.page
        state.fragment_id = fragment
        state.is_auto_rerun = bool(fragment)
        for name, value in self.chosen.items():
            widget = state.widget_states.widgets.add()
            widget.id = name
            widget.string_array_value.data.append(value)
        self.running = True
        await self.connection.write_message(message.SerializeToString(), binary=True)

    async def hear(self, patience: float = 60.0) -> tuple[float, str]:
        """The next message: when it came, and the HTML in it, if any. TimeoutError: there was none."""
        raw = await asyncio.wait_for(self.connection.read_message(), patience)
        assert isinstance(raw, bytes), "the app has hung up"
        message = ForwardMsg.FromString(raw)
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.pages = {one.url_pathname: one.page_script_hash for one in message.navigation.app_pages}
            self.page = message.navigation.page_script_hash
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            for task in self.looks.values():
                task.cancel()
            self.looks = {}
        elif kind == "auto_rerun":
            self.looks[message.auto_rerun.fragment_id] = asyncio.create_task(
                self._look(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            )
        elif kind == "script_finished":
            self.running = False
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.WhichOneof("type") == "slider":
                self.sliders[element.slider.label] = element.slider
            elif element.WhichOneof("type") == "html":
                return time.monotonic(), element.html.body
        return time.monotonic(), ""

    async def _look(self, fragment: str, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            await self.ask(fragment)

    async def rest(self) -> None:
        """Hear all there is until no run goes on any more and nothing comes for a second."""
        while True:
            try:
                await self.hear(1.0)
            except TimeoutError:
                if not (self.running or self.looks):
                    return

    async def open(self, address: str) -> None:
        """Go to a page."""
        self.page = self.pages[address]
        await self.ask()

    async def turn(self, label: str, futures: int) -> list[tuple[float, int]]:
        """Turn a lever up by one step: after how many seconds there was a result of how many futures."""
        slider = self.sliders[label]
        options = list(slider.options)
        at = options.index(self.chosen.get(slider.id, options[int(slider.default[0])]))
        self.chosen[slider.id] = options[at + 1]
        began = time.monotonic()
        await self.ask()
        seen: list[tuple[float, int]] = []
        while not seen or seen[-1][1] != futures:
            when, content = await self.hear()
            found = re.search(r"([\d.]+) toekomsten per scenario", content)
            if found is not None and (not seen or seen[-1][1] != int(found[1].replace(".", ""))):
                seen.append((when - began, int(found[1].replace(".", ""))))
        return seen
