"""The staff's pages in the browser: the team's knowledge, and what all of them share."""

from chatapp.ui.staff.blocks import build_staff_blocks, staff_mount_kwargs
from chatapp.ui.staff.document import StaffHeadMiddleware
from chatapp.ui.staff.rooms import StaffRooms

__all__ = ["StaffHeadMiddleware", "StaffRooms", "build_staff_blocks", "staff_mount_kwargs"]
