"""Figures, measured on the machine at hand, as ratios within one run: `python -m bench --help`."""
