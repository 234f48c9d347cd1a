"""The desk rehearsed: a dated scenario through the same ``decide`` that the functions call.

Nothing here knows AWS: threads live in memory, and nothing is sent.
"""
