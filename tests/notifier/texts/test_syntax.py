"""The small syntax of texts: what is refused and where, and that nothing in a text or a value becomes markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.mails.texts.placeholders import WORDINGS, names_of
from services.notifier.mails.texts.rendering import written
from services.notifier.mails.texts.syntax import Problem, TextDamaged, filled, parsed, problems_of
from tests.notifier.made_up_mails import Tags

NAMES = ("customer_name", "order_code", "tracking_url")
VALUES = {
    "customer_name": "{{ x }}<b>",
    "order_code": "K7F3-QD9M",
    "tracking_url": "https://suivi.example/?a=1&b=2",
}
ALLOWED_TAGS = {"p", "ul", "li", "strong", "br", "bdi", "span", "a"}
PIECES = st.lists(
    st.sampled_from(
        ["{{ customer_name }}", "{{order_code}}", "**", "*", "- ", "\n", "\n\n", "[mot](https://x.example/a)",
         "[suivi]({{ tracking_url }})", "https://y.example/?a=1&b=2.", "<script>", '"', "&amp;", "é", " ", "[a]", "(b)"]
    )
    | st.text(max_size=8),
    max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.rows("C05")
@pytest.mark.parametrize(("text", "expected"), [
    ("Bonjour {{ custmer_name }}", Problem("placeholder_unknown", 1, "custmer_name", "customer_name")),
    ("a\n\n{{ Order_Code }}", Problem("placeholder_unknown", 3, "Order_Code", "order_code")),
    ("{{ zzzzzz }}", Problem("placeholder_unknown", 1, "zzzzzz")),
    ("a\n{{ customer_name", Problem("placeholder_unclosed", 2, "{{ customer_name")),
    ("customer_name }}", Problem("placeholder_unclosed", 1, "}}")),
    ("{{ customer_name }", Problem("placeholder_unclosed", 1, "{{ customer_name }")),
    ("{{ customer.name }}", Problem("placeholder_unclosed", 1, "{{ customer.name }}")),
    ("{{ customer_name|upper }}", Problem("placeholder_unclosed", 1, "{{ customer_name|upper }}")),
    ("{{ }}", Problem("placeholder_unclosed", 1, "{{ }}")),
    ("{{ customer_name\n}}", Problem("placeholder_unclosed", 1, "{{ customer_name")),
    ("[ici](javascript:alert)", Problem("link_unusable", 1, "javascript:alert")),
    ("[ici](mailto:a@b.example)", Problem("link_unusable", 1, "mailto:a@b.example")),
])  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(text: str, expected: Problem) -> None:
    found = problems_of(text, NAMES)
    assert found[0] == expected
    assert f"line {expected.line}" in found[0].message
    if expected.nearest:
        assert found[0].message.endswith(f"{expected.nearest}?")


@pytest.mark.parametrize("text", [
    "Bonjour {{ customer_name }}", "{{customer_name}}{{order_code}}", "{% if x %}", "${customer_name}", "{ x }", "",
    "[suivi]({{ tracking_url }})", "a ** b", "[a] (b)", "100 % {gratuit}",
])  # fmt: skip
def test_everything_else_is_plain_text(text: str) -> None:
    assert problems_of(text, NAMES) == []
    parsed(text)


@pytest.mark.parametrize(("text", "html", "plain"), [
    ("**Merci** {{ order_code }}", "<strong>Merci</strong> <span", "Merci K7F3-QD9M"),
    ("a\nb\n\nc", "a<br>b</p>", "a\nb\n\nc"),
    ("- un\n- **deux**", "<li>un</li><li><strong>deux</strong></li></ul>", "- un\n- deux"),
    ("[Suivre]({{ tracking_url }})", 'href="https://suivi.example/?a=1&amp;b=2"', "Suivre (https://suivi.example/?a=1&b=2)"),
    ("Voir https://x.example/a.", 'href="https://x.example/a"', "Voir https://x.example/a."),
    ("2 ** 3", "2 ** 3", "2 ** 3"),
    ("**a** b ** c", "<strong>a</strong> b ** c", "a b ** c"),
])  # fmt: skip
def test_a_text_reads_the_same_in_both_forms(text: str, html: str, plain: str) -> None:
    shown = written(text, VALUES, "#0f625b")
    assert html in shown.html
    assert shown.text == plain


@pytest.mark.rows("C05")
def test_a_value_is_printed_as_typed_and_escaped() -> None:
    shown = written("Bonjour {{ customer_name }}", VALUES, "#0f625b")
    assert shown.html == '<p style="margin:0 0 12px">Bonjour <bdi>{{ x }}&lt;b&gt;</bdi></p>'
    assert shown.text == "Bonjour {{ x }}<b>"
    assert filled("Pour {{ customer_name }} **", VALUES) == "Pour {{ x }}<b> **"


@pytest.mark.parametrize("address", ["", "javascript:alert(1)", 'https://x" onclick="', "https://"])
def test_a_link_whose_value_is_no_address_is_its_words(address: str) -> None:
    shown = written("[Suivre]({{ tracking_url }})", {**VALUES, "tracking_url": address}, "#0f625b")
    assert "href" not in shown.html
    assert shown.text == "Suivre"


def test_a_text_that_cannot_be_parsed_is_damaged() -> None:
    with pytest.raises(TextDamaged, match="line 2"):
        written("a\n{{ b", VALUES, "#0f625b")
    with pytest.raises(KeyError):
        written("{{ unheard_of }}", VALUES, "#0f625b")


@given(PIECES)
def test_any_text_is_refused_or_renders_without_foreign_markup(text: str) -> None:
    if problems_of(text, NAMES):
        return
    shown = written(text, VALUES, "#0f625b")
    tags = Tags(shown.html)
    assert tags.open == []
    assert set(tags.tags) <= ALLOWED_TAGS
    for tag, name, value in tags.attributes:
        assert (tag, name) in {
            ("a", "href"),
            ("a", "class"),
            ("a", "style"),
            ("p", "style"),
            ("ul", "style"),
            ("span", "style"),
        }
        assert name != "href" or value.startswith(("http://", "https://", "HTTP"))


@given(st.text(max_size=60))
def test_any_value_is_shown_whole(value: str) -> None:
    shown = written("**{{ customer_name }}**", {**VALUES, "customer_name": value}, "#0f625b")
    assert shown.text == value
    seen = Tags(shown.html).text
    assert seen.replace("\r\n", "\n").replace("\r", "\n") == value.replace("\r\n", "\n").replace("\r", "\n")


@given(PIECES, st.lists(st.sampled_from(NAMES), max_size=3))
def test_problems_do_not_depend_on_what_is_on_other_lines(text: str, names: list[str]) -> None:
    before = "\n".join(f"{{{{ {name} }}}}" for name in names)
    alone = problems_of(text, NAMES)
    shifted = problems_of(f"{before}\n{text}" if names else text, NAMES)
    assert [(one.code, one.line - len(names), one.found) for one in shifted] == [
        (one.code, one.line, one.found) for one in alone
    ]


def test_no_placeholder_is_a_comment_an_address_or_a_number_of_the_customer() -> None:
    offered = {name for wording in WORDINGS for name in names_of(wording)}
    assert not [name for name in offered if any(word in name for word in ("comment", "note", "admin", "ip", "street"))
                and name not in ("shipping",)]  # fmt: skip
