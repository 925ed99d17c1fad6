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
# # First steps
#
# A queue of your own, the region Amstelland, and what happens to one resident. Everything here is a public name of
# `flowsim` (`docs/api.md`); the tables are pandas.

# %% [markdown]
# ## A clinic
#
# Two people come a day, three can be helped at the same time, each for 1.2 days on average. Who waits too long gives
# up. `flowsim schema network` tells what else a network can say.

# %%
import matplotlib.pyplot as plt

import flowsim

clinic = flowsim.Network.from_dict(
    {
        "title": "A clinic",
        "horizon": 2000.0,
        "warm_up": 200.0,
        "snapshot_every": 10.0,
        "classes": ["adult"],
        "stations": [
            {
                "name": "clinic",
                "servers": 3,
                "service": {"distribution": "exponential", "mean": 1.2},
                "patience": {"distribution": "exponential", "mean": 30.0},
            }
        ],
        "arrivals": [{"class": "adult", "station": "clinic", "rate": 2.0}],
    }
)
out = flowsim.simulate(clinic, replications=50, seed=1)
out.summary().round(3)

# %% [markdown]
# The same seed gives the same numbers, on any number of threads and on both engines. Three of the fifty replications,
# and the mean of all of them:

# %%
waiting = out.waiting
figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
for replication in range(3):
    one = waiting[waiting["replication"] == replication]
    axes.plot(one["time"], one["waiting"], linewidth=0.6, alpha=0.6, label=f"replication {replication}")
mean = waiting.groupby("time")["waiting"].mean()
axes.plot(mean.index, mean, color="black", linewidth=1.6, label="mean of 50")
axes.set(xlabel="day", ylabel="people waiting", title="One queue, three lives, and what is usual", ylim=(0, None))
axes.legend(frameon=False, ncols=4)
plt.show()

# %% [markdown]
# What does a fourth place bring? Both networks have the same residents with the same luck, so the difference is known
# better than either number.

# %%
larger = dict(clinic.document)
larger["stations"] = [{**clinic.document["stations"][0], "servers": 4}]
more = flowsim.simulate(flowsim.Network.from_dict(larger), replications=50, seed=1)
gain = out.stations["mean_wait"] - more.stations["mean_wait"]
f"{gain.mean():.2f} days less waiting (standard error {gain.sem():.3f} over {len(gain)} pairs)"

# %% [markdown]
# ## The region
#
# Amstelland as the plan describes it, with every unknown at its most likely value, once: five years and half a year.
# `flowsim.answer` does this for hundreds of futures with other values and other luck (see the notebook `answer`).

# %%
scenario = flowsim.load_scenario()
region = flowsim.load_region(scenario.region)
amstelland = flowsim.compile_scenario(scenario)
run = flowsim.simulate(amstelland, replications=1, seed=1, log=True)
len(amstelland.station_names), round(amstelland.expected_arrivals), len(run.events)

# %%
programmes = [programme.name for programme in region.programmes]
lists = run.waiting[run.waiting["station"].isin(programmes)]
total = lists.groupby("time")[["waiting", "overdue"]].sum()
dates = [region.date(day) for day in total.index]
figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
axes.plot(dates, total["waiting"], label="waiting for ggz")
axes.plot(dates, total["overdue"], label="of those, longer than the norm")
axes.set(ylabel="residents", title=f"{region.name}: one future, the most likely values", ylim=(0, None))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## One resident
#
# The log has every event. Here is somebody who gave up waiting.

# %%
events = run.events
gave_up = events.loc[(events["kind"] == "renege") & (events["resident"] < 2**28), "resident"].iloc[0]
journey = events[events["resident"] == gave_up].drop(columns=["replication", "resident"])
journey.insert(0, "date", [region.date(day) for day in journey["time"]])
journey.drop(columns="time")

# %% [markdown]
# `flowsim run experiments/plan.toml --replications 1 --log log.xes --log log.csv` writes this log for process-mining
# tools, and `--animate queues.html` shows it in motion. In Python the moving picture is a plotly figure; here are the
# people in its first and last frame.

# %%
moving = flowsim.animation(run.logs[0], amstelland, region.start, "en", region)
print(moving.layout.title.text)


def dots(frame):
    return sum(len(trace.x) for trace in frame.data if trace.x is not None)


{"pictures": len(moving.frames), "dots in the first": dots(moving.frames[0]), "in the last": dots(moving.frames[-1])}
