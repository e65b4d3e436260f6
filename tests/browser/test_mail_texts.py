"""Texts of mails and the shop's brand in the back office: edited, previewed, tested, saved, and shown in mails."""

import struct
import zlib
from contextlib import suppress

import pytest
from playwright.async_api import FilePayload, FrameLocator, Locator, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from services.chassis.testing import wait_until
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop
from tests.browser.visitor import BOTH_LOOKS, PATIENCE_MILLISECONDS, Look, Visitor

EDITOR = "/settings/mails/order_recap/fr"


def a_logo(width: int = 120, height: int = 40) -> FilePayload:
    """Return a PNG of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\x8a\x2b\x0e" * width) * height)
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return {"name": "logo.png", "mimeType": "image/png", "buffer": content}


def frame(visitor: Visitor) -> FrameLocator:
    return visitor.page.frame_locator("iframe[name=mail-preview-frame]")


async def is_shown(text: Locator) -> bool:
    """Whether it is there within a few seconds."""
    with suppress(PlaywrightTimeout):
        await text.wait_for(timeout=PATIENCE_MILLISECONDS / 3)
    return await text.is_visible()


async def press(visitor: Visitor, name: str) -> None:
    await visitor.page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.rows("C05")
async def test_a_text_is_written_with_its_preview_restored_and_given_back(context: PageContext) -> None:
    visitor = await context("owner", "/settings/mails", lang="en")
    await visitor.page.get_by_role("link", name="Shipment, Français").click()
    intro = visitor.page.get_by_label("Introduction")
    await expect(intro).to_have_value(
        "Bonjour {{ customer_name }},\n\nVotre commande **{{ order_code }}** vient de partir."
    )
    await intro.fill("Salut ")
    await visitor.page.get_by_role("button", name="Customer’s name").click()
    await expect(intro).to_have_value("Salut {{ customer_name }}")
    await expect(frame(visitor).get_by_role("paragraph").filter(has_text="Salut Zoé Lefèvre")).to_be_visible(
        timeout=PATIENCE_MILLISECONDS
    )
    await press(visitor, "Save")
    await expect(visitor.page.get_by_text("Text saved.")).to_be_visible()
    await visitor.page.get_by_label("Introduction").fill("Coucou {{ order_code }}")
    await press(visitor, "Save")
    await expect(visitor.page.locator("tbody tr")).to_have_count(2)
    await press(visitor, "Restore Introduction 1")
    await expect(visitor.page.get_by_label("Introduction")).to_have_value("Salut {{ customer_name }}")
    await press(visitor, "Back to the built-in text: Introduction")
    await expect(visitor.page.get_by_text("Built-in text restored.")).to_be_visible()
    await expect(visitor.page.get_by_label("Introduction")).to_have_value(
        "Bonjour {{ customer_name }},\n\nVotre commande **{{ order_code }}** vient de partir."
    )


@pytest.mark.rows("C05")
async def test_mails_use_the_text_and_it_is_previewed_on_them(context: PageContext, shop: OwnShop) -> None:
    visitor = await context("owner", "/settings/mails/new_order/fr", lang="en")
    await visitor.page.get_by_label("Subject").fill("Vente {{ order_code }} !")
    await press(visitor, "Save")
    await expect(visitor.page.get_by_text("Text saved.")).to_be_visible()
    await shop.order(shop.sale())
    [mail] = await shop.mails_to(f"commandes@{shop.name}.example.org", "Vente")
    code = str(mail["Subject"]).split()[1]

    async def is_previewed() -> bool:
        """Open the page once more if nothing is read in its frame: Chromium at times hides a filled frame from its
        driver."""
        await visitor.go("/settings/mails/new_order/fr")
        await visitor.page.get_by_label("About").select_option(label=f"Order {code}")
        return await is_shown(frame(visitor).get_by_text(f"Vente {code} !").first)

    await wait_until(is_previewed, 60)


@pytest.mark.rows("C05")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_a_wrong_text_is_refused_with_its_line_and_kept(context: PageContext, script: bool) -> None:
    visitor = await context("owner", EDITOR, lang="fr", script=script)
    visitor.provokes(422)
    typed = "Bonjour,\n\nchère {{ custmer_name }}"
    await visitor.page.get_by_label("Introduction").fill(typed)
    await press(visitor, "Enregistrer")
    error = visitor.page.locator("#field-intro-error")
    await expect(error).to_contain_text("Ligne 3")
    await expect(error).to_contain_text("Vouliez-vous écrire {{ customer_name }}")
    await expect(visitor.page.get_by_label("Introduction")).to_have_value(typed)
    if script:
        await visitor.axe()
    await visitor.page.get_by_label("Introduction").fill("Bonjour {{ customer_name")
    await press(visitor, "Enregistrer")
    await expect(error).to_contain_text("n’est pas fermé")
    await expect(visitor.page.get_by_label("Introduction")).to_have_value("Bonjour {{ customer_name")


async def test_what_was_typed_survives_somebody_elses_change(context: PageContext) -> None:
    mine = await context("owner", "/settings/mails/invoice/en", lang="en")
    theirs = await context("manager", "/settings/mails/invoice/en", lang="en")
    mine.provokes(422)
    await mine.page.get_by_label("Footer").fill("My footer.")
    await theirs.page.get_by_label("Footer").fill("Their footer.")
    await press(theirs, "Save")
    await expect(theirs.page.get_by_text("Text saved.")).to_be_visible()
    await press(mine, "Save")
    await expect(mine.page.get_by_text("Somebody else changed this text in the meantime.")).to_be_visible()
    await expect(mine.page.locator(".notice", has_text="Their footer.")).to_be_visible()
    await expect(mine.page.get_by_label("Footer")).to_have_value("My footer.")
    await press(mine, "Save")
    await expect(mine.page.get_by_text("Text saved.")).to_be_visible()
    await expect(mine.page.get_by_label("Footer")).to_have_value("My footer.")


async def test_a_test_mail_goes_to_the_one_who_requests_it_and_nothing_is_saved(
    context: PageContext, shop: OwnShop
) -> None:
    visitor = await context("owner", "/settings/mails/refund_failed/fr", lang="en")
    await visitor.page.get_by_label("Introduction").fill("À l’essai pour **{{ customer_name }}**.")
    await press(visitor, "Send me a test mail")
    await expect(visitor.page.get_by_text("Your input is not saved yet.")).to_be_visible()
    await expect(visitor.page.get_by_label("Introduction")).to_have_value(
        "À l’essai pour **{{ customer_name }}**."
    )
    login = (await shop.person("owner")).login
    [mail] = await shop.mails_to(login, "[Test]")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "À l’essai pour Zoé Lefèvre." in body.get_content()
    await visitor.go("/settings/mails/refund_failed/fr")
    await expect(visitor.page.get_by_text("All three texts are built in.")).to_be_visible()


@pytest.mark.rows("A01")
async def test_the_support_block_is_changed_for_pages_and_mails(context: PageContext, shop: OwnShop) -> None:
    visitor = await context("owner", "/settings/profile", lang="en")

    async def previews_the_signature() -> bool:
        """Open and fill the page once more if nothing is read in its frame, or the notifier was too busy."""
        await visitor.go("/settings/profile")
        await visitor.page.get_by_label("Support: phone").fill("+33 1 23 45 67 89")
        await visitor.page.get_by_label("Support: opening hours").fill("tous les jours 8 h–20 h")
        await visitor.page.get_by_label("Colour of links and buttons").fill("#8a2b0e")
        await visitor.page.locator("#field-logo").set_input_files(a_logo())
        await visitor.page.get_by_label("Signature").fill("L’équipe Garance")
        return await is_shown(frame(visitor).get_by_text("L’équipe Garance"))

    await wait_until(previews_the_signature, 60)
    await press(visitor, "Save")
    await expect(visitor.page.get_by_text("Settings saved.")).to_be_visible()
    await expect(visitor.page.get_by_alt_text("The current logo")).to_be_visible()
    await expect(visitor.page.get_by_role("region", name="Customer support of the shop")).to_contain_text(
        "+33 1 23 45 67 89"
    )
    for width, button in ((1024, "Account of"), (390, "More")):
        await visitor.page.set_viewport_size({"width": width, "height": 844})
        await visitor.page.get_by_role("button", name=button).click()
        phone = visitor.page.get_by_role("link", name="+33 1 23 45 67 89")
        await expect(phone.locator("visible=true")).to_be_in_viewport()
        await visitor.page.keyboard.press("Escape")
    [order] = await shop.order(shop.sale())
    code = (await shop.shown(order))["code"]
    mails = await shop.mails_to("", f"Votre commande {code}")
    texts = [body.get_content() for mail in mails if (body := mail.get_body(("plain",)))]
    [text] = [one for one in texts if "+33 1 23 45 67 89" in one]
    assert "tous les jours 8 h–20 h" in text
    assert "L’équipe Garance" in text
    [shown] = [mail for mail in mails if "image/png" in [part.get_content_type() for part in mail.walk()]]
    assert "cid:logo@shop.invalid" in str(shown.get_body(("html",)))


async def test_a_file_that_is_not_a_picture_is_refused_and_the_rest_is_kept(context: PageContext) -> None:
    visitor = await context("owner", "/settings/profile", lang="en")
    visitor.provokes(422)
    await visitor.page.get_by_label("Signature").fill("Typed before")
    picture: FilePayload = {"name": "logo.png", "mimeType": "image/png", "buffer": b"<svg onload=alert(1)>"}
    await visitor.page.locator("#field-logo").set_input_files(picture)
    await press(visitor, "Save")
    await expect(visitor.page.locator("#field-logo-error")).to_contain_text("can’t be used")
    await expect(visitor.page.get_by_label("Signature")).to_have_value("Typed before")


async def shows_a_mail(visitor: Visitor) -> bool:
    """Return whether the preview is shown; if the notifier was too busy to render it, reload it, as a person would."""
    if await frame(visitor).locator("h1").is_visible():
        return True
    await visitor.page.reload()
    return await frame(visitor).locator("h1").is_visible()


@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_the_pages_of_texts_read_well(context: PageContext, look: Look) -> None:
    visitor = await context("owner", "/settings/mails", look=look)
    for path, name in (
        ("mails", "mail-texts"),
        ("mails/order_recap/fr", "mail-text"),
        ("profile", "profile"),
    ):
        await visitor.go(f"/settings/{path}")
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        if name != "mail-texts":
            await wait_until(lambda: shows_a_mail(visitor), seconds=60, why="no mail in the frame")
        await visitor.axe()
        await visitor.fits()
        await visitor.screenshot(f"settings-{name}")


async def test_the_preview_is_narrow_dark_or_plain(context: PageContext) -> None:
    visitor = await context("owner", EDITOR, lang="en")
    await visitor.page.get_by_role("radio", name="Narrow").check()

    async def is_narrow() -> bool:
        box = await visitor.page.locator("iframe[name=mail-preview-frame]").bounding_box()
        return box is not None and box["width"] <= 320

    await wait_until(is_narrow)
    await visitor.page.get_by_role("radio", name="Dark").check()
    await expect(frame(visitor).locator("body")).to_have_css("background-color", "rgb(21, 23, 26)")
    await visitor.screenshot("settings-mail-text-narrow-dark", whole=False)
    await visitor.page.get_by_role("radio", name="Text").check()
    await expect(frame(visitor).locator("pre")).to_contain_text("Merci pour votre commande")


@pytest.mark.parametrize("path", ["/settings/mails", EDITOR, "/settings/profile"])
async def test_who_may_not_see_settings_sees_none_of_it(context: PageContext, path: str) -> None:
    visitor = await context("fulfilment", "/", lang="en")
    visitor.provokes(403)
    await visitor.go(path)
    await expect(visitor.page.get_by_label("Introduction")).to_have_count(0)
    await expect(visitor.page.get_by_label("Signature")).to_have_count(0)
