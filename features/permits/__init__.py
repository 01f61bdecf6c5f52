"""Features of a residence permit that comes to its end: one file for each reason group."""
