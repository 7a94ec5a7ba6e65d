"""HTML that takes the place of what was there, instead of being fitted into it.

Gradio changes a ``gr.HTML`` node by node where the tags are the same. What a person has chosen in a
form stays chosen then, whatever the new HTML says: a list that lost its first option showed the
neighbour of the one that was meant. A tag of another name is replaced as a whole.
"""

from __future__ import annotations

import hashlib


def anew(html: str) -> str:
    """The same HTML inside a tag that is named after it."""
    digest = hashlib.sha256(html.encode("utf-8", "replace")).hexdigest()[:12]
    return f'<drawn-{digest} style="display: contents">{html}</drawn-{digest}>'
