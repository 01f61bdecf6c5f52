"""Flow forecasts: how many travellers or applications come, by hour, day and month, and how sure that is."""
