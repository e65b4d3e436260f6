"""A merchant's program reads and sets what the back office's pages do: an article's threshold, the shop's mails."""

import secrets
from typing import Any

from tests.journeys.mailbox import text_of
from tests.journeys.sales import a_sale, notebooks
from tests.journeys.shop import Shop


async def _article(shop: Shop, sku: str) -> dict[str, Any]:
    answer = await shop.http.get("/v1/stock", params={"sku": sku})
    assert answer.is_success, answer.text
    (article,) = answer.json()["articles"]
    shown: dict[str, Any] = article
    return shown


async def _refused(shop: Shop, path: str, content: dict[str, Any]) -> list[str]:
    """The codes of the reasons for which a command is refused, at once or when its owner answers later."""
    answer = await shop.ask(path, content)
    if answer.status_code == 202:
        reasons = (await shop.settled(answer))["outcome"]["reasons"]
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, "command_rejected"), answer.text
        reasons = answer.json()["errors"]
    return [reason["code"] for reason in reasons]


async def test_a_threshold_is_set_and_warns_by_mail_when_an_order_reaches_it(shop: Shop) -> None:
    sku = f"RARE-{secrets.token_hex(4)}"
    never = await _article(shop, sku)
    assert (never["available"], never["threshold"], never["levels"]) == (0, None, [])
    assert await _refused(shop, "/stock/thresholds", {"sku": sku, "threshold": 3}) == ["level_unknown"]
    await shop.count_stock({sku: 5})
    await shop.do("/stock/thresholds", {"sku": sku, "threshold": 3})
    article = await _article(shop, sku)
    assert (article["available"], article["threshold"], article["is_low"]) == (5, 3, False)
    await shop.order(a_sale(notebooks(2, sku)))
    [letter] = await shop.mails_to(shop.merchant, about=sku)
    assert "Votre seuil est de 3" in text_of(letter).replace("\n", " ")
    article = await _article(shop, sku)
    assert (article["available"], article["is_low"]) == (3, True)
    await shop.do("/stock/thresholds", {"sku": sku, "threshold": None})
    article = await _article(shop, sku)
    assert (article["threshold"], article["is_low"]) == (None, True), "low at the default, without a mail"
    await shop.do("/stock/thresholds", {"sku": sku, "threshold": None})


async def test_mails_are_switched_by_the_version_that_was_read(shop: Shop) -> None:
    before = (await shop.http.get("/v1/mail-rules")).json()
    switches = {one["mail"]: one["is_on"] for one in before["switches"]}
    assert switches["stock_low"]
    assert {one["mail"] for one in before["fixed"]}.isdisjoint(switches)
    (recap,) = [one for one in before["fixed"] if one["mail"] == "order_recap"]
    assert (recap["why"], recap["explanation"].startswith("the law requires")) == ("legal", True)
    change = {
        "switches": {"stock_low": False},
        "abandoned_after_minutes": before["abandoned_after_minutes"],
        "version": before["version"],
    }
    await shop.do("/mail-rules", change)
    after = (await shop.http.get("/v1/mail-rules")).json()
    assert {one["mail"]: one["is_on"] for one in after["switches"]} == {**switches, "stock_low": False}
    assert (after["version"], after["changed_by"]) == (before["version"] + 1, "api:demo")

    on_again = {**change, "switches": {"stock_low": True}}
    assert await _refused(shop, "/mail-rules", on_again) == ["version_differs"]
    fixed = {**change, "version": after["version"], "switches": {"order_recap": False}}
    assert await _refused(shop, "/mail-rules", fixed) == ["mail_required"]
    await shop.do("/mail-rules", {**on_again, "version": after["version"]})
