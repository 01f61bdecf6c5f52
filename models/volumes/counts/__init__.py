"""Counts as they came: a checked table on a grid, its shocks, and what of it was known at an origin."""
