"""The real worker, which does not wait until nobody else wants the processor."""

from __future__ import annotations

import sys

from chatapp.training.run import worker

if __name__ == "__main__":
    worker.main(sys.argv[1:], humble=False)
