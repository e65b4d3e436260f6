"""What is wrong with a value, as a code with its values, and the English sentence. Pure.

A back office translates the sentence by its code; everything else shows it as it is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_SHOWN = 60

SENTENCES = {
    "country_unassigned": "No country has the code %(value)s. Enter its two-letter ISO 3166 code, such as FR.",
    "siret_characters": "A SIRET has digits only; %(value)s has other characters. Copy it again.",
    "siret_length": "A SIRET has 14 digits; %(value)s has %(count)s. Copy it again, the last five digits too.",
    "siret_check_digit": "%(value)s is not a SIRET: its check digit does not match. Copy it again.",
    "vat_country_unknown": (
        "A VAT number begins with the two letters of its country, such as FR; %(value)s does not. Put them first."
    ),
    "vat_number_length": (
        "A VAT number that begins with %(prefix)s has %(expected)s characters; %(value)s has %(count)s. "
        "Copy it again."
    ),
    "vat_number_wrong": (
        "%(value)s can’t be a VAT number of its country: a character is wrong or missing. Copy it again."
    ),
    "iban_country_unknown": (
        "An IBAN begins with the two letters of a country that has IBANs; %(value)s does not. Copy it again."
    ),
    "iban_length": (
        "An IBAN that begins with %(prefix)s has %(expected)s characters; %(value)s has %(count)s. Copy it again."
    ),
    "iban_wrong": "%(value)s is not an IBAN: its check digits do not match. Copy it again.",
    "email_unusable": "No mail can be sent to “%(value)s”. Enter an address such as shop@example.com.",
    "phone_wrong": (
        "A phone number has 3 to 15 digits, with spaces and + ( ) . / - between them; "
        "“%(value)s” is not one. Correct it."
    ),
    "postal_code_wrong": "A French postal code has 5 digits, such as 35000; “%(value)s” is not one. Correct it.",
    "postal_code_nowhere": (
        "French postal codes begin with the number of a département, from 01 to 98; “%(value)s” begins with "
        "%(number)s. Correct it."
    ),
    "capital_wrong": (
        "“%(value)s” is not a share capital. Enter an amount above zero with its currency, such as 10 000 €."
    ),
    "siren_differs": (
        "The VAT number %(value)s belongs to the SIREN %(siren)s, the SIRET to %(other)s. Check both: they differ only "
        "for a member of a VAT group."
    ),
    "postal_code_elsewhere": (
        "“%(value)s” can’t be a postal code of the country %(country)s. Check the postal code and the country."
    ),
    "text_invisible": "This text contains a character that can’t be printed, %(value)s. Enter the text again.",
    "text_not_in_fonts": (
        "“%(value)s” can’t be printed on invoices. Remove it, or write it in letters that can."
    ),
}
"""The sentences, by code, with the places of the values."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a value; `values` are what its sentence names."""

    code: str
    values: Mapping[str, str | int]

    @property
    def sentence(self) -> str:
        """Return the sentence in English."""
        return SENTENCES[self.code] % self.values


def flaw(code: str, value: str, **more: str | int) -> Flaw:
    """Return a flaw of a value, which is shown cut to 60 characters."""
    shown = value if len(value) <= LONGEST_SHOWN else f"{value[: LONGEST_SHOWN - 1]}…"
    return Flaw(code, {"value": shown, **more})
