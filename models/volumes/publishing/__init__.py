"""The nightly run: what is made, published and kept, and how it did."""
