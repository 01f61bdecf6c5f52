"""Booths and officers of border posts: queues, plans, shifts."""
