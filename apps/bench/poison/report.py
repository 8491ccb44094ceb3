"""What was measured of planted memories as Markdown."""

from __future__ import annotations

from hippocam.apps.bench.poison.results import PoisonResult


def table(result: PoisonResult) -> str:
    """The result as Markdown."""
    ways = list(dict.fromkeys(each.by for each in result.tried))
    tries = max((each.tries for each in result.tried), default=0)
    lines = [
        f"Clips: {', '.join(result.clips)}; seeds {', '.join(map(str, result.seeds))}; {tries} questions an "
        "attack. Share of attacks that succeeded, with plain recall and with the defence: what was planted is the "
        "answer, or hides it. *Gullible* readers believe whatever they read; what they say goes through the "
        "checks that every model's reply goes through.",
        "",
        "| attack | " + " | ".join(ways) + " |",
        "|---" * (len(ways) + 1) + "|",
    ]
    cells = {(each.attack, each.by): f"{each.before:.0%} → {each.after:.0%}" for each in result.tried}
    for attack in dict.fromkeys(each.attack for each in result.tried):
        lines.append(f"| {attack} | " + " | ".join(cells.get((attack, way), "") for way in ways) + " |")
    lines.append("| **all** | " + " | ".join(_all(result, way) for way in ways) + " |")
    lines += [
        "",
        "Where nobody attacks:",
        "",
        "| asked | questions | plain recall | with the defence |",
        "|---|---|---|---|",
    ]
    lines += [f"| {c.what} | {c.tries} | {c.before:.3f} | {c.after:.3f} |" for c in result.costs]
    return "\n".join(lines)


def _all(result: PoisonResult, way: str) -> str:
    """The share of all attacks that succeeded by one way, before and after."""
    own = [each for each in result.tried if each.by == way]
    tries = sum(each.tries for each in own)
    before = sum(each.tries * each.before for each in own) / tries
    after = sum(each.tries * each.after for each in own) / tries
    return f"**{before:.1%} → {after:.1%}**"
