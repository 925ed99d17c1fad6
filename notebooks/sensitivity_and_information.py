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
# # What it hangs on, and which number to measure first
#
# Nobody knows how many will give up waiting or how fast demand grows. Which of these numbers moves the outcome, and
# which is worth measuring before the region decides? `flowsim sensitivity` asks both (`docs/sensitivity.md`).
#
# 800 simulated futures here, so that the notebook takes a minute; the command takes 2,400, and the intervals say what
# that costs. The question is asked for the plan read as heads, where it is open whether the lists are cleared.

# %%
import matplotlib.pyplot as plt
import numpy as np

import flowsim

study = flowsim.sensitivity("../experiments/reading_headcount.toml", budget=800, seed=1)
tables = study.tables
sorted(tables)

# %% [markdown]
# ## The choice
#
# After the pilot year the region continues, extends (more treatment places as well) or stops. Against stopping, every
# option costs euros and wins weeks of waiting. All three are the same futures until the end of 2025.

# %%
options = tables["options"]
here = options[options["week"] == "value"].set_index("option")
here[["euros", "weeks_won", "net_benefit", "net_benefit_low", "net_benefit_high", "best_share"]].round(0)

# %% [markdown]
# What a week of waiting is worth is no measurement but a judgement of value. So it goes on the axis: which option is
# best at which value, with 95% intervals of the mean?

# %%
futures = tables["futures"].pivot(index="future", columns="option", values=["euros", "weeks_won"])
worth = np.linspace(0, 120, 61)
figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
for option, colour in (("stop", "#595959"), ("continue", "#0072B2"), ("extend", "#D55E00")):
    benefit = np.outer(futures["weeks_won"][option], worth) - futures["euros"][option].to_numpy()[:, None]
    mean = benefit.mean(axis=0) / 1e6
    reach = 1.96 * benefit.std(axis=0, ddof=1) / np.sqrt(len(benefit)) / 1e6
    axes.plot(worth, mean, color=colour, label=option)
    axes.fill_between(worth, mean - reach, mean + reach, color=colour, alpha=0.2, linewidth=0)
turn = options[options["week"] == "turn"]["euros_per_week"]
if len(turn):
    axes.axvline(turn.iloc[0], color="black", linewidth=0.8, linestyle=":")
    axes.text(
        turn.iloc[0],
        0.94,
        f" the choice turns at EUR {turn.iloc[0]:.0f}",
        transform=axes.get_xaxis_transform(),
        va="top",
    )
axes.set(xlabel="euros that a week of waiting is worth", ylabel="net benefit, million euros", title="Which option?")
axes.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# ## What a number is worth
#
# Knowing an unknown exactly before choosing is worth its EVPPI; measuring it for a quarter, with the errors that a
# measurement has, its EVSI. Where one option is surely the best, no number is worth anything: so we look where the
# choice turns.

# %%
information = tables["information"]
week = "turn" if (information["week"] == "turn").any() else "value"
near = information[information["week"] == week].head(6).iloc[::-1]
names = [name.split(".")[1].replace("_", " ") for name in near["unknown"]]
figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
rows = np.arange(len(near))
for shift, column, colour, label in (
    (0.18, "evppi", "#0072B2", "known exactly"),
    (-0.18, "evsi", "#E69F00", "measured"),
):
    value = near[column].fillna(0.0) / 1e3
    ends = [value - near[f"{column}_low"].fillna(0.0) / 1e3, near[f"{column}_high"].fillna(0.0) / 1e3 - value]
    axes.barh(rows + shift, value, 0.34, xerr=np.maximum(ends, 0.0), color=colour, label=label, capsize=2)
axes.set_yticks(rows, names)
axes.set(
    xlabel="thousand euros",
    title=f"Worth of a number, at EUR {near['euros_per_week'].iloc[0]:.0f} a week",
    xlim=(0, None),
)
axes.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# The first of these is the number to measure first. All unknowns together are worth no more than `evpi`; `clairvoyance`
# would also know chance.

# %%
tables["perfect"][["week", "euros_per_week", "best", "evpi", "evpi_low", "evpi_high", "clairvoyance"]].round(0)

# %% [markdown]
# ## What outcomes hang on
#
# First a screening (Morris): every unknown moved alone, along random paths. `mu_star` says how much it moves the number
# overdue at the end of 2029, `sigma` how much that differs from place to place.

# %%
morris = tables["morris"]
screened = morris[morris["outcome"] == "overdue_2029"].sort_values("mu_star", ascending=False)
screened[["unknown", "mu_star", "mu_star_low", "mu_star_high", "mu", "sigma"]].head(6).round(1)

# %% [markdown]
# Then shares of the variance (Sobol's total indices). From the runs themselves, where chance is an input of its own:
# unbiased, with wide intervals at so few runs. From a polynomial surface through all of them: narrow intervals, of the
# mean over chance. `held_out` is the share of futures it has not seen that the surface foretells; chance is the rest.

# %%
sobol = tables["sobol"]
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for axis, outcome in zip(axes, ("overdue_2029", "mean_wait_2029"), strict=True):
    both = sobol[sobol["outcome"] == outcome]
    surface = both[both["method"] == "surface"].sort_values("total", ascending=False).head(5)
    shown = [*surface["input"].iloc[::-1]]
    for shift, method, colour in ((0.15, "surface", "#0072B2"), (-0.15, "runs", "#E69F00")):
        one = both[both["method"] == method].set_index("input").reindex(shown)
        ends = [one["total"] - one["total_low"], one["total_high"] - one["total"]]
        axis.errorbar(
            one["total"],
            np.arange(len(shown)) + shift,
            xerr=np.maximum(ends, 0.0),
            fmt="o",
            color=colour,
            label=method,
            capsize=2,
        )
    axis.set_yticks(range(len(shown)), [name.split(".")[-1].replace("_", " ") for name in shown])
    axis.set(title=outcome.replace("_", " "), xlabel="total index (beyond 0 or 1: chance in the estimate)")
axes[0].legend(frameon=False, loc="lower right")
plt.show()

# %%
tables["surface"].round(2)

# %% [markdown]
# ## Where a promise fails
#
# A box in the unknowns in which a promise mostly fails (or, where it mostly fails, in which it holds), found on half of
# the futures and judged on the other half. `density`: how often it does so in the box, `outside`: elsewhere.

# %%
tables["promises"].round(2)

# %%
tables.get("regions", "no region: too few futures on one side, or no limit that is more than chance")

# %% [markdown]
# The last word on measuring: when counts come in, `flowsim.update` says what they change (`docs/updating.md`).
