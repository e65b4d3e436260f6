"""PayPal's errors: a name, a message, an id for its support, and details with the issue."""

import secrets

from starlette.responses import JSONResponse, Response

NAMES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: (
        "AUTHENTICATION_FAILURE",
        "Authentication failed due to missing or invalid authentication credentials.",
    ),
    403: ("NOT_AUTHORIZED", "Authorization failed due to insufficient permissions."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business validation.",
    ),
    429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error has occurred."),
    503: ("SERVICE_UNAVAILABLE", "Service Unavailable."),
}
MESSAGES = {
    "RESULTSET_TOO_LARGE": "Result set size is greater than the maximum limit. Change the filter criteria and "
    "try again.",
}
"""Names that a status may have instead of its own."""
DESCRIPTIONS = {
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
    "CURRENCY_MISMATCH": "Amount currency does not match the currency of the capture.",
    "DECIMAL_PRECISION": "The value of the field should not be more than two decimal places.",
    "DECIMALS_NOT_SUPPORTED": "Currency does not support decimals.",
    "CANNOT_BE_ZERO_OR_NEGATIVE": "Must be greater than zero.",
    "INVALID_PARAMETER_SYNTAX": "The value of a field does not conform to the expected format.",
    "INVALID_PARAMETER_VALUE": "The value of a field is invalid.",
    "INVALID_RESOURCE_ID": "Specified resource ID does not exist. Please check the resource ID and try again.",
    "MAX_NUMBER_OF_REFUNDS_EXCEEDED": "You have exceeded the maximum number of refund attempts for this capture.",
    "MISSING_REQUIRED_PARAMETER": "A required field is missing.",
    "PENDING_CAPTURE": "Cannot initiate a refund as the capture is pending. Capture is typically pending when the "
    "payer has funded the transaction using e-check/bank funded.",
    "PREVIOUS_REQUEST_IN_PROGRESS": "A previous request on this resource is currently in progress. Please wait for "
    "some time and try again.",
    "REFUND_AMOUNT_EXCEEDED": "The refund amount must be less than or equal to the capture amount that has not yet "
    "been refunded.",
    "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture",
    "REFUND_FAILED_INSUFFICIENT_FUNDS": "Capture could not be refunded due to insufficient funds. Please check to see "
    "if you have sufficient funds in your PayPal account or if the bank account linked to your PayPal account is "
    "verified and has sufficient funds.",
    "REFUND_NOT_ALLOWED": "Capture cannot be refunded.",
    "REFUND_TIME_LIMIT_EXCEEDED": "You are over the time limit to perform a refund on this capture",
    "TRANSACTION_DISPUTED": "Partial refunds cannot be offered at this time because there is an open case on this "
    "transaction. Visit the PayPal Resolution Center to review this case.",
}


class Refused(Exception):
    """A call that PayPal does not carry out; `issue` is its code for the reason."""

    def __init__(self, status: int, issue: str = "", field: str = "", name: str = "") -> None:
        super().__init__(f"{status} {issue or name}")
        self.status, self.issue, self.field, self.name = status, issue, field, name


def refusal(refused: Refused) -> Response:
    """Return the answer to a call that is refused."""
    name, message = NAMES.get(
        refused.status, ("INTERNAL_SERVER_ERROR", "An internal server error has occurred.")
    )
    if refused.name:
        name, message = refused.name, MESSAGES[refused.name]
    debug_id = secrets.token_hex(7)[:13]
    content: dict[str, object] = {"name": name, "message": message, "debug_id": debug_id, "links": []}
    if refused.issue:
        place = {"field": refused.field} if refused.field else {}
        description = DESCRIPTIONS.get(refused.issue, refused.issue.replace("_", " ").capitalize())
        content["details"] = [{**place, "issue": refused.issue, "description": description}]
    return JSONResponse(content, refused.status, {"PayPal-Debug-Id": debug_id})
