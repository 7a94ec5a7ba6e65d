"""The Teach page in the browser: data, goal, run, result, one below the other."""

from chatapp.ui.teach.blocks import build_teach_blocks, teach_mount_kwargs
from chatapp.ui.teach.document import TeachHeadMiddleware
from chatapp.ui.teach.report_page import report_page
from chatapp.ui.teach.rooms import Base, Role, TeachRooms

__all__ = [
    "Base",
    "Role",
    "TeachHeadMiddleware",
    "TeachRooms",
    "build_teach_blocks",
    "report_page",
    "teach_mount_kwargs",
]
