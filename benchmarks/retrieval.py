"""Search as the app does it, beside LangChain's own FAISS with its EnsembleRetriever.

    python -m benchmarks.retrieval             1k, 100k and 1M passages, about 15 minutes
    python -m benchmarks.retrieval --quick     1k and 10k, about a minute
    python -m benchmarks.retrieval --json results.json

Passages and vectors are made up (``corpus.py``), each size in a process of its own, so that its
memory is its own. Each query is read by the bundled embedder, which takes the time it takes, and
then looks for a made-up vector and six made-up words. At a million passages only the vectors are
searched. LangChain's side runs in ``benchmarks/.venv``; it is spared the reading of the query.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.corpus import Corpus
from benchmarks.retrieval_report import HEADER, SearchRow
from benchmarks.retrieval_sides import dense_side, ingest_rate, whole_side

_QUERIES = 200
_PEER_QUERIES = 20
_DENSE_FROM = 1_000_000


def main() -> None:
    """Measure, print, and write the figures down."""
    options = _options()
    if options.side:
        side = dense_side if options.side >= _DENSE_FROM else whole_side
        print(json.dumps(asdict(side(options.side, _QUERIES))))
        return
    sizes = (1_000, 10_000) if options.quick else (1_000, 100_000, 1_000_000)
    rate = ingest_rate(100 if options.quick else 400)
    print(
        f"reading passages: {rate:.0f} passages/s of 200 tokens, on one of {os.cpu_count()} cores"
    )
    print(f"\n{HEADER}")
    rows: list[SearchRow] = []
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.retrieval", "--side", str(size)]
        _show(rows, _ran(command))
        if size < _DENSE_FROM:
            _show(rows, _peer(options.peer_python, size))
    if options.json:
        results = {
            "cores": os.cpu_count(),
            "passages_per_second": rate,
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="about a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    parser.add_argument("--side", type=int, help=argparse.SUPPRESS)
    parser.add_argument(
        "--peer-python",
        type=Path,
        metavar="PYTHON",
        default=Path("benchmarks/.venv/bin/python"),
        help="interpreter that has LangChain's FAISS; the default is benchmarks/.venv",
    )
    return parser.parse_args()


def _show(rows: list[SearchRow], row: SearchRow | str) -> None:
    if isinstance(row, str):
        print(row, flush=True)
    else:
        rows.append(row)
        print(row.line(), flush=True)


def _peer(python: Path, size: int) -> SearchRow | str:
    """LangChain's side, on the same passages and queries."""
    if not python.exists():
        return f"langchain    {size:>9,} skipped: there is no {python}"
    with tempfile.TemporaryDirectory() as folder:
        corpus, path = Corpus(size), Path(folder)
        np.save(path / "vectors.npy", np.concatenate(list(corpus.vectors())))
        (path / "texts.txt").write_text("\n".join(corpus.text(n) for n in range(size)))
        queries = corpus.queries(_PEER_QUERIES)
        np.save(path / "queries.npy", np.stack([query.vector for query in queries]))
        asked = [[query.text, query.passage] for query in queries]
        (path / "queries.json").write_text(json.dumps(asked))
        script = Path(__file__).with_name("langchain_peer.py")
        return _ran([str(python), str(script), folder])


def _ran(command: list[str]) -> SearchRow | str:
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        return f"{command[-1]} failed with {ended.returncode}"
    return SearchRow(**json.loads(ended.stdout.splitlines()[-1]))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped.")
