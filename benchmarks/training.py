"""Our chat fine-tune beside plain TRL: the same file, the same machine, in turns.

    python -m benchmarks.training             two rounds of three sides, 15 to 20 minutes
    python -m benchmarks.training --quick     one round over a third of the file, 3 minutes
    python -m benchmarks.training --file my-questions.csv --json results.json

Each side learns in a process of its own, one after the other; the order turns around from round to
round, so that a machine that slows down is unfair to nobody. Tokens are those of the examples:
padding counts for nothing. The validation loss is measured by one and the same function, in
float32, on rows that none of them has seen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.shop_questions import parts, shop_questions
from benchmarks.training_sides import SIDES, Figures, Plan
from chatapp.engine.choice import WHEELS
from chatapp.engine.models.prepare import prepare, resolve
from chatapp.training_records import Example

_OURS = "chatapp"


def main() -> None:
    """Measure, print, and write the figures down."""
    options = _options()
    rows = _rows(options.file) if options.file else shop_questions()
    if options.quick:
        rows = rows[: max(30, len(rows) // 3)]
    plan = _plan(options, rows)
    print(f"{len(plan.train)} rows, {plan.epochs} times, on {plan.threads} threads")
    for side, about in SIDES.items():
        print(f"  {side:<9} {about}")
    print(f"\n{'':<9} {'round':>5} {'tok/s':>8} {'valid. loss':>11} {'seconds':>8} {'peak MiB':>9}")
    found: dict[str, list[Figures]] = {side: [] for side in SIDES}
    for turn in range(1 if options.quick else options.rounds):
        for side in list(SIDES)[:: 1 if turn % 2 == 0 else -1]:
            figures = _play(side, plan)
            found[side].append(figures)
            print(
                f"{side:<9} {turn + 1:>5} {figures.rate:8.1f} {figures.validation_loss:11.4f} "
                f"{figures.seconds:8.1f} {figures.peak_mib:9,}",
                flush=True,
            )
    results = _compared(found)
    if options.json:
        told = {side: [asdict(one) for one in figures] for side, figures in found.items()}
        options.json.write_text(json.dumps({"sides": told, "ratios": results}, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="about three minutes")
    parser.add_argument("--file", type=Path, help="questions and answers, in any format we read")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--base", type=Path, help="folder of another model than the bundled one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("CHATAPP_DATA") or "data"),
        help="folder with the prepared models",
    )
    return parser.parse_args()


def _plan(options: argparse.Namespace, rows: Sequence[Example]) -> Plan:
    train, validation = parts(rows)
    return Plan(
        base=str(options.base or _bundled(options.data.resolve())),
        train=[(one.question, one.answer) for one in train],
        validation=[(one.question, one.answer) for one in validation],
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=5e-4,
        rank=16,
        seed=42,
        threads=options.threads,
    )


def _bundled(data: Path) -> Path:
    def report(step: str, share: float | None) -> None:
        if share is None:
            print(step, file=sys.stderr)

    dense = prepare(resolve("bundled"), data, {"dense"}, report, WHEELS).dense
    assert dense is not None
    return dense


def _rows(file: Path) -> list[Example]:
    """The rows of somebody's file, in an order drawn once."""
    from chatapp.training.data import guess, read_rows, to_examples

    table = read_rows(file)
    rows = list(to_examples(table, guess(table)[0].mapping).examples)
    random.Random(0).shuffle(rows)
    return rows


def _play(side: str, plan: Plan) -> Figures:
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(asdict(plan), file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.training_sides", side, file.name],
            capture_output=True,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(plan.threads)},
            check=False,
        )
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr[-2000:]}")
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def _compared(found: Mapping[str, Sequence[Figures]]) -> dict[str, float]:
    """Medians side by side, printed; how many times as many tokens a second ours reads."""
    rate = {side: statistics.median(one.rate for one in all_) for side, all_ in found.items()}
    loss = {
        side: statistics.median(one.validation_loss for one in all_) for side, all_ in found.items()
    }
    ratios = {side: round(rate[_OURS] / rate[side], 2) for side in found if side != _OURS}
    print(f"\nTokens/s of {_OURS}, as a multiple of")
    for side, ratio in ratios.items():
        print(f"{side:<9} {ratio:.2f}x; validation loss {loss[_OURS]:.4f} beside {loss[side]:.4f}")
    return ratios


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped.")
