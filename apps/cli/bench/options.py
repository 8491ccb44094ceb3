"""What `hippocam bench NAME` can be told, of the benches with many options."""

from __future__ import annotations

import argparse
from pathlib import Path


def numbers(text: str) -> list[int]:
    """Numbers between commas."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"give numbers as 1,2,3, found {text!r}") from error


def qa(parser: argparse.ArgumentParser) -> None:
    """Add the options of questions about videos."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="question files, or folders of them")
    parser.add_argument("--videos", type=Path, metavar="DIR", help="where the videos are, found by name")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="only score these answers to FILE")
    parser.add_argument("--reader", default="extractive", metavar="NAME", help="who words the answers")
    parser.add_argument("--encoder", metavar="NAME")
    parser.add_argument("--budget-mb", type=float, default=64.0, metavar="N", help="of each video's memory")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first questions of each file")
    parser.add_argument("--no-baselines", action="store_true", help="only the memory")
    parser.add_argument("--no-too-early", action="store_true", help="ask none before its evidence")
    parser.add_argument("--memories", type=Path, metavar="DIR", help="keep the memories here, to ask them again")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="write every answer as JSON lines")
    parser.add_argument("--config", metavar="NAME", help="settings: a name that ships, or a YAML file")


def answers(parser: argparse.ArgumentParser) -> None:
    """Add the options of questions that people ask of films."""
    parser.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the films are")
    parser.add_argument("--questions", type=Path, metavar="DIR", help="folders calibrate and report of questions")
    parser.add_argument("--half", choices=("calibrate", "report"), help="only this half")
    parser.add_argument("--reader", metavar="NAME", help="who words the answers")
    parser.add_argument("--encoder", metavar="NAME")
    parser.add_argument("--config", metavar="NAME", help="settings: a name that ships, or a YAML file")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write every answer as CSV, to be read")
    parser.add_argument("--judged", type=Path, nargs="+", default=[], metavar="FILE", help="sheets that were read")


def things(parser: argparse.ArgumentParser) -> None:
    """Add the options of small things."""
    parser.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    parser.add_argument("--things", type=Path, metavar="FILE", help="annotated things")
    parser.add_argument("--absent", type=Path, metavar="FILE", help="not shown")
    parser.add_argument("--half", choices=("calibrate", "report"), help="only this half")
    parser.add_argument("--encoder", metavar="NAME")
    parser.add_argument("--no-baselines", action="store_true", help="only the memory")


def perception(parser: argparse.ArgumentParser) -> None:
    """Add the options of what encoders understand."""
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="captioned photographs: folders with images/ and captions.tsv"
    )
    parser.add_argument("--videos", type=Path, metavar="DIR", help="where the clips are")
    parser.add_argument(
        "--truth",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="annotations of events and cuts; <video>_scenes.csv of PySceneDetect",
    )
    parser.add_argument("--absent", type=Path, metavar="FILE", help="not shown")
    parser.add_argument("--objects", type=Path, metavar="DIR", help="tracks for re-identification")
    parser.add_argument(
        "--encoders", type=lambda text: text.split(","), metavar="a,b", help="default: bundled,conse,palette"
    )
