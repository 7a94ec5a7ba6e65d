"""The page in the browser."""

from chatapp.ui.blocks import build_blocks, mount_kwargs
from chatapp.ui.document import PageHeadMiddleware
from chatapp.ui.identity import Identity, IdentityMiddleware
from chatapp.ui.learning import Learning

__all__ = [
    "Identity",
    "IdentityMiddleware",
    "Learning",
    "PageHeadMiddleware",
    "build_blocks",
    "mount_kwargs",
]
