"""Looks for the smallest round that still differs: with fewer calls, steps, alterations and statements of its set-up. Each
attempt is made in fresh databases."""

from dataclasses import replace


def without(items, place, count):
    return items[:place] + items[place + count:]


def shorter_lists(items):
    """The list without each of its halves, then without each of its quarters, and so on."""
    count = max(1, len(items) // 2)
    while True:
        for place in range(0, len(items), count):
            yield without(items, place, count)
        if count == 1:
            return
        count //= 2


def shrink_field(plan, name, differs):
    """Shortens a list of the plan as long as the round still differs."""
    again = True
    while again:
        again = False
        for shorter in shorter_lists(getattr(plan, name)):
            smaller = replace(plan, **{name: shorter})
            if differs(smaller):
                plan, again = smaller, True
                break
    return plan


def smallest(plan, differs):
    first = differs(plan)
    if not first:
        return "  the round does not differ when it is played alone: it needs what earlier rounds left"
    for name in ("trials", "steps", "alterations", "steps", "setup"):
        plan = shrink_field(plan, name, differs)
    lines = ["  smallest round that differs:"]
    lines += [f"    set-up: {sql}" for sql in plan.setup]
    lines += [f"    {sql}" for alteration in plan.alterations for sql in alteration.apply]
    lines += [f"    session {step.session}: {step.kind} {step.sql}" for step in plan.steps]
    lines += [f"    both ways: {sql}" for sql in plan.trials]
    return "\n".join(lines + ["  gives:"] + ["    " + text for text in differs(plan)])
