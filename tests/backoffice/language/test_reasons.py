"""Every reason that a service can give has words in the back office, in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.message import Reason
from services import chassis
from services.chassis.identifiers.flaws import SENTENCES, flaw
from services.orders.backoffice.language import flaw_texts
from services.orders.backoffice.language.flaw_texts import explain_flaw
from services.orders.backoffice.language.reason_texts import BY_PEOPLE, TEXTS
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.translating import PageLocale, gettext, using_locale
from services.orders.backoffice.operations import words

SOURCES = Path(chassis.__file__).parents[1]
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NOTES = frozenset({"characters_removed", "text_cut", "value_corrected", "value_left_out"})
"""What was changed of a sale as it was taken over: told by `adapted_words`."""
LISTED = frozenset({"change_refused"})
"""Refusals that stand for a list of reasons, each of which has words (`explain_refusal`)."""
PLACES = {"Reason": None, "Refuse": 0, "Rejection": 0}
"""Where the code stands in a call of each class: by name alone, or at a position."""


def _texts(node: ast.AST) -> Iterator[str]:
    """Every constant that a code may be, whichever branch is taken."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and CODE.fullmatch(part.value):
            yield part.value


def _of_call(call: ast.Call) -> Iterator[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name not in PLACES:
        return
    named = [one.value for one in call.keywords if one.arg in ("code", "reason")]
    position = PLACES[name]
    for argument in [*named, *(call.args[position : position + 1] if position is not None else ())]:
        if isinstance(argument, ast.Constant | ast.IfExp):
            yield from _texts(argument)


def _of_class(kind: ast.ClassDef) -> Iterator[str]:
    if not any(isinstance(base, ast.Name) and base.id == "Refusal" for base in kind.bases):
        return
    for statement in kind.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "code":
            yield from _texts(statement.value)


def codes() -> dict[str, str]:
    """Every code of a reason or refusal that the services' sources name, with a file that names it."""
    found: dict[str, str] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                named = list(_of_call(node))
            else:
                named = list(_of_class(node)) if isinstance(node, ast.ClassDef) else []
            found |= {code: str(path.relative_to(SOURCES)) for code in named}
    return found


def test_every_reason_of_a_service_has_words() -> None:
    found = codes()
    assert {"tax_above_amount", "carrier_unknown", "tags_unchanged", "another_article"} <= found.keys()
    known = TEXTS.keys() | BY_PEOPLE.keys() | words.REASONS.keys() | NOTES | LISTED
    assert {code: where for code, where in found.items() if code not in known} == {}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_reasons_are_reported_in_the_readers_language(language: str) -> None:
    with using_locale(PageLocale(language)):
        texts = {code: explain(Reason(code=code, message="kept for developers")) for code in TEXTS}
    assert [code for code, text in texts.items() if text == "kept for developers"] == []
    if language == "fr":
        assert [code for code, text in texts.items() if text == TEXTS[code]] == []
        assert gettext("Sign in") == "Se connecter"


@pytest.mark.parametrize(
    ("code", "message", "name"),
    [
        (
            "command_ended",
            "garance@maison.example ended the command, which got no answer: le service est arrêté",
            "garance@maison.example",
        ),
        ("command_discarded", "api:erp set the command aside: en double : déjà fait", "erp (API)"),
    ],
)
def test_a_persons_own_words_stay(code: str, message: str, name: str) -> None:
    with using_locale(PageLocale("fr")):
        texts = explain(Reason(code=code, message=message))
    assert name in texts
    assert texts.endswith(message.partition(": ")[2])
    assert "command" not in texts


def test_what_is_wrong_with_a_mention_is_reported_in_the_words_of_the_service() -> None:
    assert flaw_texts.TEXTS == SENTENCES
    with using_locale(PageLocale("fr")):
        words = explain_flaw(flaw("siret_length", "123", count=3)).replace("\u202f", " ")
    assert words == "Un SIRET a 14 chiffres ; 123 en a 3. Recopiez-le, avec ses cinq derniers chiffres."
