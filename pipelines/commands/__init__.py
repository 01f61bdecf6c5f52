"""One file per sub-command of `basira`."""
