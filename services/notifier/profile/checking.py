"""Check of a text before it is kept: its syntax and its placeholders, then three sample orders in every language."""

from contracts.notifier.mail_texts import TextPart
from services.chassis.texts import is_blank
from services.notifier.mails.compose.composing import write_pages
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts.placeholders import names_of
from services.notifier.mails.texts.planning import LANGUAGES
from services.notifier.mails.texts.syntax import Problem, problems_of
from services.notifier.profile.samples import NUMBER_OF_SAMPLES, sample

LONGEST = {TextPart.SUBJECT: 200, TextPart.INTRO: 4000, TextPart.FOOTER: 2000}


def tidied(text: str) -> str:
    """Return a text as it is kept: line breaks as `\\n`, nothing invisible at its end."""
    return "\n".join(
        line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ).strip("\n")


def check(wording: str, part: TextPart, text: str, shop: ShopProfile) -> list[Problem]:
    """Return everything that is wrong with a text; an empty list: it can be sent. Raises KeyError for no wording."""
    if len(text) > LONGEST[part]:
        return [Problem("part_too_long", 1, str(len(text)), str(LONGEST[part]))]
    found = problems_of(text, names_of(wording))
    if part is TextPart.SUBJECT:
        found += [Problem("subject_lines", 2, text.split("\n")[1][:60])] if "\n" in text else []
        found += [Problem("text_blank", 1)] if is_blank(text) else []
    return found or _try(wording, part, text, shop)


def _try(wording: str, part: TextPart, text: str, shop: ShopProfile) -> list[Problem]:
    for language in LANGUAGES:
        for number in range(NUMBER_OF_SAMPLES):
            mail, recipient = sample(wording, shop.shop, language, number)
            if write_pages(mail, recipient, shop, own={part: text}).damaged:
                return [Problem("text_unusable", 1, f"sample {number + 1} in {language}")]
    return []
