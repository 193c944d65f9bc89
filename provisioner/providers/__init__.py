"""The vendors' adapters: one file a vendor, each reached through `http.py`, found by `registry.py`."""
