"""The frame around every page: language, navigation, style, glossary; and what pages show things with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module, resources
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from flowsim.errors import InputError
from flowsim.plan.figures import Figure, read_documents, region_directory
from flowsim.present.app import address, charts, chrome, html
from flowsim.present.app.address import LANG, LINK
from flowsim.present.app.drafts import Refused, RefusedContent, from_links, is_plan, plan_title
from flowsim.present.app.facts import facts
from flowsim.present.app.ground import SHIPPED, first_language, ground, is_shipped_plan
from flowsim.present.app.html import Html
from flowsim.present.app.jobs import Desk, Full, Job, always
from flowsim.present.app.state import House, Visit, house
from flowsim.present.texts import LANGUAGES, format_number, text, texts
from flowsim.present.wording import document_name, place_name
from flowsim.scenario.region import load_region

PAGES: Final = {
    "answer": ":material/help_center:",
    "compare": ":material/tune:",
    "update": ":material/update:",
    "route": ":material/alt_route:",
    "goals": ":material/flag:",
    "plan": ":material/calculate:",
    "account": ":material/fact_check:",
}
"""Pages in order, and their icons. Addresses are ``app.page.<name>.address`` in Dutch; those in English lead there."""
OF_PLAN: Final = frozenset({"answer", "route", "goals"})
"""Pages that show what the app was started with, whatever scenarios a visitor made."""
LINK_REFUSED: Final = "link-refused"
"""Why the scenarios of the link are not there, and the address of the page on which that is told."""
LONGEST_ADDRESS: Final = 200
"""Letters of the last part of an address that may have been meant for a page."""
ESCAPE: Final = """
if (!window.flowsimTips) {
  window.flowsimTips = true;
  const all = document.documentElement.classList;
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') all.add('fs-no-tips'); });
  ['focusout', 'mouseout'].forEach((end) => document.addEventListener(
    end, (event) => { if (event.target.closest('.fs-term')) all.remove('fs-no-tips'); }));
}"""
"""Escape closes the explanation of a term until one leaves the term (WCAG 1.4.13)."""
MENU: Final = """
if (!window.flowsimMenu) {
  window.flowsimMenu = true;
  document.addEventListener('click', (event) => {
    if (innerWidth > 768 || !event.target.closest('[data-testid="stSidebarNavLink"]')) return;
    setTimeout(() => document.querySelector(
      '[data-collapsed="false"] [data-testid="stSidebarCollapseButton"] button')?.click(), 100);
  });
}"""
"""On a narrow screen, where the menu lies over the page, it closes when a page is chosen: Streamlit does that only in
browsers that call themselves a phone's."""
POLL: Final = 0.6
"""Seconds between two looks at a run."""


# ---------------------------------------------------------------- the frame


def run() -> None:
    """Show the app."""
    icon = str(resources.files("flowsim.present.app") / "icon.png")
    st.set_page_config(page_title="flowsim", page_icon=icon, layout="wide", initial_sidebar_state="auto")
    lang = _language()
    _link(lang)
    pages = {name: _page(name, icon, lang) for name, icon in PAGES.items()}
    others = _other_addresses(pages)
    known = {page.url_path: page for page in (*pages.values(), *others)}
    chosen = st.navigation([*known.values(), *_no_page(known)], position="sidebar")
    if chosen in others:
        chosen.run()
    show(Html(f"<style>{style()}</style>"))
    _script(f"document.documentElement.lang = '{lang}';{ESCAPE}{MENU}{chrome.script(lang)}")
    _language_switch(lang)
    _told_of_link(chosen.url_path)
    _script(address.script(chosen.url_path, lang, visit().drafts, LINK_REFUSED in st.session_state))
    chosen.run()
    _other_pages(pages, chosen, lang)
    with st.expander(text(lang, "app.glossary.title"), icon=":material/menu_book:"):
        show(html.glossary(lang))
    show(html.paragraph(text(lang, "app.footer", version=_version()), kind="fs-small fs-footer"))


def _other_pages(pages: Mapping[str, Any], chosen: Any, lang: str) -> None:
    """The way on for who reads on a phone, where the navigation is behind a sign; style.css hides it elsewhere."""
    with st.container(key="other-pages"):
        show(html.heading(text(lang, "app.pages.others")))
        for page in pages.values():
            if page.url_path != chosen.url_path:
                st.page_link(page)


def _script(code: str) -> None:
    st.html(f"<script>{code}</script>", unsafe_allow_javascript=True)


def only(name: str) -> None:
    """One page without the frame around it, as tests ask for it."""
    st.session_state.setdefault(LANG, "nl")
    import_module(f"flowsim.present.app.views.{name}").page()


def _page(name: str, icon: str, lang: str) -> Any:
    module = f"flowsim.present.app.views.{name}"

    def page() -> None:
        import_module(module).page()

    place = text("nl", f"app.page.{name}.address")
    title = text(lang, f"app.page.{name}.title")
    first = name == "answer"  # Streamlit shows it at the root, and would keep its address from leading there
    return st.Page(page, title=title, icon=icon, url_path=None if first else place, default=first)


def _other_addresses(pages: Mapping[str, Any]) -> list[Any]:
    """Addresses that lead to a page and do not stand in the navigation: those in the other languages, which set the
    language too unless the link names one, and that of the first page, which Streamlit knows by no name."""
    known = {page.url_path for page in pages.values()}
    found: dict[str, Any] = {}
    for lang in LANGUAGES:
        for name, page in pages.items():
            place = text(lang, f"app.page.{name}.address")
            if place not in known | found.keys():
                follow = partial(_follow, page, lang)
                found[place] = st.Page(follow, title=page.title, url_path=place, visibility="hidden")
    return list(found.values())


def addresses() -> list[str]:
    """Every address of a page, in every language."""
    return sorted({text(lang, f"app.page.{name}.address") for lang in LANGUAGES for name in PAGES})


def _no_page(known: Mapping[str, Any]) -> list[Any]:
    """A page for an address that leads nowhere: Streamlit would say so in English."""
    asked = unquote(urlsplit(st.context.url or "").path.rpartition("/")[2])
    if asked in known or len(asked) > LONGEST_ADDRESS or "/" in asked:
        return []

    def page() -> None:
        show(html.notice(t("address.no_page"), kind="warning", role="alert"))
        import_module("flowsim.present.app.views.answer").page()

    return [st.Page(page, title=t("page.answer.title"), url_path=asked, visibility="hidden")]


def _follow(page: Any, lang: str) -> None:
    """To the page itself, with what the link says."""
    said = {name: st.query_params.get_all(name) for name in st.query_params}
    if LANG not in said:
        st.session_state[LANG] = lang
        said[LANG] = [lang]
    st.switch_page(page, query_params=said)


def _language() -> str:
    """The visitor's language: as chosen, else as the link says, else that of ``flowsim app --lang``: Dutch."""
    if LANG not in st.session_state:
        asked = st.query_params.get(LANG, "")
        st.session_state[LANG] = asked if asked in LANGUAGES else first_language()
    return str(st.session_state[LANG])


def _language_switch(lang: str) -> None:
    def chosen() -> None:
        st.session_state[LANG] = st.session_state["language"]

    st.radio(
        text(lang, "app.language.label"),
        LANGUAGES,
        index=LANGUAGES.index(lang),
        format_func=lambda code: text(code, "app.language.name"),
        horizontal=True,
        key="language",
        label_visibility="collapsed",
        on_change=chosen,
    )


def _link(lang: str) -> None:
    """Scenarios in the address of the first visit; a link that cannot be used is told, not followed."""
    if "link-read" in st.session_state:
        return
    st.session_state["link-read"] = True
    linked = st.query_params.get_all(LINK)
    if not linked:
        return
    try:
        drafts = from_links(linked, lang)
    except Refused as refused:
        st.session_state[LINK_REFUSED] = refused, None
        return
    visit().drafts = drafts


def _told_of_link(here: str) -> None:
    """A link that cannot be used is told for as long as the visitor stays on the page that it led to."""
    if LINK_REFUSED not in st.session_state:
        return
    error, page = st.session_state[LINK_REFUSED]
    if page not in (None, here):
        del st.session_state[LINK_REFUSED]
        return
    st.session_state[LINK_REFUSED] = error, here
    refused(error)


def _version() -> str:
    import flowsim

    return flowsim.__version__


@cache
def style() -> str:
    """The style sheet."""
    return (resources.files("flowsim.present.app") / "style.css").read_text(encoding="utf-8")


# ---------------------------------------------------------------- for pages


def lang() -> str:
    return str(st.session_state.get(LANG, LANGUAGES[0]))


def t(key: str, **values: object) -> str:
    """A sentence of the app in the visitor's language; the numbers of `facts` are filled in."""
    return text(lang(), f"app.{key}", **{**facts(lang()), **values})


def number(value: float, decimals: int = 0) -> str:
    return format_number(lang(), value, decimals)


def visit() -> Visit:
    """This visitor's scenarios."""
    if "visit" not in st.session_state:
        st.session_state["visit"] = Visit(lang(), connected=_connection())
    mine: Visit = st.session_state["visit"]
    return mine


def _connection() -> Callable[[], bool]:
    """Whether this visitor's page is connected. A page that is loaded again gets a visit of its own, and the old one
    has no connection from then on; a page that lost its connection for a moment comes back to the same."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not runtime.exists():
        return always
    return partial(runtime.get_instance().is_active_session, context.session_id)


def shared() -> House:
    return house()


@cache
def _codes(region: str) -> dict[str, str]:
    """Code of each document of a region, by title: a page with levers asks for every lever."""
    return {title: code for code, title in read_documents(region_directory(region)).items()}


def source_of(figure: Figure) -> str:
    """Where a figure stands, in a few words: the document's short name where it has one, and the section."""
    homes = [ground().region, *([figure.taken_from] if figure.taken_from else [])]
    codes = {title: code for home in homes for title, code in _codes(home).items()}
    named = texts(lang()).get(f"app.source.{codes.get(figure.source.document, '')}")
    section = figure.source.section
    if figure.taken_from:  # which the section ends with, in English
        section = section.rpartition(" (")[0]
    if named is None:
        place = place_name(lang(), section)
        said = document_name(lang(), figure.source.document) + (f", {place}" if place else "")
    else:
        said = named if figure.kind == "assumed" else f"{named}, {place_name(lang(), section.partition(', ')[0])}"
    if figure.taken_from:
        said += f" ({t('ground.taken', other=load_region(figure.taken_from).name)})"
    return said


def show(content: Html) -> None:
    """HTML that `flowsim.present.app.html` built."""
    st.html(content)


def title(name: str) -> None:
    """The heading of a page, and its introduction; a page about the plan says so to who made scenarios."""
    show(
        html.join(
            (
                html.heading(t(f"page.{name}.heading"), 1),
                html.paragraph(html.with_terms(lang(), t(f"page.{name}.intro")), kind="fs-intro"),
                *_ground(),
                *(_not_yours() if name in OF_PLAN else ()),
            )
        )
    )


def _ground() -> list[Html]:
    """That the app shows something else than the plan that ships with flowsim."""
    if is_shipped_plan():
        return []
    said = [t("ground.region")] if ground().region != SHIPPED else []
    said += [t("ground.scenario", title=plan_title(lang()))] if ground().files else []
    return [html.notice(html.join(html.paragraph(one) for one in said))]


def _not_yours() -> list[Html]:
    """That a page does not show the scenarios which the visitor made."""
    if all(is_plan(draft) for draft in visit().drafts):
        return []
    return [html.notice(t("ground.not_yours", title=plan_title(lang()), page=t("page.compare.title")))]


def chart(figure: Any, key: str, unit: str, source: str, label: str, still: bool = False) -> None:
    """A chart with its unit and source below it."""
    show(tag_hidden(label))
    st.plotly_chart(figure, config=charts.STATIC if still else charts.CONFIG, key=key, theme="streamlit")
    show(html.paragraph(t("chart.below", unit=unit, source=source), kind="fs-small"))


def tag_hidden(words: str) -> Html:
    """Words for who hears the page instead of seeing it."""
    return html.tag("p", words, class_="fs-hidden")


def as_table(content: Html, key: str = "chart.table") -> None:
    """The table beside a chart."""
    with st.expander(t(key), icon=":material/table:"):
        show(content)


def watch(
    job: Job | None, key: str, cancel: Callable[[], None] | None = None, desk: Desk | None = None, words: str = ""
) -> None:
    """How far a run is, looked at every `POLL`; the page is drawn again when there is a new result.

    ``desk`` : where it runs, when that is not the shared one. ``words`` : in place of the number of futures.
    """
    if job is None or job.over:
        return
    seen = job.version
    looks = itertools.count()

    @st.fragment(run_every=POLL)
    def progress() -> None:
        job.touch()
        if next(looks) and job.due <= POLL:  # a moment later there is news: one look, not three
            job.wait_for_news(seen, POLL)
        if job.version != seen or job.over:
            st.rerun()
        place = (desk or shared().desk).place(job)
        if words:
            st.progress(0.0 if place else 0.5, text=words)
        elif place:
            st.progress(0.0, text=t("run.waiting", place=place))
        else:
            share = min(1.0, job.done / job.total) if job.total else 0.0
            said = t("run.progress", done=number(job.done), total=number(job.total)) if job.total else t("run.start")
            others = shared().desk.sharing(job)
            st.progress(share, text=said + (" " + t("run.sharing", others=others) if others else ""))
        if cancel is not None and st.button(t("run.cancel"), key=f"{key}-cancel", icon=":material/stop_circle:"):
            cancel()
            job.ended.wait(timeout=5.0)
            st.rerun()

    progress()


def failed(job: Job | None, key: str, again: Callable[[], None]) -> bool:
    """Whether a run failed; if so says it, without what went wrong inside, and offers another try."""
    if job is None or job.state != "failed":
        return False
    show(html.notice(t("run.failed", fault=job.fault), kind="error", role="alert"))
    st.button(t("run.again"), key=f"{key}-again", icon=":material/refresh:", on_click=again)
    return True


def choice(widget: Callable[..., Any], label: str, options: Sequence[Any], key: str, **more: Any) -> Any:
    """What is chosen in a widget whose options are words. Streamlit knows them by those words, so there is a widget for
    each language; the choice goes along, and stays when one comes back to the page."""
    own, kept = f"{key}-{lang()}", f"{key}-chosen"
    if own not in st.session_state and st.session_state.get(kept) in options:
        st.session_state[own] = st.session_state[kept]
    chosen = widget(label, options, key=own, **more)
    st.session_state[kept] = chosen
    return chosen


def refused(error: Refused | InputError) -> None:
    """A message about input that cannot be used."""
    refusal = error if isinstance(error, Refused) else RefusedContent(error)
    show(html.notice(refusal.sentence(lang()), kind="error", role="alert"))


def shared_run(run: Callable[..., Job], key: str) -> Any:
    """The latest result of a run that all visitors share, and its progress; None where there is none yet."""
    try:
        job = run()
    except Full:
        show(html.notice(t("run.full"), kind="warning", role="alert"))
        st.button(t("run.again"), key=f"{key}-full", icon=":material/refresh:")
        return None

    def again() -> None:
        run(again=True)

    if failed(job, key, again):
        return None
    watch(job, key)
    return job.result
