# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A new region in 30 minutes
#
# From an empty folder to an answer. **The region and all of its figures are MADE UP**: they show what a region takes,
# and nothing else. A real one cites a document for every number; `docs/new-region.md` tells where such numbers are.
#
# A region is a folder of small TOML files. What holds for the whole country (norms, lengths of treatment, effects per
# case) is taken over from Amstelland, and the answer says how many figures that are. What belongs to the region itself
# is never taken over: without it there is no answer.

# %%
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import pandas as pd

import flowsim

folder = Path(mkdtemp()) / "eiland"
folder.mkdir()

# %% [markdown]
# ## 1. Who and where: `region.toml`
#
# Municipalities, and programmes: each a queue of its own for one group of patients.

# %%
_ = (folder / "region.toml").write_text(
    """holds = "region"

# MADE UP
name = "Eiland (verzonnen)"
start = 2025-01-01
figures_from = "amstelland"

municipalities = [
    { code = "haven", name = "Haven", has_support_point = true },
    { code = "duin", name = "Duin", support_point_opens = 2026-01-01 },
]

programmes = [
    { name = "basic_a", provider = "A (verzonnen)", level = "basic", groups = ["light"] },
    { name = "personality_a", provider = "A (verzonnen)", level = "specialist", groups = ["personality"] },
    { name = "trauma_a", provider = "A (verzonnen)", level = "specialist", groups = ["trauma"] },
    { name = "somatic_a", provider = "A (verzonnen)", level = "specialist", groups = ["somatic_symptom"] },
    { name = "other_a", provider = "A (verzonnen)", level = "specialist", groups = ["other"] },
    { name = "smi_a", provider = "A (verzonnen)", level = "specialist", groups = ["smi"] },
]
""",
    encoding="utf-8",
)

# %% [markdown]
# Without figures there is no region. The message says which one is missed first, and what it needs.


# %%
def message():
    """What flowsim says about the folder as it is now."""
    try:
        scenario = flowsim.load_scenario(folder)
    except flowsim.InputError as error:
        return str(error)
    own = sum(1 for figure in scenario.book.values() if not figure.taken_from)
    return f"usable: {own} figures of its own, {len(scenario.book) - own} taken over"


message()

# %% [markdown]
# ## 2. The figures
#
# One table per figure: value, unit, the date on which it was measured, the document and the section where it stands,
# and whether it is `published`, `derived` or `assumed`. An assumption has a range. In the middle of all that are some
# twenty numbers.

# %%
FIGURE = """
[{name}]
value = {value}
unit = "{unit}"
date = "2024"
source = "MADE UP, no document"
section = "none"
kind = "{kind}"
{rest}"""


def write(theme, *figures):
    """A file of figures: (name, value, unit), or (name, value, unit, low, high) for an assumption."""
    text = "# MADE UP\n"
    for name, value, unit, *ends in figures:
        rest = f"low = {ends[0]}\nhigh = {ends[1]}\n" if ends else ""
        kind = "assumed" if ends else "published"
        text += FIGURE.format(name=name, value=value, unit=unit, kind=kind, rest=rest)
    (folder / f"{theme}.toml").write_text(text, encoding="utf-8")


write(
    "population",
    ("region", "{ 2023 = 95_000, 2040 = 96_000 }", "persons"),
    ("haven", "60_000", "persons"),
    ("duin", "35_000", "persons"),
)
write(
    "demand",
    ("clients", "3_300", "adults in ggz in a year"),
    ("clients_per_10000_other", "347", "ggz clients per 10,000 inhabitants"),
    ("inflow", "1_650", "new ggz trajectories a year"),
    ("smi", "760", "persons with severe mental illness (EPA)"),
)
write(
    "waiting",
    ("personality", "26", "weeks"),
    ("trauma", "24", "weeks"),
    ("somatic_symptom", "19", "weeks"),
)
write("assumptions", ("list_size", "420", "residents waiting for ggz on 2025-01-01", 330, 640))
message()

# %% [markdown]
# What the network is going to do is the region's own plan, so it is asked for too.

# %%
write(
    "functions",
    ("consultations", "{ 2025 = 40, 2026 = 80, 2027 = 160, 2028 = 240 }", "cases a year"),
    ("conversations", "{ 2025 = 30, 2026 = 120, 2027 = 240, 2028 = 360 }", "conversations a year"),
    ("transfers", "{ 2025 = 15, 2026 = 55, 2027 = 120, 2028 = 180 }", "waiting-list cases a year"),
    ("case_conferences", "{ 2025 = 15, 2026 = 50, 2027 = 105, 2028 = 155 }", "patients in a case conference a year"),
    ("support_points", "{ 2025 = 0, 2026 = 1 }", "support points that the plan opens"),
    ("support_point_users", "{ 2026 = 80, 2027 = 120 }", "users of the new support points a year"),
)
message()

# %% [markdown]
# A figure that cites nothing is refused, whatever its value:

# %%
good = (folder / "waiting.toml").read_text(encoding="utf-8")
(folder / "waiting.toml").write_text(good.replace('source = "MADE UP, no document"\n', "", 1), encoding="utf-8")
said = message()
(folder / "waiting.toml").write_text(good, encoding="utf-8")
said

# %% [markdown]
# ## 3. Does the first day stand?
#
# The places are not in a document: they follow from clients, inflow, waits and the size of the list, when these belong
# together. Without a network, growth or imbalance the region should stay where it started.

# %%
answer = flowsim.answer(str(folder), half_width=0.1, seed=1, curve=False, most=24)
tables = answer.tables
first_day = tables["calibration"][["target", "kind", "value", "simulated", "low", "high", "stands", "unit"]]
first_day.head(12).round(1)

# %% [markdown]
# ## 4. The answer (of a region that does not exist)

# %%
shown = tables["summary"][["case", "futures", "cleared", "cleared_low", "cleared_high", "wait_ratio"]]
shown.round(2)

# %%
fan = tables["fan"]
start = pd.Timestamp(flowsim.load_region(str(folder)).start)
figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained", sharex=True)
for axis, measure in zip(axes, ("waiting", "overdue"), strict=True):
    for case, colour in (("none", "tab:gray"), ("net", "tab:blue")):
        one = fan[(fan["case"] == case) & (fan["measure"] == measure)]
        days = start + pd.to_timedelta(one["day"], unit="D")
        axis.fill_between(days, one["q05"], one["q95"], alpha=0.2, color=colour, linewidth=0)
        axis.plot(days, one["q50"], color=colour, label={"none": "no network", "net": "network, net reading"}[case])
    axis.set(title=measure, ylabel="residents", ylim=(0, None))
axes[0].legend(frameon=False)
figure.suptitle("Eiland (MADE UP): median and 90% of the futures")
plt.show()

# %% [markdown]
# From here on everything works as for Amstelland: `flowsim answer FOLDER`, `flowsim run FOLDER --animate queues.html`,
# and scenarios that say `region = "FOLDER"`. `flowsim crate` keeps the folder with the results, so that somebody else
# gets the same numbers.

# %%
scenario_file = folder.parent / "more_conversations.toml"
scenario_file.write_text(
    """
title = "Twice as many conversations (MADE UP region)"
region = "./eiland"

[figures."functions.conversations"]
value = { 2025 = 60, 2026 = 240, 2027 = 480, 2028 = 720 }
because = "what if"
""",
    encoding="utf-8",
)
base_file = folder.parent / "base.toml"
base_file.write_text('title = "The plan (MADE UP region)"\nregion = "./eiland"\n', encoding="utf-8")
compared = flowsim.compare([str(base_file), str(scenario_file)], futures=16, seed=1).tables["differences"]
compared[(compared["measure"] == "waiting")][["case", "against", "year", "difference", "low", "high"]].round(0)
