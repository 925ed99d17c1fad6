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
# # Does diverting 10% of the demand clear the waiting lists?
#
# A coarse look: at most 24 futures of each case, so that this notebook takes seconds. `flowsim answer` asks for an
# interval of 3 percentage points either way and takes minutes.

# %%
import flowsim

answer = flowsim.answer(half_width=0.1, seed=1, curve=False, most=24)
tables = answer.tables
sorted(tables)

# %% [markdown]
# The probability that the lists are cleared by the end of 2029, without a network and under each reading of the plan,
# with 95% intervals; and the day of clearing (days from 1 January 2025; empty: not before the end).

# %%
tables["summary"].round(2)

# %% [markdown]
# People waiting and overdue at the end of each year: means over the futures.

# %%
years = tables["years"]
ends = years[years["measure"].isin(["waiting", "overdue"])]
ends.pivot_table(index=["measure", "case"], columns="year", values="mean", sort=False).round(0)

# %% [markdown]
# What each case changes against no network, future by future: the same people and the same luck, so the difference is
# known better than either number.

# %%
tables["differences"].round(1)

# %% [markdown]
# What the number overdue at the end of 2029 hangs on, under the net reading. With so few futures most intervals hold
# zero.

# %%
unknowns = tables["unknowns"]
unknowns[unknowns["case"] == "net"].head(8).round(2)

# %% [markdown]
# The same as pictures.

# %%
from io import BytesIO

from IPython.display import Image, display

for figure in flowsim.plots(answer, tables, "en").values():
    png = BytesIO()
    figure.savefig(png, format="png", dpi=150)
    display(Image(png.getvalue(), width=900))
