"""*Scenario's vergelijken*: up to four scenarios, from levers in ordinary words, side by side in the same futures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from flowsim.errors import InputError
from flowsim.present.app import chrome, html
from flowsim.present.app.address import LANG, LINK
from flowsim.present.app.drafts import (
    LONGEST_TITLE,
    MOST_BYTES,
    Draft,
    Refused,
    filename,
    in_language,
    opened,
    to_links,
    to_toml,
)
from flowsim.present.app.ground import ground
from flowsim.present.app.html import plain
from flowsim.present.app.jobs import Job
from flowsim.present.app.levers import DECIMALS, GROUPS, LEVERS, Lever
from flowsim.present.app.reports import of_scenario, pdf_name
from flowsim.present.app.shell import (
    failed,
    lang,
    refused,
    shared,
    show,
    source_of,
    t,
    title,
    visit,
    watch,
)
from flowsim.present.app.views.comparison import outlook, show_comparison
from flowsim.present.app.views.reporting import report
from flowsim.present.changed import changed_name
from flowsim.present.report.blocks import LETTERS
from flowsim.present.texts import LANGUAGES, format_number, texts
from flowsim.present.wording import title_in
from flowsim.scenario.unknowns import drawn

TABS = "scenario-tab"
"""Key of the tabs, which holds the label of the open one."""
NEXT = "scenario-next"
"""Number of the scenario whose tab is to be opened."""


def page() -> None:
    """The page."""
    title("compare")
    told = st.session_state.pop("refused", None)
    if told is not None:
        refused(told)
    job, stopped, refusal = None, False, None
    try:
        job = visit().compare(shared())
        stopped = visit().stopped
    except InputError as error:  # values that cannot go together
        refusal = error
    above, between, below = st.container(), st.container(key="outlook"), st.container()
    result = visit().result
    if result is not None or (job is not None and not job.over):
        with between:
            show(outlook(result))
    with below:  # first: what there is to see need not wait for the levers, which take a tenth of a second to draw
        if refusal is not None:
            refused(refusal)
        show(html.heading(t("compare.result")))
        _run(job, stopped)
        if result is not None:
            show_comparison(visit().drafts, result)
    with above:
        _scenarios()


def _run(job: Job | None, stopped: bool) -> None:
    """How far the comparison is, or why there is none."""
    if visit().full:
        show(html.notice(t("run.full"), kind="warning", role="alert"))
        st.button(t("run.again"), key="compare-full", icon=":material/refresh:")
    elif not failed(job, "compare", _again):
        if stopped:
            said = t("run.stopped" if visit().result is not None else "run.stopped_early")
            show(html.notice(said, kind="warning", role="status"))
            st.button(
                t("run.again"),
                key="compare-again",
                icon=":material/refresh:",
                on_click=_again,
            )
        else:
            watch(job, "compare", visit().stop)


def _again() -> None:
    visit().compare(shared(), again=True)


# ---------------------------------------------------------------- scenarios


def _scenarios() -> None:
    """The scenarios, a tab each, and what can be done with them together."""
    drafts = visit().drafts
    with st.container(horizontal=True):
        st.button(t("compare.add"), key="add", icon=":material/add:", disabled=not visit().room, on_click=_add)
        with st.popover(t("compare.open"), icon=":material/folder_open:"):
            _open()
        with st.popover(t("compare.share"), icon=":material/link:"):
            _share()
    if to_links(drafts) is None:
        show(html.notice(t("compare.not_kept"), kind="warning"))
    names, known = _tab_names(lang()), [_tab_names(one) for one in LANGUAGES]
    open_now = st.session_state.get(TABS)
    if open_now is not None:
        st.session_state[TABS] = next((names[one.index(open_now)] for one in known if open_now in one), open_now)
    shown = st.session_state.pop(NEXT, None)
    if shown is not None or st.session_state.get(TABS) not in names:
        numbers = [draft.number for draft in drafts]
        last = -1 if TABS in st.session_state else 0
        st.session_state[TABS] = names[numbers.index(shown) if shown in numbers else last]
    for tab, draft in zip(st.tabs(names, key=TABS, on_change="rerun"), drafts, strict=True):
        with tab:
            if tab.open:
                _scenario(draft)


def _tab_names(language: str) -> list[str]:
    """What the tabs are called in a language: the open one stays open when that changes."""
    return [f"{LETTERS[i]} · {plain(draft.title_in(language))}" for i, draft in enumerate(visit().drafts)]


def _add() -> None:
    last = visit().drafts[-1]
    visit().add(last.copied(t("compare.copy_title", letter=LETTERS[len(visit().drafts)])))
    st.session_state[NEXT] = visit().drafts[-1].number


def _scenario(draft: Draft) -> None:
    """One scenario: its name, its levers, and saving it."""
    key = f"title-{draft.number}"
    st.session_state[key] = title_in(lang(), st.session_state.get(key, draft.title))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            t("compare.name"),
            max_chars=LONGEST_TITLE,
            key=key,
            on_change=_rename,
            args=(draft.number,),
        )
        st.download_button(
            t("compare.save"),
            data=partial(_file, draft, lang()),  # made when asked for: what every rerun replaces may be gone
            file_name=filename(draft.title),
            mime="application/toml",
            key=f"save-{draft.number}",
            icon=":material/save:",
            on_click="ignore",
        )
        progress = _report(draft)
        st.button(
            t("compare.remove"),
            key=f"remove-{draft.number}",
            icon=":material/delete:",
            disabled=len(visit().drafts) == 1,
            on_click=visit().remove,
            args=(draft.number,),
        )
    progress()
    others = draft.other_changes()
    if others:
        names = ", ".join(changed_name(lang(), key, ground()) for key in others)
        show(html.notice(t("compare.others", names=names)))
    for column, group in zip(st.columns(len(GROUPS), gap="large"), GROUPS, strict=True):
        with column:
            show(html.heading(t(f"compare.group.{group}"), 3))
            levers = [lever for lever in LEVERS if lever.group == group and lever.applies(draft.document)]
            for lever in levers:
                if lever.first:
                    _lever(draft, lever)
            _more(draft, group, [lever for lever in levers if not lever.first])


def _more(draft: Draft, group: str, levers: Sequence[Lever]) -> None:
    """The levers of a group that matter less, closed below a line that counts them and names those turned."""
    if not levers:
        return
    label = t(f"compare.more.{'one' if len(levers) == 1 else 'many'}", group=t(f"compare.group.{group}"), n=len(levers))
    turned = [_stands(draft, lever) for lever in levers if lever.turned(draft.document, draft.book)]
    if turned:
        label = t("compare.more.turned", label=label, levers="; ".join(turned))
    # by its key Streamlit knows it for the same one when a lever inside changes what its line says
    with st.expander(plain(label), icon=":material/tune:", key=f"more-{draft.number}-{group}"):
        for lever in levers:
            _lever(draft, lever)


def _stands(draft: Draft, lever: Lever) -> str:
    """A lever's name and where it stands; its name alone where it cannot say that."""
    name, value = t(f"lever.{lever.name}.name"), draft.get(lever)
    if value is None:
        return name
    where = _choice(lever, str(value)) if lever.kind == "choice" else _written(lang(), lever, float(value))
    return t("compare.more.stands", lever=name, where=where)


def _file(draft: Draft, language: str) -> str:
    """What is saved: its reasons in the language of the page, whatever the levers were turned in."""
    return to_toml(in_language(draft.document, language))


def _report(draft: Draft) -> Callable[[], None]:
    """The PDF of a scenario, with the others beside it."""
    job, result = visit().job, visit().result
    i, language = visit().drafts.index(draft), lang()
    titles = tuple(one.title_in(language) for one in visit().drafts)
    over = job is not None and job.over
    work = (lambda: of_scenario(result, i, language, titles)) if over and result is not None else None
    about = None if result is None else (result.keys, result.futures, titles)
    return report(f"report-{draft.number}", about, work, pdf_name(draft.title))


def _rename(number: int) -> None:
    st.session_state[NEXT] = number
    try:
        visit().replace(visit().draft(number).titled(st.session_state[f"title-{number}"]))
    except Refused as error:
        st.session_state["refused"] = error


def _lever(draft: Draft, lever: Lever) -> None:
    """The widget of a lever: with the plan's figure, its source and the allowed range."""
    key = f"lever-{draft.number}-{lever.name}"
    name, why = t(f"lever.{lever.name}.name"), t(f"lever.{lever.name}.help")
    value = draft.get(lever)
    if lever.kind == "choice":
        own = f"{key}-{lang()}"  # Streamlit knows choices by their words
        choices = lever.choices if value in lever.choices else (*lever.choices, str(value))
        st.selectbox(
            name,
            choices,
            index=choices.index(str(value)),
            format_func=lambda code: _choice(lever, code),
            help=why,
            key=own,
            on_change=_turn,
            args=(draft.number, lever, own),
        )
        show(html.tag("p", _chosen(draft, lever), class_="fs-lever"))
        return
    low, high = lever.range(draft.book)
    if value is None or not low - 1e-9 <= float(value) <= high + 1e-9:
        show(html.notice(html.tag("strong", name), ": ", t("lever.elsewhere")))
        st.button(t("lever.reset"), key=f"{key}-reset", on_click=_reset, args=(draft.number, lever))
        return
    st.select_slider(
        name,
        lever.stops(draft.book, float(value)),
        value=round(float(value), DECIMALS),
        format_func=partial(_written, lang(), lever),  # asked for every stop
        help=why,
        key=key,
        on_change=_turn,
        args=(draft.number, lever, key),
    )
    show(html.tag("p", _cited(draft, lever), class_="fs-lever"))


def _written(language: str, lever: Lever, value: float) -> str:
    """A lever's number in the visitor's notation."""
    if lever.shown == "percent":
        return format_number(language, 100.0 * value, 2 if lever.step < 0.005 else 0) + "%"
    return format_number(language, value, 1 if lever.step < 1.0 else 0)


def _cited(draft: Draft, lever: Lever) -> str:
    """The plan's figure, where it stands, and how far the lever goes."""
    figure = lever.source(draft.book)
    low, high = (_written(lang(), lever, end) for end in lever.range(draft.book))
    plan = _written(lang(), lever, float(lever.plan(draft.book)))
    if figure is None:
        return t("lever.plan_only", plan=plan)
    key = "lever.cited" if lever.of_plan(draft.book) else "lever.assumed"
    if lever.kind == "start":
        plan, key = str(int(draft.book.value(lever.figure))), "lever.start_cited"
    elif lever.figure in drawn(ground()):  # until it is turned, no future has just this value
        key = "lever.drawn"
    return t(key, plan=plan, source=source_of(figure), low=low, high=high)


def _chosen(draft: Draft, lever: Lever) -> str:
    """What the plan says of a choice; of one that it leaves open, what flowsim takes."""
    taken = _choice(lever, str(lever.plan(draft.book)))
    if lever.of_plan(draft.book):
        return t("lever.plan_only", plan=taken)
    if lever.plan_counts:
        return t("lever.own_beside", own=taken, plan=_choice(lever, lever.plan_counts))
    return t("lever.own", own=taken)


def _choice(lever: Lever, code: str) -> str:
    return texts(lang()).get(f"answer.value.{lever.setting}.{code}", code)


def _turn(number: int, lever: Lever, key: str) -> None:
    value = st.session_state[key]
    try:
        visit().replace(visit().draft(number).turned(lever, value, lang()))
    except InputError as error:
        st.session_state["refused"] = error


def _reset(number: int, lever: Lever) -> None:
    visit().replace(visit().draft(number).reset(lever, lang()))


# ---------------------------------------------------------------- files and links


def _open() -> None:
    """Open a scenario file beside the others."""
    count = st.session_state.setdefault("uploads", 0)
    file = st.file_uploader(
        t("compare.file"), key=f"{chrome.SCENARIO}-{count}", help=t("compare.file_help", most=MOST_BYTES // 1024)
    )
    show(html.paragraph(t("compare.file_note"), kind="fs-small"))
    if file is None:
        return
    try:
        draft = opened(file.getvalue(), file.name)
    except Refused as error:
        st.session_state["refused"] = error
    else:
        visit().add(draft)
        st.session_state[NEXT] = draft.number
    st.session_state["uploads"] = count + 1  # an empty uploader for the next file
    st.rerun()


def _share() -> None:
    """A link that opens these scenarios."""
    from urllib.parse import quote

    links = to_links(visit().drafts)
    if links is None:
        show(html.notice(t("compare.no_link"), kind="warning"))
        return
    address = (st.context.url or "").partition("?")[0]
    parts = [f"{LANG}={lang()}", *(f"{LINK}={quote(link, safe='~=')}" for link in links)]
    show(html.join((html.paragraph(t("compare.link")), html.paragraph(t("compare.link_is_address")))))
    st.code(f"{address}?{'&'.join(parts)}", language=None, wrap_lines=True)
