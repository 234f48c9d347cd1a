"""Faults put into the core on purpose: a test suite that does not notice them proves nothing.

``make mutants`` makes each change of ``catalogue.py`` in a copy of the tree and runs the tests named
for it; all of them must notice. ``make mutants ARGS='rev lease'`` takes those whose name has a word.
"""
