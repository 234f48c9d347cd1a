"""What the desk costs: cold and warm starts, deliveries per second, dollars per million messages.

``make bench`` prints a table and stores ``.local/bench.json``. Times are of this machine and are only
ever compared with each other, in interleaved pairs; quote the ratios.
"""
