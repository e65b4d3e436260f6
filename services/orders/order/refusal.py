"""Base class of this service's errors for actions that cannot be carried out."""


class Refusal(Exception):
    """Error: the requested action cannot be carried out, and nothing changed.

    `code` is stable; the text says what to do.
    """

    code = "refused"
    status = 422
    """HTTP status of the response."""
