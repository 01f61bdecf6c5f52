"""What was observed, and when we knew it: tables, lake, ingest, vault, journal, sample world, settings."""
