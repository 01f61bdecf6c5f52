"""Which days are off, which are feasts, and where the moon decides."""
