"""A labelled file in, a measured adapter out.

``data`` reads, checks, mends and splits the rows, ``run`` trains in a process of its own,
``classify`` and ``chat`` are the two things to learn.
"""
