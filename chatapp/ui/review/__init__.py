"""The Review page: what people said about answers, and what becomes of it."""

from chatapp.ui.review.blocks import build_review_blocks, review_mount_kwargs
from chatapp.ui.review.document import ReviewHeadMiddleware
from chatapp.ui.review.rooms import ReviewRooms

__all__ = [
    "ReviewHeadMiddleware",
    "ReviewRooms",
    "build_review_blocks",
    "review_mount_kwargs",
]
