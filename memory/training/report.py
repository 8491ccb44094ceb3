"""The result of training as Markdown, and as files: the prior with its card beside it."""

from __future__ import annotations

from pathlib import Path

from hippocam.memory.bank.priors import save_prior
from hippocam.memory.training.consolidation import Trained
from hippocam.memory.training.validation import WITHOUT


def report_lines(trained: Trained) -> list[str]:
    """The result in Markdown."""
    prior, fade = trained.prior, trained.fade
    trials = {trial.name: trial for trial in trained.trials}
    lines = [
        f"{trained.streams} streams with {trained.events} events, {trained.held_out} of the streams held out. "
        f"{trained.judged} events judged, {trained.worthy:.1%} of them worth keeping. "
        f"Best after {trained.epochs} passes.",
        "",
        "AUC on held-out streams: "
        + ", ".join(f"{name} {value:.3f}" for name, value in trained.auc.items())
        + ".",
        "",
        f"Held-out streams in {len(trained.trials[0].found_P)} probes, with room for 15 % of their events:",
        "",
        "| rule | probe recall | still held | gain over no prior ± standard error |",
        "|---|---|---|---|",
    ]
    for trial in trained.trials:
        gain, noise = trial.gain_over(trials[WITHOUT])
        gained = "" if trial.name == WITHOUT else f"{100 * gain:+.1f} ± {100 * noise:.1f}"
        lines.append(
            f"| {trial.name} | {100 * trial.recall:.1f} | {100 * float(trial.held_P.mean()):.1f} | {gained} |"
        )
    verdict = (
        f"The prior is worth {prior.events:g} events: the least weight that is as good as the best."
        if prior.events
        else "The prior is given no weight: on the held-out streams it did not beat learning on the way alone."
    )
    learned = prior.fade_power == fade.fade_power and prior.fade_s == fade.fade_s
    lines += [
        "",
        verdict,
        "",
        f"Share of things met again within {fade.horizon_s:.0f} s, by seconds since they were last met "
        "(of how many):",
        "",
        "| mean strength | " + " | ".join(f"{age:.0f} s" for age in fade.ages_A) + " |",
        "|" + "---|" * (len(fade.ages_A) + 1),
    ]
    for strength, rates, counts in zip(fade.strengths_G, fade.met_GA, fade.counts_GA, strict=True):
        cells = (f"{r:.2f} ({n:.0f})" if n else "-" for r, n in zip(rates, counts, strict=True))
        lines.append(f"| {strength:.1f} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Decay fitted to that: (1 + age / ({fade.fade_s:.0f} s x strength)) ^ -{fade.fade_power:.2f}. "
        + (
            "It is used."
            if learned
            else f"It did not do better than {prior.fade_s:.0f} s and {prior.fade_power:g}, which stay."
        ),
    ]
    return lines


def write(trained: Trained, encoder_id: str, folder: Path, *, data: str, command: str, limits: str) -> list[Path]:
    """Write the prior, and its card beside it.

    Args:
        trained: What is written.
        encoder_id: Whose space it is in.
        folder: Where the files go.
        data: For the card: what it was trained on, with licence.
        command: For the card: what makes the same file again.
        limits: For the card: what it cannot do.

    Returns:
        Both files.
    """
    path = save_prior(trained.prior, encoder_id, folder)
    card = path.with_suffix(".md")
    text = [
        f"# {path.name}",
        "",
        f"What consolidation begins with in the space of the encoder `{encoder_id}`: an energy of "
        f"{len(trained.prior.rows)} signed squares, its weight in events, and how entries fade "
        "(`hippocam.memory.bank.utility.Prior`). No frame, picture or text is in this file. "
        f"{path.stat().st_size / 1e3:.0f} kB.",
        "",
        f"**Data.** {data}",
        "",
        "**Command** (on one thread, so that the file is the same again):",
        "",
        f"    OMP_NUM_THREADS=1 {command}",
        "",
        "**Result.**",
        "",
        *report_lines(trained),
        "",
        f"**Limits.** {limits}",
        "",
    ]
    card.write_text("\n".join(text), encoding="utf-8")
    return [path, card]
