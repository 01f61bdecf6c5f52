"""Forecasts that add up, path by path: over places, and over hours, days and months."""
