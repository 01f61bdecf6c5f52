"""Arriving counts held against what was expected of them."""
