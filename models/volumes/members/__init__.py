"""Ways to forecast that the pool weighs against each other, and what they look at."""
