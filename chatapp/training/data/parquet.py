"""Parquet: read in small batches, so that the size of the file does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from chatapp.errors import DatasetError
from chatapp.training.data.json_depth import is_too_deep
from chatapp.training.data.limits import (
    DEEPEST,
    LARGEST_FILE,
    MOST_COLUMNS,
    MOST_ROWS,
    refusal,
    shortened,
)
from chatapp.training.data.places import Collected
from chatapp.training.data.table import Layout, Row, Table, tabulate

_BATCH = 256


def read_parquet(path: Path, name: str) -> Table:
    """Read a Parquet file.

    Raises:
        DatasetError: it is damaged or too large, or a column holds no text.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with closing(ParquetFile(path)) as file:
            rows, columns = file.metadata.num_rows, list(file.schema_arrow.names)
            unpacked = sum(
                file.metadata.row_group(at).total_byte_size
                for at in range(file.metadata.num_row_groups)
            )
            binary = [one.name for one in file.schema_arrow if "binary" in str(one.type)]
    except (ArrowException, OSError, ValueError, KeyError):
        raise _damaged(name) from None
    if rows > MOST_ROWS or len(columns) > MOST_COLUMNS or unpacked > 4 * LARGEST_FILE:
        raise refusal(
            name,
            f" holds {rows:,} rows and {len(columns):,} columns, unpacked "
            f"{unpacked / 1024**2:,.0f} MB. At most {MOST_ROWS:,} rows, {MOST_COLUMNS} columns "
            f"and {4 * LARGEST_FILE // 1024**2:,} MB can be read; take a sample.",
        )
    wanted = [column for column in dict.fromkeys(columns) if column not in binary]
    if not wanted:
        raise refusal(
            name,
            f", column {shortened(binary[0] if binary else '', 60)}: there is no column with text "
            "in it. Save the texts as strings.",
        )

    def reader(_collected: Collected) -> Iterator[Row]:
        number = 0
        try:
            with closing(ParquetFile(path)) as file:
                for batch in file.iter_batches(_BATCH, columns=wanted, use_threads=False):
                    for cells in batch.to_pylist():
                        number += 1
                        if any(is_too_deep(cell) for cell in cells.values()):
                            raise refusal(
                                name,
                                f", row {number}, is nested more than {DEEPEST} deep. Simplify it.",
                                number,
                            )
                        yield Row(number, cells)
        except (ArrowException, OSError, ValueError):
            raise _damaged(name, number + 1) from None

    return tabulate(name, Layout(kind="parquet", columns=tuple(wanted)), reader)


def _damaged(name: str, row: int = 0) -> DatasetError:
    where = f", row {row}," if row else ""
    return refusal(
        name,
        f"{where} is a damaged or incomplete Parquet file. Export it again.",
        row,
    )
