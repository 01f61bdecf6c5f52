"""When, and in what order: Prefect flows and the `basira` command line."""
