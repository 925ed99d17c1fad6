"""Where all visitors begin: the plan of the region that ships with flowsim, or what `flowsim app SCENARIO` names.

A scenario of the app is the content of a file. For a region that is a folder it names that folder beside the file
(``./polder``), so that a saved file runs from the command line when it is put there; the app itself never opens a place
that a file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flowsim.errors import InputError
from flowsim.plan.figures import is_path
from flowsim.present.texts import LANGUAGES
from flowsim.scenario.load import Scenario, default, from_document
from flowsim.scenario.schema import DEFAULTS

SHIPPED: Final = "amstelland"
_chosen: list[Scenario] = []
_language: list[str] = []


def ground() -> Scenario:
    """The scenario that the app was started with."""
    if not _chosen:
        _chosen.append(default())
    return _chosen[-1]


def stand_on(scenario: Scenario | None, lang: str = LANGUAGES[0]) -> None:
    """Begin with this scenario, None: the plan that ships with flowsim; and in this language, unless a visitor's link
    names one. Before the first visitor."""
    _chosen.clear()
    if scenario is not None:
        _chosen.append(scenario)
    _language[:] = [lang]


def first_language() -> str:
    """The language in which a visitor begins."""
    return _language[-1] if _language else LANGUAGES[0]


def is_shipped_plan() -> bool:
    """Whether the app shows the plan that ships with flowsim, as it stands."""
    return ground().region == SHIPPED and not ground().files


def region_label() -> str | None:
    """The region in a scenario file of the app; None: the file need not name it."""
    region = ground().region
    if region == SHIPPED:
        return None
    return f"./{Path(region).name}" if is_path(region) else region


def region_of(document: Mapping[str, Any]) -> str:
    """The region of a scenario's document: a name, or the folder that the app was started with.

    Raises
    ------
    InputError : another region than the app shows.
    """
    label, named = region_label(), document.get("region")
    if named != label and not (label is None and named == SHIPPED):
        raise InputError("region", repr(named or SHIPPED), f"{label or SHIPPED!r}, the region that this app shows")
    return ground().region


def with_region(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document that names the app's region where that is needed."""
    label = region_label()
    return dict(document) if label is None else {**document, "region": label}


def scenario_of(document: Mapping[str, Any], name: str) -> Scenario:
    """The scenario of a document.

    Raises
    ------
    InputError : another region, an unknown key or figure, an impossible value.
    """
    home = region_of(document)
    return from_document({key: value for key, value in document.items() if key != "region"}, name, home)


def document_of(scenario: Scenario, title: str) -> dict[str, Any]:
    """The content of one file that says what a scenario and its parents say."""
    settings = {name: value for name, value in scenario.settings.items() if value != DEFAULTS[name]}
    figures = {}
    for change in scenario.changes:
        after = change.after
        value: Any = {str(day.year): one for day, one in after.values} if after.dated else after.at()
        override = {"value": value, "low": after.low, "high": after.high, "because": change.because}
        figures[change.key] = {name: one for name, one in override.items() if one is not None}
    found = {"title": title, "settings": settings, "figures": figures}
    return with_region({name: value for name, value in found.items() if value})
