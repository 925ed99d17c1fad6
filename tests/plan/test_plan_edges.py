"""Rules of the plan's tables at their edges, and every recomputed cell held to the number that was checked once."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from test_plan_tables import is_printed

from flowsim.errors import InputError
from flowsim.plan import figures as fi
from flowsim.plan.business_case import Volumes, check_plan, money, plan_volumes
from flowsim.plan.figures import Figure, FigureBook, load_figures
from flowsim.plan.kpis import load_kpis
from flowsim.plan.observed import growth, load_observed
from flowsim.plan.tables import costs, effects, investment, payments
from flowsim.plan.tables.checks import EXACT, INCONSISTENT, ROUNDING, Index, Table, _slip
from flowsim.plan.targets import has_targets, load_targets

CELLS = Path(__file__).with_name("recomputed_cells.csv")
TABLE = Table("x", "9.9")


def with_values(book: FigureBook, **changes: float) -> FigureBook:
    """The book with figures of one value; ``__`` for the point in a key."""
    made = dict(book.items())
    for name, value in changes.items():
        key = name.replace("__", ".")
        made[key] = replace(made[key], values=tuple((day, value) for day, _ in made[key].values))
    return FigureBook(book.region, made)


def told(cell: float | str) -> str:
    """A cell as text, without the last bits of a sum, which differ by machine."""
    return cell if isinstance(cell, str) else f"{round(cell, 9) + 0.0:.10g}"


def stirred() -> FigureBook:
    """The plan with every printed number that is no year 0 to 1.6% larger, each by its own part: little adds up."""
    book = load_figures()
    made = dict(book.items())
    for i, key in enumerate(
        key for key, one in book.items() if is_printed(one) and one.unit not in ("year", "decimals")
    ):
        values = ((day, value * (1.0 + 0.004 * ((i + j) % 5))) for j, (day, value) in enumerate(book[key].values))
        made[key] = replace(book[key], values=tuple(values))
    return FigureBook(book.region, made)


def cells() -> list[list[str]]:
    """Every check, and what it says of the plan when that is `stirred`."""
    return [
        [one.id, told(one.printed), told(one.recomputed), told(one.difference), one.unit, one.verdict, one.section,
         one.relation, told(other.recomputed), other.verdict, other.cause]
        for one, other in zip(check_plan(load_figures()), check_plan(stirred()), strict=True)
    ]  # fmt: skip


def test_every_recomputed_cell_is_what_it_was() -> None:
    """A change of a rule changes a number here: then the cells that moved are to be worked out by hand once more.

    The verdicts and causes alone would let pass what moves a number by less than its tolerance.
    """
    found = cells()
    with CELLS.open(encoding="utf-8", newline="") as file:
        assert found == list(csv.reader(file))[1:]


# ---------------------------------------------------------------- one check


def test_compare_at_its_edges() -> None:
    down = TABLE.compare("r", 2026, 99.5, 100, "EUR")
    assert (down.verdict, down.difference, down.column, down.table, down.section) == (EXACT, -0.5, "2026", "x", "9.9")
    assert down.id == "x/r/2026"
    assert TABLE.compare("r", "c", 99.4375, 100, "EUR").verdict == INCONSISTENT
    assert TABLE.compare("r", "c", 99.25, 100, "EUR", carried=0.25).verdict == ROUNDING
    assert TABLE.compare("r", "c", 10.5, 10, "w", relation="<=").verdict == EXACT
    assert TABLE.compare("r", "c", 10.75, 10, "w", relation="<=").verdict == INCONSISTENT
    assert TABLE.compare("r", "c", 9.5, 10, "w", relation=">=").verdict == EXACT
    assert TABLE.compare("r", "c", 9.25, 10, "w", relation=">=").verdict == INCONSISTENT
    assert TABLE.compare("r", "c", 64.35, 64.3, "w", step=0.1).verdict == EXACT  # what floats make of a half
    assert TABLE.compare("r", "c", 1e13 + 0.5, 1e13, "EUR").verdict == EXACT
    named = TABLE.compare("r", "c", 120, 100, "EUR", cause="named")
    assert (named.cause, named.relation) == ("named", "=")
    round_ = TABLE.compare("r", "c", 101, 100, "EUR", carried=1.0, hypotheses={"why": 101.4}, cause="named")
    assert (round_.verdict, round_.cause) == (ROUNDING, "why")
    assert TABLE.compare("r", "c", 101, 100, "EUR", carried=1.0, cause="named").cause == ""


def test_same_at_its_edges() -> None:
    alike = TABLE.same("r", "c", 5.0, 5.0, "EUR")
    assert (alike.verdict, alike.difference, alike.cause, alike.relation) == (EXACT, 0.0, "", "=")
    one = TABLE.same("r", "c", 5.0, 6.0, "EUR", rounded=True)
    assert (one.verdict, one.difference) == (ROUNDING, -1.0)
    small = TABLE.same("r", "c", 0.6, 0.5, "fte", step=0.1, rounded=True)
    assert small.verdict == ROUNDING
    assert TABLE.same("r", "c", 0.75, 0.5, "fte", step=0.125, rounded=True).verdict == INCONSISTENT
    off = TABLE.same("r", "c", 8.0, 5.0, "EUR", hypotheses={"no": 7.4, "yes": 7.5}, cause="named")
    assert (off.verdict, off.cause, off.difference) == (INCONSISTENT, "yes", 3.0)
    assert TABLE.same("r", "c", 8.0, 5.0, "EUR", cause="named").cause == "named"
    assert TABLE.same("r", "c", 8.0, 5.0, "EUR").cause == "one_digit_differs"


def test_totals_carry_half_a_unit_of_each_part() -> None:
    assert TABLE.total("r", "c", 32.0, [10, 20]).verdict == INCONSISTENT  # half a unit and twice half a unit
    assert TABLE.total("r", "c", 31.5, [10, 20]).verdict == ROUNDING
    assert TABLE.total("r", "c", 30.5, [10, 20]).verdict == EXACT
    assert TABLE.total("r", "c", 31.0, [10, 20], rounded=False).verdict == INCONSISTENT
    doubled = TABLE.total("r", "c", 62.5, [10, 20], factor=2.0)
    assert (doubled.verdict, doubled.recomputed, doubled.unit) == (ROUNDING, 60.0, "EUR")
    assert TABLE.total("r", "c", 62.75, [10, 20], factor=2.0).verdict == INCONSISTENT
    assert TABLE.total("r", "c", 32.0, [10, 20], rounded=False, factor_error=0.05).verdict == ROUNDING
    assert TABLE.total("r", "c", 32.125, [10, 20], rounded=False, factor_error=0.05).verdict == INCONSISTENT
    assert TABLE.total("r", "c", -32.0, [-10, -20], rounded=False, factor_error=0.05).verdict == ROUNDING
    assert TABLE.total("r", "c", 40, [10, 20], hypotheses={"why": 40.0}).cause == "why"


def test_words_and_dates() -> None:
    same = TABLE.text("r", "c", "R", "R", "kind", "why")
    assert (same.verdict, same.difference, same.cause) == (EXACT, 0.0, "")
    other = TABLE.text("r", "c", "R", "I", "kind", "why")
    assert (other.verdict, other.difference, other.cause) == (INCONSISTENT, 1.0, "why")
    assert TABLE.text("r", "c", "2026-01-03", "2026-01-01", "date", "why").difference == 2.0


@pytest.mark.parametrize(
    ("printed", "recomputed", "step", "name"),
    [
        (486, 436, 1, "one_digit_differs"), (486, 437, 1, "unexplained"), (36, 306, 1, "digit_dropped"),
        (30, 306, 1, "digit_dropped"), (306, 36, 1, "unexplained"), (0.15, 0.25, 0.01, "one_digit_differs"),
        (0.5, 0.7, 0.1, "one_digit_differs"), (0.151, 0.152, 0.001, "one_digit_differs"), (5, 56, 1, "digit_dropped"),
    ],
)  # fmt: skip
def test_slips_of_the_pen(printed: float, recomputed: float, step: float, name: str) -> None:
    assert _slip(printed, recomputed, step) == name


def test_indexation_by_hand() -> None:
    index = Index(0.03, 2024, 4)
    assert (index.factor(2024), index.factor(2026)) == pytest.approx((1.0, 1.0609))
    assert index.rounded(2027) == 1.0927
    assert index.error(2027) == 0.5e-4
    assert (index.error(2026), index.error(2024)) == (0.0, 0.0)
    book = load_figures()
    assert Index.of(book) == Index(0.03, 2024, 4)
    assert Index.of(with_values(book, investment__indexation=0.05), "investment.indexation").rate == 0.05


# ---------------------------------------------------------------- rules of the tables


def test_volumes_and_their_doubt() -> None:
    book = load_figures()
    assert effects.plan_years(book) == (2025, 2026, 2027, 2028)
    assert [effects.ramp(book, year) for year in (2024, 2025, 2026, 2027, 2028)] == [None, None, 0.33, 0.67, 1.0]
    far = with_values(book, functions__conversations=100.0)
    assert effects.volume(far, "conversations", 2026) == (100.0, 0.5)  # 33 is not 100
    half = FigureBook("x", {**book, "functions.conversations": replace(
        book["functions.conversations"], values=((dt.date(2025, 1, 1), 50.0), (dt.date(2026, 1, 1), 33.5),
                                                 (dt.date(2028, 1, 1), 100.0)))})  # fmt: skip
    assert effects.volume(half, "conversations", 2026) == (33.0, 0.0)  # just within half a case
    short = next(one for one in effects.EFFECTS if one.row == "conversations_shortened")
    share = book.value("functions.conversations_shortened")
    assert effects.affected(far, short, 2026) == pytest.approx((100.0 * share, 0.5 * share))
    value, doubt = effects.saving(far, "conversations", 2026)
    cost = book.value("business_case.cost_per_client")
    away, part = book.value("functions.conversations_not_to_ggz"), book.value("business_case.shortened_saving")
    assert value == pytest.approx(cost * 100.0 * (away + share * part))
    assert doubt == pytest.approx(cost * 0.5 * (away + share * part))
    clients, doubt = effects.freed_clients(far, 2026)
    rows = [effects.affected(far, one, 2026) for one in effects.EFFECTS]
    assert (clients, doubt) == pytest.approx((sum(x for x, _ in rows), sum(x for _, x in rows)))
    assert [one.step for one in effects.EFFECTS] == [0.1, 0.1, 1.0, 0.1, 0.1, 0.1]


def test_costs_of_the_network_by_hand() -> None:
    book = load_figures()
    share = book.value("business_case.share_of_national_costs")
    national = book.value("business_case.coordination_national")
    years = book.value("business_case.ramp_years")
    assert costs.network_cost_line(book, "coordination", 2025) is None
    for year in (2026, 2027, 2028, 2035):
        grown = min(1.0, (year - 2025) / years)
        assert costs.network_cost_line(book, "coordination", year) == pytest.approx(share * national * grown)
    price = book.value("business_case.conversation_cost_social_domain")
    assert costs.network_cost_line(book, "conversations_social_domain", 2026) == pytest.approx(214.5 * price)
    far = with_values(book, functions__conversations=100.0)
    freed, doubt = effects.freed_clients(far, 2026)
    each = book.value("business_case.share_to_social_domain") * book.value(
        "business_case.social_domain_cost_per_client"
    )
    assert doubt > 0.0
    assert costs.substitution(far, 2026) == pytest.approx((freed * each, doubt * each))
    points = book.value("functions.support_points", 2026) * book.value("business_case.support_point_cost")
    assert costs.support_points(book, 2026) == points


def test_cells_that_are_empty_count_nothing() -> None:
    book = load_figures()
    years = book.figure("investment.printed_external_support").years
    assert investment._on(book, "printed_external_support", years[0]) > 0.0
    assert investment._on(book, "printed_external_support", years[-1] + 1) == 0.0
    assert investment._on(book, "printed_external_support", years[0] - 1) == 0.0


@pytest.mark.parametrize(
    ("month", "after", "earliest"),
    [(6, 9, "2026-03-01"), (3, 9, "2025-12-01"), (4, 9, "2026-01-01"), (12, 12, "2026-12-01"), (1, 1, "2025-02-01"),
     (12, 1, "2026-01-01"), (12, 13, "2027-01-01")],
)  # fmt: skip
def test_the_earliest_evaluation(month: int, after: int, earliest: str) -> None:
    """So many months after the start, across one new year or two; and months that are left after the first."""
    book = with_values(load_figures(), functions__evaluation_after_start=float(after))
    kpis = tuple(replace(one, date=dt.date(2025, month, 1)) if one.nr == "6a" else one for one in load_kpis())
    evaluation, running = payments.check_pilot(book, kpis)
    assert evaluation.recomputed == earliest
    assert running.recomputed == 12 - month
    assert running.printed == 12


@pytest.mark.parametrize(
    ("printed", "elsewhere", "cause"),
    [((2025, 6, 30), (2026, 6, 30), "year_differs"), ((2025, 6, 30), (2025, 12, 31), "half_year_differs"),
     ((2025, 6, 30), (2026, 6, 29), "half_year_differs"), ((2025, 6, 30), (2026, 7, 30), "half_year_differs")],
)  # fmt: skip
def test_what_differs_in_a_date(printed: tuple[int, int, int], elsewhere: tuple[int, int, int], cause: str) -> None:
    assert payments._date_cause(dt.date(*printed), dt.date(*elsewhere)) == cause


def test_money_of_some_years_in_order() -> None:
    book = load_figures()
    done = {2030: Volumes(0, 5, 0, 0, support_points=2), 2026: Volumes(10, 0, 20, 0, support_points=0)}
    first, last = money(book, done)
    assert (first.year, last.year) == (2026, 2030)
    share = book.value("business_case.share_to_social_domain") * book.value(
        "business_case.social_domain_cost_per_client"
    )
    freed = 10 * book.value("functions.consultations_not_to_ggz") + 20 * book.value("functions.transfers_lighter")
    assert first.substitution == pytest.approx(freed * share)
    fixed = book.value("business_case.printed_other_functions", 2028) + book.value(
        "business_case.printed_coordination", 2028
    )
    talks = 5 * sum(book.value(f"business_case.conversation_cost_{payer}") for payer in ("ggz", "social_domain"))
    assert last.network_cost == pytest.approx(fixed + talks)
    assert last.net_effect == pytest.approx(last.gains - fixed - talks)
    assert last.net_of_social_domain == last.net_effect - last.substitution - last.support_points
    (idle,) = money(book, {2030: Volumes(0, 0, 0, 0, support_points=2)})
    assert (idle.gains, idle.network_cost, idle.substitution) == (0.0, 0.0, 0.0)  # nobody works there any more
    assert idle.support_points == last.support_points
    (half,) = money(book, {2030: Volumes(0, 5, 0, 0, support_points=2)}, entered=0.5)
    assert (half.gains, half.substitution) == pytest.approx((last.gains / 2, last.substitution / 2))
    assert half.network_cost == last.network_cost
    later, full = plan_volumes(book, 2031), plan_volumes(book, 2028)
    assert (later.conversations, later.transfers) == (full.conversations, full.transfers)
    assert full.to_social_domain is None


# ---------------------------------------------------------------- figures and files


def figure(*values: tuple[str, float]) -> Figure:
    one = load_figures()["demand.clients"]
    return replace(one, values=tuple((dt.date.fromisoformat(day), value) for day, value in values))


def test_growth_by_hand() -> None:
    made = growth(figure(("2020-01-01", 100.0), ("2021-01-01", 300.0), ("2022-01-01", 121.0)))  # 731 days
    assert made == pytest.approx(1.21 ** (365.25 / 731) - 1.0, rel=1e-12)
    for one in (figure(("2020-01-01", 100.0)), replace(figure(), values=((dt.date.min, 4.0),))):
        with pytest.raises(InputError, match="found one value; expected values at two dates or more"):
            growth(one)


def test_a_value_holds_from_its_day_to_the_next() -> None:
    one = figure(("2025-03-01", 1.0), ("2026-01-01", 2.0))
    assert one.at(dt.date(2025, 3, 1)) == 1.0
    assert one.at(dt.date(2025, 12, 31)) == one.at(2025) == 1.0
    assert one.at(dt.date(2026, 1, 1)) == one.at(2026) == 2.0
    assert one.years == (2025, 2026)
    with pytest.raises(InputError, match="found the date 2025-02-28; expected a date from 2025-03-01 on"):
        one.at(dt.date(2025, 2, 28))


def test_a_region_by_name_and_by_folder(tmp_path: Path) -> None:
    for path in ("./polder", "/data/polder", "a\\b", ".", Path("polder")):
        assert fi.is_path(path)
    assert not fi.is_path("polder")
    with pytest.raises(InputError, match=r"found 'polder'; expected one of .*; or a folder, such as ./polder"):
        load_figures("polder")
    assert load_figures() is load_figures("amstelland")
    assert len(load_figures(tmp_path)) == 0
    assert load_figures(tmp_path).region == tmp_path.name
    assert fi.read_documents(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TP = 3\n", r"sources\.toml: TP: found 3; expected a table with a title"),
        ("[TP]\ntitle = 3\n", r"sources\.toml: TP: found \{'title': 3\}; expected a table with a title"),
        ("[TP]\nname = 'x'\n", r"expected a table with a title"),
    ],
)
def test_documents_have_titles(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "sources.toml").write_text('holds = "sources"\n' + text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_figures(tmp_path)


GOOD = 'unit = "weeks"\ndate = 2024-12-01\nsource = "X"\nsection = "1"\nkind = "assumed"\n'


def test_a_file_may_say_that_it_holds_figures(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text(
        f'holds = "figures"\n[a]\nvalue = 1\nlow = 1\nhigh = 1\n{GOOD}', encoding="utf-8"
    )
    (tmp_path / "note.txt").write_text("no figures", encoding="utf-8")
    book = load_figures(tmp_path)
    assert list(book) == ["theme.a"]
    one = book["theme.a"]
    assert (one.low, one.high, one.date, one.note, one.taken_from) == (1.0, 1.0, "2024-12-01", "", "")
    assert str(one.source) == "X, 1"
    (tmp_path / "theme.toml").write_text(f"[a]\nvalue = 1\nlow = 0\nhigh = 1\n{GOOD}[holds]\nx = 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"theme\.toml: holds: found \{'x': 1\}; expected it on the first line"):
        load_figures(tmp_path)
    (tmp_path / "theme.toml").write_text(f"[a]\nvalue = {{}}\nlow = 0\nhigh = 1\n{GOOD}", encoding="utf-8")
    with pytest.raises(InputError, match="found an empty table; expected a number, or a number per date"):
        load_figures(tmp_path)


def test_what_a_region_takes_over(tmp_path: Path) -> None:
    """Its own figures first; rates of the other region's municipalities never; each with where it comes from."""
    (tmp_path / "region.toml").write_text(
        'holds = "region"\nfigures_from = "amstelland"\n[[municipalities]]\ncode = "polder"\n', encoding="utf-8"
    )
    with pytest.raises(
        InputError, match=r"region .*: population\.region: found nothing; expected \[region\] in population"
    ):
        load_figures(tmp_path)
    own = [*fi.REGIONAL, "population.polder"]
    for theme in {key.partition(".")[0] for key in own}:
        names = [key.partition(".")[2] for key in own if key.startswith(theme + ".")]
        text = "".join(f"[{name}]\nvalue = 5\nlow = 4\nhigh = 6\n{GOOD}" for name in names)
        (tmp_path / f"{theme}.toml").write_text(text, encoding="utf-8")
    book, other = load_figures(tmp_path), load_figures()
    assert book.value("population.polder") == 5.0
    assert all(book[key].taken_from == "" for key in own)
    assert not [key for key in book if key.startswith("demand.clients_per_10000_") and key not in own]
    assert [key for key in other if key.startswith("demand.clients_per_10000_") and key not in own]
    taken = book["gp.consults_mental"]
    assert taken.taken_from == "amstelland"
    assert taken.values == other["gp.consults_mental"].values
    assert taken.source.section == other["gp.consults_mental"].source.section + " (taken over from amstelland)"
    (tmp_path / "population.toml").write_text(f"[region]\nvalue = 5\nlow = 4\nhigh = 6\n{GOOD}", encoding="utf-8")
    with pytest.raises(InputError, match=r"population\.polder: found nothing; expected \[polder\] in population\.toml"):
        load_figures(tmp_path)
    for wrong in ("3", '"./elsewhere"'):
        (tmp_path / "region.toml").write_text(f'holds = "region"\nfigures_from = {wrong}\n', encoding="utf-8")
        with pytest.raises(InputError, match=r"figures_from: found .*; expected the name of a region that ships"):
            load_figures(tmp_path)


TARGET = '[target.clients]\nfigure = "demand.clients"\nerror = 65\ndiscrepancy = 195\nbecause = "a reason"\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[flat.demand]\nsmi = 3\n" + TARGET, r"flat\.demand\.smi: found 3; expected a table"),
        ("[flat]\ndemand = 3\n" + TARGET, r"flat\.demand: found 3; expected a table"),
        ('[flat.demand.smi]\nlow = 1\nhigh = 1\nbecause = "b"\n' + TARGET, r"found 1 to 1; expected low < high"),
        ('[flat.demand.smi]\nlow = 1\nbecause = "b"\n' + TARGET, r"found no high; expected a table with bec"),
        ('[flat.demand.x]\nlow = 1\nhigh = 2\nbecause = "b"\n' + TARGET, r"flat\.demand\.x: found the key 'demand\.x'"),
        ('[shared.a]\ncorrelation = -0.1\nbecause = "b"\n' + TARGET, r"found -0\.1; expected a number from 0 to 0"),
        ('[shared.a]\ncorrelation = true\nbecause = "b"\n' + TARGET, r"correlation: found True"),
        (TARGET + "at_least = 1\n", r"target\.clients\.at_least: found 1; expected true or false"),
        (TARGET + 'weighs = "no"\n', r"target\.clients\.weighs: found 'no'"),
        (TARGET + "colour = 1\n", r"expected only at_least, because, discrepancy, error, figure, growth, quantity"),
        (TARGET.replace("195", "-1"), r"discrepancy: found -1; expected a number from 0 to inf"),
        (TARGET + 'shares = ["g"]\n', r"target\.clients\.shares: found \['g'\]; expected a name of shared"),
        (TARGET + "quantity = 3\n", r"quantity: found 3; expected a text"),
        ("flat = 3\n" + TARGET, r"calibration\.toml: flat: found 3; expected a table"),
        ("shared = 3\n" + TARGET, r"calibration\.toml: shared: found 3; expected a table"),
        ("target = 3\n", r"calibration\.toml: target: found 3; expected a table"),
        ("", r"found no target that weighs; expected at least one"),
    ],
)  # fmt: skip
def test_a_calibration_that_is_not_complete(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "calibration.toml").write_text('holds = "calibration"\n' + content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_observed(tmp_path, load_figures())


def test_a_calibration_that_says_everything(tmp_path: Path) -> None:
    text = (
        'holds = "calibration"\n[flat.demand.smi]\nlow = -1\nhigh = 2\nbecause = "f"\n'
        '[shared.g]\ncorrelation = 0\nbecause = "s"\n' + TARGET
        + 'quantity = "q"\ngrowth = true\nat_least = true\nweighs = true\nshares = "g"\n'
        + TARGET.replace("clients]", "other]").replace("error = 65", "error = 0") + "weighs = false\n"
    )  # fmt: skip
    (tmp_path / "calibration.toml").write_text(text, encoding="utf-8")
    found = load_observed(tmp_path, load_figures())
    (flat,), (first, second) = found.flat, found.targets
    assert (flat.key, flat.low, flat.high, flat.because) == ("demand.smi", -1.0, 2.0, "f")
    assert found.correlation == {"g": 0.0}
    assert (first.name, first.quantity, first.growth, first.at_least, first.weighs, first.shares) == (
        "clients", "q", True, True, True, "g"
    )  # fmt: skip
    assert (second.quantity, second.growth, second.at_least, second.weighs, second.shares) == (
        "other", False, False, False, ""
    )  # fmt: skip
    assert (second.error, second.discrepancy, second.deviation) == (0.0, 195.0, 195.0)
    assert replace(first, stated=0.0).value(load_figures()) == 0.0


KPI = (
    '[[kpi]]\nnr = "1"\nkind = "R"\ntext_date = 2025-01-01\ndate = 2025-02-01\nkind_payment = "I"\n'
    "date_payment = 2025-03-01\npaid_after = 2025-04-01\namount = 5\n"
)


def test_kpis_are_numbered_from_one_when_one_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"region .*: found no kpis\.toml; expected a file with the KPIs of the plan"):
        load_kpis(tmp_path)
    path = tmp_path / "kpis.toml"
    path.write_text('holds = "kpis"\n' + KPI, encoding="utf-8")
    (one,) = load_kpis(tmp_path)
    assert (one.nr, one.kind, one.kind_payment, one.amount) == ("1", "R", "I", 5)
    assert (one.date, one.paid_after) == (dt.date(2025, 2, 1), dt.date(2025, 4, 1))
    for wrong, message in (
        (KPI.replace("amount = 5", "amount = 5.5"), r"kpis\.toml: entry 2\.amount: found 5\.5; expected a int"),
        (KPI.replace("amount = 5\n", ""), r"entry 2\.amount: found None"),
        (KPI.replace("amount = 5", "amount = true"), r"entry 2\.amount: found True; expected a int"),
        (KPI.replace("\ndate = 2025-02-01", "\ndate = 2025-02-01T00:00:00"), r"entry 2\.date: found datetime"),
        (KPI + "colour = 1\n", r"kpis\.toml: entry 2: found the attribute 'colour'; expected only nr, kind"),
    ):
        path.write_text('holds = "kpis"\n' + KPI + wrong, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            load_kpis(tmp_path)
    for content in ("kpi = 3\n", "kpi = [3]\n"):
        path.write_text('holds = "kpis"\n' + content, encoding="utf-8")
        with pytest.raises(InputError, match=r"kpis\.toml: kpi: found .*3.*; expected tables, each under \[\[kpi\]\]"):
            load_kpis(tmp_path)


PROMISE = (
    '[a]\nquantity = "diversion"\nvalue = 3\ncomparison = ">="\ndate = 2028-12-31\nunit = "u"\n'
    'source = "TP"\nsection = "1"\n'
)


def test_promises_as_they_are_read(tmp_path: Path) -> None:
    assert not has_targets(tmp_path)
    assert has_targets("amstelland")
    path = tmp_path / "targets.toml"
    (tmp_path / "sources.toml").write_text('holds = "sources"\n[TP]\ntitle = "The plan"\n', encoding="utf-8")
    path.write_text('holds = "targets"\n' + PROMISE + 'baseline = 2024-01-01\nnote = "n"\n', encoding="utf-8")
    (one,) = load_targets(tmp_path)
    assert (one.id, one.quantity, one.value, one.comparison, one.unit, one.note) == (
        "a",
        "diversion",
        3.0,
        ">=",
        "u",
        "n",
    )
    assert (one.date, one.baseline) == (dt.date(2028, 12, 31), dt.date(2024, 1, 1))
    assert str(one.source) == "The plan, 1"
    assert (one.met(3.0), one.met(2.99), one.met(3.01), one.met(float("nan"))) == (True, False, True, False)
    less = replace(one, comparison="<=")
    assert (less.met(3.0), less.met(2.99), less.met(3.01)) == (True, True, False)
    path.write_text(PROMISE, encoding="utf-8")
    assert (load_targets(tmp_path)[0].baseline, load_targets(tmp_path)[0].note) == (None, "")
    for wrong, message in (
        (PROMISE.replace("= 3", "= true"), r"targets\.toml: a\.value: found True; expected a number"),
        (PROMISE.replace('">="', '"="'), r"a\.comparison: found '='; expected one of >=, <="),
        (PROMISE.replace('"u"', '" "'), r"a\.unit: found ' '; expected a text that is not empty"),
        (PROMISE.replace('"diversion"', "3"), r"a\.quantity: found 3; expected a text"),
        (PROMISE.replace("2028-12-31", '"2028-12-31"'), r"a\.date: found '2028-12-31'; expected a date, YYYY-MM-DD"),
        (PROMISE + "x = 1\n", r"a: found the attribute 'x'; expected only quantity, value"),
        ("a = 3\n", r"targets\.toml: a: found 3; expected a table with quantity, value"),
        (PROMISE.replace("value = 3\n", ""), r"a: found no value; expected a target with quantity, value"),
    ):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            load_targets(tmp_path)
