"""How often a password may be guessed.

Two limits at once, since neither is enough alone: an address that fails five times waits, each
time twice as long; and all addresses together have a budget, because a client behind no proxy of
ours can name any address it likes in ``X-Forwarded-For``. Kept in memory: a restart forgets.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FAILURES: Final = 5
"""Wrong passwords an address may give before it has to wait."""
FIRST_WAIT: Final = 60.0
"""Seconds of the first wait; each further failure doubles it."""
LONGEST_WAIT: Final = 3600.0
FORGET_AFTER: Final = 3600.0
"""Seconds without a failure after which an address starts afresh."""
BUDGET: Final = 30
"""Wrong passwords from everywhere that may come at once."""
REFILL: Final = 2.0
"""Seconds until the budget has one more."""
_MOST_ADDRESSES: Final = 10_000


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0
    free_at: float = 0.0


class Attempts:
    """Counts wrong passwords. Any thread may call it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._left = float(BUDGET)
        self._counted_at = clock()
        self._lock = threading.Lock()

    def begin(self, address: str | None) -> int:
        """Take one attempt: 0 when it may be made, else the whole seconds until the next one.

        The attempt counts as failed until ``succeeded`` takes that back, so that many at once
        cannot slip through between the question and the count.
        """
        with self._lock:
            now = self._clock()
            self._refill(now)
            record = self._record(address, now)
            wait = max(record.free_at - now, (1 - self._left) * REFILL)
            if wait > 0:
                return math.ceil(wait)
            self._left -= 1
            record.failures += 1
            record.last = now
            if record.failures >= FAILURES:
                doubled = FIRST_WAIT * 2 ** min(record.failures - FAILURES, 16)
                record.free_at = now + min(doubled, LONGEST_WAIT)
            return 0

    def succeeded(self, address: str | None) -> None:
        """The attempt that was begun gave the right password: its address starts afresh."""
        with self._lock:
            self._left = min(self._left + 1, BUDGET)
            self._records.pop(_network(address), None)

    def _refill(self, now: float) -> None:
        self._left = min(self._left + (now - self._counted_at) / REFILL, BUDGET)
        self._counted_at = now

    def _record(self, address: str | None, now: float) -> _Record:
        key = _network(address)
        record = self._records.pop(key, None)
        if record is None or now - record.last > FORGET_AFTER:
            record = _Record()
        self._records[key] = record
        if len(self._records) > _MOST_ADDRESSES:
            self._records.popitem(last=False)
        return record


def _network(address: str | None) -> str:
    """One person's addresses as one: an IPv6 customer is given 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
