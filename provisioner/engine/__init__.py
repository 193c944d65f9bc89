"""Where pure and effects meet: observe, apply, recover. What it works with is handed in (ports.py)."""
