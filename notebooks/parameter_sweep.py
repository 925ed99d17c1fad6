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
# # A parameter sweep
#
# How much must be diverted to clear the lists, when demand grows faster or slower? A grid of two figures, and at every
# point the same futures: the same unknowns and the same luck, so that points differ by their levels alone. `flowsim
# sweep FILE` runs the same thing from a file, on a cluster if need be, and goes on where it was (`docs/cluster.md`).
#
# With 16 futures a point this is coarse, so that the notebook takes seconds; the intervals say how coarse.

# %%
import matplotlib.pyplot as plt

import flowsim

experiment = {
    "title": "Growth of demand against the diverted share",
    "asks": "Where does P(cleared) turn?",
    "scenario": "../experiments/diversion_10",
    "outcomes": ["cleared", "waiting_2029", "mean_wait_2029"],
    "futures": 16,
    "seed": 1,
    "design": {"kind": "grid"},
    "factors": {
        "functions.diversion": {"values": [0.0, 0.1, 0.2, 0.3]},
        "assumptions.demand_growth": {"low": -0.01, "high": 0.03, "steps": 5},
    },
}
points = flowsim.sweep(experiment)
points.head(6).round(3)

# %% [markdown]
# The probability that the lists are cleared by the end of 2029.

# %%
cleared = points[points["outcome"] == "cleared"]
grid = cleared.pivot_table(index="functions.diversion", columns="assumptions.demand_growth", values="mean")
figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
image = axes.imshow(grid, origin="lower", aspect="auto", cmap="viridis", vmin=0, vmax=1)
axes.set_xticks(range(len(grid.columns)), [f"{100 * value:g}%" for value in grid.columns])
axes.set_yticks(range(len(grid.index)), [f"{100 * value:g}%" for value in grid.index])
for row, values in enumerate(grid.to_numpy()):
    for column, value in enumerate(values):
        colour = "white" if value < 0.6 else "black"
        axes.text(column, row, f"{100 * value:.0f}%", ha="center", va="center", color=colour)
axes.set(xlabel="growth of demand a year", ylabel="share diverted", title="Probability that the lists are cleared")
figure.colorbar(image, label="probability")
plt.show()

# %% [markdown]
# With intervals, for three rates of growth. Where they overlap, more futures are needed before one may say more.

# %%
figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
for shift, growth in zip((-0.4, 0.0, 0.4), (-0.01, 0.01, 0.03), strict=True):
    line = cleared[(cleared["assumptions.demand_growth"] - growth).abs() < 1e-9]
    x = 100 * line["functions.diversion"] + shift
    axes.errorbar(
        x,
        line["mean"],
        [line["mean"] - line["low"], line["high"] - line["mean"]],
        marker="o",
        capsize=3,
        label=f"{100 * growth:+g}% a year",
    )
axes.set(xlabel="share diverted, %", ylabel="P(cleared)", ylim=(-0.03, 1.03), title="95% intervals, 16 futures a point")
axes.legend(title="demand", frameon=False)
plt.show()

# %% [markdown]
# Other designs: `latin_hypercube`, `sobol` and `one_at_a_time` (`flowsim schema experiment`). One factor at a time
# comes with paired differences from the base.

# %%
one_by_one = flowsim.sweep(
    {
        "title": "One at a time",
        "asks": "Which of these moves the list?",
        "scenario": "../experiments/plan",
        "outcomes": ["waiting_2029"],
        "futures": 16,
        "seed": 1,
        "design": {"kind": "one_at_a_time"},
        "factors": {
            "functions.conversations": {"values": [0.5, 2.0], "multiple": True},
            "assumptions.demand_growth": {"values": [0.0, 0.02]},
            "assumptions.staff_growth": {"values": [-0.01, 0.01]},
        },
    }
)
factors = ["functions.conversations", "assumptions.demand_growth", "assumptions.staff_growth"]
one_by_one[[*factors, "mean", "difference", "difference_low", "difference_high"]].round(3)
