"""Counts out of the authority's own lake, as it was known at a moment."""
