"""Sealing with age, and the sinks that hand a secret to its consumer. Values in the clear live only here.

`sealing.py` seals and opens; `emergency.py` keeps what a failing store could not; `sources.py` fetches the
secrets that provision itself needs; `sinks.py` opens a sink, one file each.
"""
