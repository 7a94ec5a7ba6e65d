"""A labelled file in, a measured adapter out.

``data`` reads and maps the rows, ``doctor`` checks them, ``splitting`` sets parts aside,
``run`` trains in a process of its own, ``classify`` and ``chat`` are the two things to learn.
"""
