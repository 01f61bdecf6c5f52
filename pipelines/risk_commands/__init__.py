"""Sub-commands of `basira risk` that have a file of their own: each declares a `command` named like its file."""
