"""Texts for what is wrong with a number or another mention, by the code of the flaw."""

from services.chassis.identifiers.flaws import Flaw
from services.orders.backoffice.language.translating import N_, gettext

TEXTS = {
    "country_unassigned": N_(
        "No country has the code %(value)s. Enter its two-letter ISO 3166 code, such as FR."
    ),
    "siret_characters": N_("A SIRET has digits only; %(value)s has other characters. Copy it again."),
    "siret_length": N_(
        "A SIRET has 14 digits; %(value)s has %(count)s. Copy it again, the last five digits too."
    ),
    "siret_check_digit": N_("%(value)s is not a SIRET: its check digit does not match. Copy it again."),
    "vat_country_unknown": N_(
        "A VAT number begins with the two letters of its country, such as FR; %(value)s does not. Put "
        "them first."
    ),
    "vat_number_length": N_(
        "A VAT number that begins with %(prefix)s has %(expected)s characters; %(value)s has %(count)s. "
        "Copy it again."
    ),
    "vat_number_wrong": N_(
        "%(value)s can’t be a VAT number of its country: a character is wrong or missing. Copy it again."
    ),
    "iban_country_unknown": N_(
        "An IBAN begins with the two letters of a country that has IBANs; %(value)s does not. Copy it again."
    ),
    "iban_length": N_(
        "An IBAN that begins with %(prefix)s has %(expected)s characters; %(value)s has %(count)s. Copy "
        "it again."
    ),
    "iban_wrong": N_("%(value)s is not an IBAN: its check digits do not match. Copy it again."),
    "email_unusable": N_("No mail can be sent to “%(value)s”. Enter an address such as shop@example.com."),
    "phone_wrong": N_(
        "A phone number has 3 to 15 digits, with spaces and + ( ) . / - between them; “%(value)s” is "
        "not one. Correct it."
    ),
    "postal_code_wrong": N_(
        "A French postal code has 5 digits, such as 35000; “%(value)s” is not one. Correct it."
    ),
    "postal_code_nowhere": N_(
        "French postal codes begin with the number of a département, from 01 to 98; “%(value)s” begins with "
        "%(number)s. Correct it."
    ),
    "capital_wrong": N_(
        "“%(value)s” is not a share capital. Enter an amount above zero with its currency, such as 10 000 €."
    ),
    "siren_differs": N_(
        "The VAT number %(value)s belongs to the SIREN %(siren)s, the SIRET to %(other)s. Check both: they "
        "differ only for a member of a VAT group."
    ),
    "postal_code_elsewhere": N_(
        "“%(value)s” can’t be a postal code of the country %(country)s. Check the postal code and the "
        "country."
    ),
    "text_invisible": N_(
        "This text contains a character that can’t be printed, %(value)s. Enter the text again."
    ),
    "text_not_in_fonts": N_(
        "“%(value)s” can’t be printed on invoices. Remove it, or write it in letters that can."
    ),
}
"""The same sentences as in the chassis, to be translated."""


def explain_flaw(flaw: Flaw) -> str:
    """Return what is wrong as a text for users."""
    return gettext(TEXTS[flaw.code], **flaw.values)
