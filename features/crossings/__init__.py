"""Features of a crossing: one file for each reason group, one variable for each feature."""
