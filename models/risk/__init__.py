"""Risk models: probabilities that a check would confirm an irregularity, each with its exact contributions."""
