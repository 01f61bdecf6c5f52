"""The one error that means: what was handed in cannot be taken, and the message says what to do about it."""


class BadInput(ValueError):
    """A file, option, declaration or request that cannot be used. Nothing was changed.

    The message says what is wrong, why it matters and what to do. The command line prints it alone, without a
    traceback, and exits with 2.
    """
