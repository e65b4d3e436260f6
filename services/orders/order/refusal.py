"""Why something a person asked for can't be done: the class that all such errors of this service are of."""


class Refusal(Exception):
    """Something that was asked for can't be done; `code` is stable, the text says what to do. Nothing changed."""

    code = "refused"
    status = 422
    """What HTTP answers with."""
