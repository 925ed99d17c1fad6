"""The steps of the fluid, compiled, over the tables of `flowsim.engines.fluid_world`.

``i`` is a future, ``j`` a step, ``s`` a station that matters, ``c`` a cell.
"""

from __future__ import annotations

from typing import Any

from flowsim.engines.fluid_plan import BY_SHARE, COMPLETION, FULL, REVIEW, TO_CELL
from flowsim.engines.fluid_world import (
    arcs,
    arriving,
    cells,
    clocks,
    columns,
    concerned,
    courses,
    desk_released,
    desks,
    entries,
    epochs,
    found,
    future,
    kernel,
    leaving,
    lengths,
    levels,
    members,
    numbers,
    others,
    outs,
    places,
    rows,
    rules,
    rung,
    serving_first,
    thin,
    thresholds,
    waiting_first,
    ways,
)
from flowsim.model.compiling import compiled, inlined_step, step

TINY = 1e-9


@step
def _soonest(w: Any, first: Any, count: Any) -> Any:
    """Cell of the member of a pool where the shortest wait is expected, the first of equals; -1 when there is none."""
    soonest = -1
    for m in range(first, first + count):
        cell = members(w, m).cell
        if cell >= 0 and (
            soonest < 0 or places(w, cells(w, cell).station).expected < places(w, cells(w, soonest).station).expected
        ):
            soonest = cell
    return soonest


@inlined_step
def _arrive(w: Any, arc: Any, amount: Any, weight: Any) -> Any:
    """Bring an amount (and its factor times it) along an arc to a cell, or to the members of a pool."""
    rule, to, count = arcs(w, arc).rule, arcs(w, arc).to, arcs(w, arc).count
    if rule == TO_CELL:
        cells(w, to).inflow += amount
        cells(w, to).inflow_weight += weight
        return
    soonest = _soonest(w, to, count)
    if rule != BY_SHARE:
        cells(w, soonest).inflow += amount
        cells(w, soonest).inflow_weight += weight
        return
    for m in range(to, to + count):
        cell = members(w, m).cell
        if cell < 0:
            continue
        stays = members(w, m).share
        if (
            places(w, cells(w, cell).station).expected > places(w, cells(w, soonest).station).expected
        ):  # a second place is reached first
            moves = stays * arcs(w, arc).second_list
            cells(w, soonest).inflow += moves * amount
            cells(w, soonest).inflow_weight += moves * weight
            stays -= moves
        cells(w, cell).inflow += stays * amount
        cells(w, cell).inflow_weight += stays * weight


@step
def _send(w: Any, i: Any, s: Any, completion: Any) -> Any:
    """Send on what leaves a station's cells in this step; what no arc takes has left the network."""
    for kind in range(3):  # given up, from a full queue, served
        row = kind if kind <= FULL else completion
        for c in range(places(w, s).cell_first, places(w, s).cell_last):
            amount, weight = outs(w, kind, c).amount, outs(w, kind, c).weight
            outs(w, kind, c).amount = 0.0
            outs(w, kind, c).weight = 0.0
            if amount <= 0.0:
                continue
            for arc in range(rows(w, row, c).first, rows(w, row, c).last):
                p = ways(w, i, arc).chance
                _arrive(w, arc, amount * p, weight * p * ways(w, i, arc).factor)


@step
def _complete(w: Any, i: Any, j: Any, s: Any) -> Any:
    """Services that end in this step, of those who were there at its beginning; they go on at the end of the step."""
    gone = leaving(w, s, j).amount
    leaving(w, s, j).amount = 0.0
    if places(w, s).memoryless:
        gone = (
            levels(w, s, 0).inside * lengths(w, i * w.station_count + s, 0).ends
            + levels(w, s, 1).inside * lengths(w, i * w.station_count + s, 1).ends
        )
        levels(w, s, 0).inside *= 1.0 - lengths(w, i * w.station_count + s, 0).ends
        levels(w, s, 1).inside *= 1.0 - lengths(w, i * w.station_count + s, 1).ends
    total = 0.0
    for c in range(places(w, s).cell_first, places(w, s).cell_last):
        total += cells(w, c).present
    if total <= TINY:
        return
    share = min(gone / total, 1.0)
    for c in range(places(w, s).cell_first, places(w, s).cell_last):
        amount = share * cells(w, c).present
        weight = amount if places(w, s).uses_factor else share * cells(w, c).present_weight
        cells(w, c).present_weight -= share * cells(w, c).present_weight
        cells(w, c).present -= amount
        outs(w, 2, c).amount += amount
        outs(w, 2, c).weight += weight


@step
def _begin(w: Any, i: Any, j: Any, s: Any) -> Any:
    """Start what stands in ``starting`` at a station's cells; the part that also ends within the step goes on."""
    amount = weight = 0.0
    for c in range(places(w, s).cell_first, places(w, s).cell_last):
        amount += cells(w, c).starting
        weight += cells(w, c).starting_weight
    places(w, s).starts += amount
    if places(w, s).has_quota:
        places(w, s).tokens -= amount
    if amount <= 0.0:
        return
    mean = weight / amount if places(w, s).uses_factor else 1.0
    low, high = future(w, i).low, future(w, i).high
    part = min(max((mean - low) / (high - low), 0.0), 1.0) if high > low else 1.0
    at_once = 0.0
    for level in range(2):  # heavy (or as usual), light: two lengths of service with the same mean
        mine = amount * (part if level == 0 else 1.0 - part)
        if mine <= 0.0:
            continue
        now = mine * kernel(w, (i * w.station_count + s) * 2 + level, 0).part
        at_once += now
        if places(w, s).memoryless:
            levels(w, s, level).inside += mine - now
        else:
            for d in range(1, w.steps - j):
                leaving(w, s, j + d).amount += mine * kernel(w, (i * w.station_count + s) * 2 + level, d).part
    places(w, s).busy += amount - at_once
    for c in range(places(w, s).cell_first, places(w, s).cell_last):
        mine, heavy = cells(w, c).starting, cells(w, c).starting_weight
        cells(w, c).starting = 0.0
        cells(w, c).starting_weight = 0.0
        if mine <= 0.0:
            continue
        done = mine * at_once / amount
        cells(w, c).present += mine - done
        cells(w, c).present_weight += heavy * (1.0 - at_once / amount)
        outs(w, 2, c).amount += done
        outs(w, 2, c).weight += done if places(w, s).uses_factor else heavy * at_once / amount


@inlined_step
def _room(w: Any, i: Any, j: Any, s: Any) -> Any:
    """How much can start in this step: places that are or come free, and what is left of the quota."""
    if places(w, s).closed:
        return 0.0
    lasting = max(1.0 - kernel(w, (i * w.station_count + s) * 2 + 0, 0).part, 1e-6)
    room = max(courses(w, i * w.course_count + places(w, s).course, j).servers - places(w, s).busy, 0.0) / lasting
    return min(room, places(w, s).tokens) if places(w, s).has_quota else room


@step
def _plain(w: Any, i: Any, j: Any, s: Any) -> Any:
    """A station where it does not matter how long somebody has waited: one mixed queue."""
    total = 0.0
    for c in range(places(w, s).cell_first, places(w, s).cell_last):
        columns(w, c, 0).amount += cells(w, c).inflow
        columns(w, c, 0).weight += cells(w, c).inflow_weight
        cells(w, c).inflow = 0.0
        cells(w, c).inflow_weight = 0.0
        total += columns(w, c, 0).amount
    starts = min(total, _room(w, i, j, s))
    limit = 0.0 if places(w, s).closed else places(w, s).limit
    sent = max(total - starts - limit, 0.0)
    for c in range(places(w, s).cell_first, places(w, s).cell_last):
        if total > TINY:
            cells(w, c).starting = columns(w, c, 0).amount * starts / total
            cells(w, c).starting_weight = columns(w, c, 0).weight * starts / total
            away = columns(w, c, 0).amount * sent / total
            heavy = columns(w, c, 0).weight * sent / total
            columns(w, c, 0).amount = max(columns(w, c, 0).amount - cells(w, c).starting - away, 0.0)
            columns(w, c, 0).weight = max(columns(w, c, 0).weight - cells(w, c).starting_weight - heavy, 0.0)
            outs(w, 1, c).amount += away
            outs(w, 1, c).weight += heavy
    places(w, s).length = max(total - starts - sent, 0.0)


@inlined_step
def _review(w: Any, i: Any, c: Any, column: Any, desk: Any, amount: Any) -> Any:
    """A desk looks at an amount of a column: it takes its factor and keeps its place, or joins another list with the
    wait that it has."""
    s = cells(w, c).station
    weight = columns(w, c, column).weight * amount / columns(w, c, column).amount
    for arc in range(rows(w, REVIEW, c).first, rows(w, REVIEW, c).last):
        p, f = ways(w, i, arc).chance, ways(w, i, arc).factor
        rule, to, count = arcs(w, arc).rule, arcs(w, arc).to, arcs(w, arc).count
        best = to
        if rule != TO_CELL:
            best = _soonest(w, to, count)
        other = cells(w, best).station
        if other == s:
            columns(w, c, column).weight += weight * p * (f - 1.0)
        elif places(w, other).tracked:
            columns(w, c, column).amount -= amount * p
            columns(w, c, column).weight -= weight * p
            columns(w, best, column).amount += amount * p
            columns(w, best, column).weight += weight * p * f
            if column < places(w, other).head:
                places(w, other).head = column
                places(w, other).left = 1.0
        else:
            columns(w, c, column).amount -= amount * p
            columns(w, c, column).weight -= weight * p
            cells(w, best).inflow += amount * p
            cells(w, best).inflow_weight += weight * p * f


@inlined_step
def _give_up(w: Any, c: Any, column: Any, stays: Any) -> Any:
    """Part of a column gives up waiting."""
    one = columns(w, c, column)
    outs(w, 0, c).amount += (1.0 - stays) * one.amount
    outs(w, 0, c).weight += (1.0 - stays) * one.weight
    one.amount *= stays
    one.weight *= stays


@step
def _age(w: Any, i: Any, j: Any, s: Any) -> Any:
    """Those who wait get older: in half a step some give up, in a step some change, and a desk looks at some."""
    now = w.before + j
    for c in range(places(w, s).cell_first, places(w, s).cell_last):
        patience = cells(w, c).patience_table
        for column in range(places(w, s).head, now):
            amount = columns(w, c, column).amount
            if amount <= 0.0:
                continue
            if patience >= 0:
                _give_up(w, c, column, thin(w, i * w.patience_count + patience, now - column).stays)
            for k in range(cells(w, c).clock_first, cells(w, c).clock_last):
                to, desk = clocks(w, k).to, clocks(w, k).desk
                if to >= 0:
                    part = rung(w, (i * w.delay_count + clocks(w, k).table) * 2 + 0, 1).part
                    columns(w, to, column).amount += part * columns(w, c, column).amount
                    columns(w, to, column).weight += part * columns(w, c, column).weight
                    columns(w, c, column).amount -= part * columns(w, c, column).amount
                    columns(w, c, column).weight -= part * columns(w, c, column).weight
                elif desk >= 0:
                    early = 0 if column < w.before else 1
                    ringing = (
                        rung(w, (i * w.delay_count + clocks(w, k).table) * 2 + early, min(now - column, j + 1)).part
                        * columns(w, c, column).amount
                    )
                    desks(w, desk).asked += ringing
                    seen = min(ringing * desks(w, desk).granted, desks(w, desk).tokens)
                    if seen > TINY:
                        desks(w, desk).tokens -= seen
                        desks(w, desk).starts += seen
                        _review(w, i, c, column, desk, seen)


@step
def _tracked(w: Any, i: Any, j: Any, s: Any) -> Any:
    """A station where people wait with their wait: served by level, then the longest waiting first."""
    now = w.before + j
    first, last = places(w, s).cell_first, places(w, s).cell_last
    _age(w, i, j, s)
    for c in range(first, last):
        columns(w, c, now).amount += cells(w, c).inflow
        columns(w, c, now).weight += cells(w, c).inflow_weight
        cells(w, c).inflow = 0.0
        cells(w, c).inflow_weight = 0.0
        if places(w, s).closed:
            for column in range(places(w, s).head, now + 1):
                outs(w, 1, c).amount += columns(w, c, column).amount
                outs(w, 1, c).weight += columns(w, c, column).weight
                columns(w, c, column).amount = 0.0
                columns(w, c, column).weight = 0.0
    room = _room(w, i, j, s)
    begin = first
    while begin < last and room > TINY:  # cells of one level stand together, the first level first
        end = begin
        while end < last and cells(w, end).level == cells(w, begin).level:
            end += 1
        for column in range(places(w, s).head, now + 1):
            total = 0.0
            for c in range(begin, end):
                total += columns(w, c, column).amount
            if total <= 0.0:
                continue
            share = min(room / total, 1.0)
            for c in range(begin, end):
                mine, heavy = share * columns(w, c, column).amount, share * columns(w, c, column).weight
                cells(w, c).starting += mine
                cells(w, c).starting_weight += heavy
                columns(w, c, column).amount -= mine
                columns(w, c, column).weight -= heavy
            room -= share * total
            if share < 1.0:
                if end == last and column == places(w, s).head:
                    places(w, s).left *= 1.0 - share
                elif end == last:
                    places(w, s).left = 1.0 - share
                    places(w, s).head = column
                break
            if end == last:
                places(w, s).head = column + 1
                places(w, s).left = 1.0
            if room <= TINY:
                break
        begin = end
    for c in range(first, last):  # the second half of the step, for who still waits; the whole of it for who came
        patience = cells(w, c).patience_table
        for column in range(places(w, s).head, now + 1):
            if patience >= 0 and columns(w, c, column).amount > 0.0:
                _give_up(w, c, column, thin(w, i * w.patience_count + patience, now - column).stays)
    places(w, s).head = min(places(w, s).head, now)


@step
def _look(w: Any, i: Any, j: Any, s: Any) -> Any:
    """Numbers waiting and overdue at the end of step ``j - 1`` (0: at time zero)."""
    now = w.before + j  # the next column: in the last one people have waited for 0 to 1 steps
    waiting = overdue = 0.0
    for column in range(places(w, s).head, now):
        total = 0.0
        for c in range(places(w, s).cell_first, places(w, s).cell_last):
            total += columns(w, c, column).amount
        if total <= 0.0:
            if column == places(w, s).head and column < now - 1:
                places(w, s).head = column + 1
                places(w, s).left = 1.0
            continue
        waiting += total
        youngest = (now - column - 1) * w.step
        spread = w.step * (places(w, s).left if column == places(w, s).head else 1.0)
        overdue += total * min(max((youngest + spread - w.norm) / max(spread, 1e-9), 0.0), 1.0)
    places(w, s).length = waiting
    found(w, i * (w.steps + 1) + j, s).waiting = waiting
    found(w, i * (w.steps + 1) + j, s).overdue = overdue


@step
def _rules(w: Any, i: Any, j: Any) -> Any:
    """Stop rules whose moment lies in this step."""
    for r in range(w.rule_count):
        if rules(w, r).step != j:
            continue
        measure = 0.0
        for k in range(rules(w, r).first, rules(w, r).close):
            s = concerned(w, k).station
            measure += places(w, s).starts if rules(w, r).starts else places(w, s).length
        holds = measure >= thresholds(w, i, r).at if rules(w, r).at_least else measure <= thresholds(w, i, r).at
        if holds:
            for k in range(rules(w, r).close, rules(w, r).last):
                if concerned(w, k).station >= 0:
                    places(w, concerned(w, k).station).closed = True
                if concerned(w, k).desk >= 0:
                    desks(w, concerned(w, k).desk).closed = True
            for k in range(rules(w, r).other_first, rules(w, r).other_last):
                if others(w, k).station >= 0:
                    places(w, others(w, k).station).course = w.station_count + k


@compiled
def run(w: Any, i: Any) -> Any:
    """All steps of future ``i``."""
    for s in range(w.station_count):
        places(w, s).head = 0
        places(w, s).left = numbers(w, i, s).left
        places(w, s).busy = 0.0
        places(w, s).tokens = 0.0
        places(w, s).starts = 0.0
        places(w, s).closed = False
        places(w, s).course = s
        levels(w, s, 0).inside = 0.0
        levels(w, s, 1).inside = 0.0
        places(w, s).length = 0.0
        for j in range(w.steps):
            leaving(w, s, j).amount = 0.0
    for c in range(w.cell_count):
        s = cells(w, c).station
        for column in range(w.before + w.steps):
            columns(w, c, column).amount = (
                waiting_first(w, i * w.cell_count + c, column).amount if column < w.before else 0.0
            )
            columns(w, c, column).weight = columns(w, c, column).amount
        for kind in range(3):
            outs(w, kind, c).amount = 0.0
            outs(w, kind, c).weight = 0.0
        cells(w, c).inflow = 0.0
        cells(w, c).inflow_weight = 0.0
        cells(w, c).starting = 0.0
        cells(w, c).starting_weight = 0.0
        cells(w, c).present = serving_first(w, i, c).amount
        cells(w, c).present_weight = cells(w, c).present
        places(w, s).busy += cells(w, c).present
    for d in range(w.desk_count):
        desks(w, d).tokens = 0.0
        desks(w, d).starts = 0.0
        desks(w, d).granted = 0.0
        desks(w, d).asked = 0.0
        desks(w, d).closed = False
    for s in range(w.station_count):
        while places(w, s).tracked and places(w, s).head < w.before - 1:
            total = 0.0
            for c in range(places(w, s).cell_first, places(w, s).cell_last):
                total += columns(w, c, places(w, s).head).amount
            if total > 0.0:
                break
            places(w, s).head += 1
        levels(w, s, 0).inside = places(w, s).busy
        for j in range(w.steps):
            leaving(w, s, j).amount = places(w, s).busy * courses(w, i * w.course_count + s, j).residual
    for j in range(w.steps + 1):
        for s in range(w.station_count):
            if places(w, s).tracked:
                _look(w, i, j, s)
        if j == w.steps:
            break
        _rules(w, i, j)
        row = COMPLETION + epochs(w, j).epoch
        for a in range(w.entry_count):
            amount = arriving(w, i * w.entry_count + a, j).amount
            if amount > 0.0:
                _arrive(w, entries(w, a).arc, amount, amount)
        for d in range(w.desk_count):
            desks(w, d).tokens = desk_released(w, i * w.desk_count + d, j).tokens + (
                desks(w, d).tokens if desks(w, d).carries else 0.0
            )
            if desks(w, d).closed:
                desks(w, d).tokens = 0.0
            desks(w, d).granted = min(desks(w, d).tokens / desks(w, d).asked, 1.0) if desks(w, d).asked > TINY else 1.0
            desks(w, d).asked = 0.0
        for s in range(w.station_count):
            servers = courses(w, i * w.course_count + places(w, s).course, j).servers
            places(w, s).expected = (
                (places(w, s).length + 1.0) * numbers(w, i, s).mean / servers if servers > 0.0 else 1e30
            )
            if places(w, s).length <= TINY and places(w, s).busy < servers - 0.5:
                places(w, s).expected = 0.0
        for s in range(w.station_count):
            if places(w, s).has_quota:
                places(w, s).tokens = courses(w, i * w.course_count + s, j).released + (
                    places(w, s).tokens if places(w, s).carries else 0.0
                )
            before = places(w, s).busy
            _complete(w, i, j, s)
            total = 0.0
            for c in range(places(w, s).cell_first, places(w, s).cell_last):
                total += cells(w, c).present
            places(w, s).busy = min(before, total)
            if places(w, s).tracked:
                _tracked(w, i, j, s)
            else:
                _plain(w, i, j, s)
            _begin(w, i, j, s)
            _send(w, i, s, row)
