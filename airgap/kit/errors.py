"""The one exception whose text is meant for the user."""


class KitError(Exception):
    """Something that the user can put right; printed without a traceback."""
