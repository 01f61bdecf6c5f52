"""Members made one forecast: weights and widths from rolling origins."""
