"""How adapters fared against each other in blind votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatapp.feedback_records import Tally
from chatapp.flows.adapters_live import BASE
from chatapp.store.votes import Votes


class Tallies:
    """Counts votes. Blocking."""

    def __init__(self, votes: Votes) -> None:
        self._votes = votes

    def pairs(self) -> Sequence[Tally]:
        """Each pair once, most votes first; the one with more wins in front."""
        seen: set[frozenset[str | None]] = set()
        pairs = []
        for tally in sorted(self._tallied().values(), key=lambda one: -one.wins):
            pair = frozenset({tally.adapter, tally.other})
            if pair not in seen:
                seen.add(pair)
                pairs.append(tally)
        return sorted(pairs, key=lambda one: -one.votes)

    def of(self, name: str | None) -> Sequence[Tally]:
        """One adapter against each other one, most votes first; ``None`` or ``base`` is the base
        model."""
        own = None if name in (None, "", BASE) else name
        mine = [one for one in self._tallied().values() if one.adapter == own]
        return sorted(mine, key=lambda one: -one.votes)

    def _tallied(self) -> dict[tuple[str | None, str | None], Tally]:
        """Both ways round."""
        found: dict[tuple[str | None, str | None], Tally] = {}
        for first, second, verdict, count in self._votes.counts():
            for own, other, won in ((first, second, "first"), (second, first, "second")):
                before = found.get((own, other)) or Tally(adapter=own, other=other)
                decided = verdict in ("first", "second")
                found[own, other] = replace(
                    before,
                    wins=before.wins + (count if verdict == won else 0),
                    losses=before.losses + (count if decided and verdict != won else 0),
                    ties=before.ties + (count if verdict == "tie" else 0),
                    both_bad=before.both_bad + (count if verdict == "both_bad" else 0),
                )
        return found
