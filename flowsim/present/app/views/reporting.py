"""Asking for a report and downloading it: on the page of the answer, and beside a scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from flowsim.plan.targets import has_targets
from flowsim.present.app import html
from flowsim.present.app.ground import ground
from flowsim.present.app.reports import MIME
from flowsim.present.app.shell import failed, lang, shared, show, t, visit, watch
from flowsim.present.app.studies import Work


def report(key: str, about: Any, work: Callable[[], Work] | None, filename: str) -> Callable[[], None]:
    """A button that makes the report, and then one that downloads it.

    Parameters
    ----------
    key : of the buttons. about : what the report tells of: a finer result asks for a new report. work : makes it; None:
        there is nothing to tell yet. filename : of the download.

    A region without promises has no report: the page of the targets says so.

    Returns
    -------
    Shows how far it is; to be called where there is room below the button.
    """
    if not has_targets(ground().region):
        return lambda: None
    asked, key_of = visit().reporting, (key, lang(), about)
    mine = asked.key == key_of
    job = asked.job if mine else None
    if job is not None and job.state == "done":
        content = job.result
        st.download_button(
            t("report.download"),
            data=lambda: content,
            file_name=filename,
            mime=MIME,
            key=f"{key}-download",
            icon=":material/picture_as_pdf:",
            on_click="ignore",
        )
        return lambda: None

    def ask() -> None:
        assert work is not None
        asked.ask(shared().press, key_of, work, again=True, connected=visit().connected)

    busy = job is not None and not job.over
    st.button(
        t("report.make"),
        key=f"{key}-make",
        icon=":material/picture_as_pdf:",
        disabled=work is None or busy,
        help=t("report.wait") if work is None else None,
        on_click=ask,
    )

    def progress() -> None:
        if mine and asked.full:
            show(html.notice(t("report.full"), kind="warning", role="alert"))
        elif not failed(job, key, ask):
            watch(job, key, desk=shared().press, words=t("report.busy"))

    return progress
