"""The electronic invoice: UN/CEFACT Cross Industry Invoice by EN 16931, as Factur-X embeds it. Pure.

The order of elements is the schema's (Factur-X 1.09, profile EN 16931). Business terms of the norm are named
beside the elements where the name does not tell (BT-…).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element, tostring

from contracts.money import to_decimal
from contracts.payments.invoices import InvoiceKind
from contracts.sale import PaymentMethod
from services.chassis.identifiers.numbers import compact
from services.chassis.identifiers.seller import OF_FRANCE
from services.payments.invoices.document import EXEMPT, STANDARD, ZERO, Content, Item
from services.payments.invoices.mentions import is_under_french_vat
from services.payments.invoices.rendering.elements import add, name_of
from services.payments.invoices.rendering.parties import add_address, add_buyer, add_seller
from services.payments.invoices.texts import text

PROFILE = "urn:cen.eu:en16931:2017"
_TYPE_CODES = {InvoiceKind.INVOICE: "380", InvoiceKind.CREDIT_NOTE: "381"}
_MEANS = {
    PaymentMethod.CARD: "48",
    PaymentMethod.PAYPAL: "68",
    PaymentMethod.CHEQUE: "20",
    PaymentMethod.CASH: "10",
}
_TRANSFER, _NOT_DEFINED = "30", "1"
_PROCESSES = {"goods": "B", "services": "S", "mixed": "M"}
_PIECE = "C62"


def electronic_invoice(content: Content) -> bytes:
    """Return the XML of a document that fits the norm (`conformity.obstacle`)."""
    root = Element(name_of("rsm:CrossIndustryInvoice"))
    context = add(root, "rsm:ExchangedDocumentContext")
    process = _PROCESSES[content.nature] + ("2" if content.paid_minor >= content.total_minor else "1")
    add(context, "ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID", process)
    add(context, "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", PROFILE)
    _document(add(root, "rsm:ExchangedDocument"), content)
    trade = add(root, "rsm:SupplyChainTradeTransaction")
    lines = [item for item in content.items if item.role in ("line", "correction")]
    for number, item in enumerate(lines, 1):
        _line(add(trade, "ram:IncludedSupplyChainTradeLineItem"), number, item, content.currency)
    _agreement(add(trade, "ram:ApplicableHeaderTradeAgreement"), content)
    _delivery(add(trade, "ram:ApplicableHeaderTradeDelivery"), content)
    _settlement(add(trade, "ram:ApplicableHeaderTradeSettlement"), content, lines)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def notes(content: Content) -> list[tuple[str, str]]:
    """Return the mentions in words, each with its subject code (UNTDID 4451). The fixed compensation for recovery
    costs is one of French law."""
    seller, locale = content.seller, content.locale
    legal = [seller.legal_form, text("capital", locale, amount=seller.capital) if seller.capital else ""]
    found = [("REG", " ".join(filter(None, [*legal, seller.registration])))]
    if seller.late_penalty:
        found.append(("PMD", text("late_penalty", locale, text=seller.late_penalty)))
    if content.buyer.is_business and seller.country in OF_FRANCE:
        found.append(("PMT", text("recovery", locale)))
    if seller.early_discount:
        found.append(("AAB", text("early_discount", locale, text=seller.early_discount)))
    if content.vat_on_debits:
        found.append(("TXD", text("vat_on_debits", locale)))
    if content.reason:
        found.append(("ACB", content.reason))
    return [(code, words) for code, words in found if words]


def _document(document: Element, content: Content) -> None:
    add(document, "ram:ID", content.number)
    add(document, "ram:TypeCode", _TYPE_CODES[content.kind])
    _day(document, "ram:IssueDateTime/udt:DateTimeString", content.issued_on)
    for code, words in notes(content):
        note = add(document, "ram:IncludedNote")
        add(note, "ram:Content", words)
        add(note, "ram:SubjectCode", code)


def _line(line: Element, number: int, item: Item, currency: str) -> None:
    add(line, "ram:AssociatedDocumentLineDocument/ram:LineID", str(number))
    product = add(line, "ram:SpecifiedTradeProduct")
    if item.sku:
        add(product, "ram:SellerAssignedID", item.sku)
    add(product, "ram:Name", item.description)
    if item.details:
        add(product, "ram:Description", "; ".join(item.details))
    sign = -1 if item.net_minor < 0 else 1
    off = _net_discount(item)
    price = abs(to_decimal(item.net_minor + off, currency)) / item.quantity
    add(line, "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount", _plain(price))
    quantity = add(line, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", str(sign * item.quantity))
    quantity.set("unitCode", _PIECE)
    settlement = add(line, "ram:SpecifiedLineTradeSettlement")
    _tax(add(settlement, "ram:ApplicableTradeTax"), item)
    if off:
        allowance = add(settlement, "ram:SpecifiedTradeAllowanceCharge")
        add(allowance, "ram:ChargeIndicator/udt:Indicator", "false")
        add(allowance, "ram:ActualAmount", _amount(off, currency))
        add(allowance, "ram:ReasonCode", "95")
    add(
        settlement,
        "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
        _amount(item.net_minor, currency),
    )


def _net_discount(item: Item) -> int:
    """Return the part of a line's discount that is before tax, in minor units: its share of the line."""
    whole = item.net_minor + item.tax_minor
    if item.discount_minor <= 0 or item.net_minor <= 0 or whole <= 0:
        return 0
    return item.discount_minor * item.net_minor // whole


def _agreement(agreement: Element, content: Content) -> None:
    add_seller(add(agreement, "ram:SellerTradeParty"), content.seller)
    add_buyer(add(agreement, "ram:BuyerTradeParty"), content.buyer)
    add(agreement, "ram:SellerOrderReferencedDocument/ram:IssuerAssignedID", content.code)


def _delivery(delivery: Element, content: Content) -> None:
    place = content.buyer.delivery or content.buyer.address
    if place is not None:
        party = add(delivery, "ram:ShipToTradeParty")
        add(party, "ram:Name", place.name)
        add_address(party, place)
    _day(
        delivery,
        "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/udt:DateTimeString",
        content.sold_on,
    )


def _settlement(settlement: Element, content: Content, lines: Sequence[Item]) -> None:
    currency = content.currency
    add(settlement, "ram:InvoiceCurrencyCode", currency)
    _means(add(settlement, "ram:SpecifiedTradeSettlementPaymentMeans"), content)
    for (category, rate), (net, tax) in _by_rate(content.items).items():
        group = add(settlement, "ram:ApplicableTradeTax")
        add(group, "ram:CalculatedAmount", _amount(tax, currency))
        add(group, "ram:TypeCode", "VAT")
        if category not in (STANDARD, ZERO):
            add(group, "ram:ExemptionReason", content.exemption_reason or text("exempt", content.locale))
        add(group, "ram:BasisAmount", _amount(net, currency))
        add(group, "ram:CategoryCode", category)
        if code := _exemption_code(category, content):
            add(group, "ram:ExemptionReasonCode", code)
        if content.vat_on_debits:
            add(group, "ram:DueDateTypeCode", "5")
        add(group, "ram:RateApplicablePercent", _percent(rate))
    charges = [item for item in content.items if item.role in ("shipping", "extra")]
    for item in charges:
        _charge(add(settlement, "ram:SpecifiedTradeAllowanceCharge"), item, currency)
    _day(
        settlement,
        "ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString",
        content.due_on,
    )
    _summation(settlement, content, lines, charges)
    if content.corrects and content.corrects_issued_on:
        corrected = add(settlement, "ram:InvoiceReferencedDocument")
        add(corrected, "ram:IssuerAssignedID", content.corrects)
        _day(corrected, "ram:FormattedIssueDateTime/qdt:DateTimeString", content.corrects_issued_on)


def _means(means: Element, content: Content) -> None:
    is_transfer = content.method is PaymentMethod.TRANSFER and content.seller.iban
    add(means, "ram:TypeCode", _TRANSFER if is_transfer else _MEANS.get(content.method, _NOT_DEFINED))
    if is_transfer:
        add(means, "ram:PayeePartyCreditorFinancialAccount/ram:IBANID", compact(content.seller.iban))


def _charge(charge: Element, item: Item, currency: str) -> None:
    add(charge, "ram:ChargeIndicator/udt:Indicator", "true" if item.net_minor >= 0 else "false")
    add(charge, "ram:ActualAmount", _amount(abs(item.net_minor), currency))
    add(charge, "ram:Reason", item.description)
    _tax(add(charge, "ram:CategoryTradeTax"), item)


def _summation(settlement: Element, content: Content, lines: Sequence[Item], charges: Sequence[Item]) -> None:
    currency = content.currency
    amounts = [item.net_minor for item in charges]
    summation = add(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    add(summation, "ram:LineTotalAmount", _amount(sum(item.net_minor for item in lines), currency))
    add(summation, "ram:ChargeTotalAmount", _amount(sum(a for a in amounts if a > 0), currency))
    add(summation, "ram:AllowanceTotalAmount", _amount(-sum(a for a in amounts if a < 0), currency))
    add(summation, "ram:TaxBasisTotalAmount", _amount(content.net_minor, currency))
    add(summation, "ram:TaxTotalAmount", _amount(content.tax_minor, currency)).set("currencyID", currency)
    add(summation, "ram:GrandTotalAmount", _amount(content.total_minor, currency))
    add(summation, "ram:TotalPrepaidAmount", _amount(content.paid_minor, currency))
    add(summation, "ram:DuePayableAmount", _amount(content.due_minor, currency))


def _tax(tax: Element, item: Item) -> None:
    add(tax, "ram:TypeCode", "VAT")
    add(tax, "ram:CategoryCode", item.category)
    add(tax, "ram:RateApplicablePercent", _percent(item.taxes[0].rate_ppm))


def _by_rate(items: Sequence[Item]) -> dict[tuple[str, int], tuple[int, int]]:
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for item in items:
        key = item.category, item.taxes[0].rate_ppm
        net, tax = sums.get(key, (0, 0))
        sums[key] = net + item.net_minor, tax + item.tax_minor
    return sums


def _exemption_code(category: str, content: Content) -> str | None:
    if category == EXEMPT and content.seller.is_exempt and is_under_french_vat(content.seller.country):
        return "VATEX-FR-FRANCHISE"
    return {"K": "VATEX-EU-IC", "G": "VATEX-EU-G"}.get(category)


def _day(parent: Element, path: str, day: date) -> None:
    add(parent, path, day.strftime("%Y%m%d")).set("format", "102")


def _amount(minor: int, currency: str) -> str:
    """Return an amount in the major unit with at most two decimals."""
    value = to_decimal(minor, currency)
    return f"{value:.2f}" if value.as_tuple().exponent not in (0,) else f"{value:f}"


def _plain(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.00000001')):f}".rstrip("0").rstrip(".") or "0"


def _percent(rate_ppm: int) -> str:
    return f"{(Decimal(rate_ppm) / 10_000).quantize(Decimal('0.0001')):f}".rstrip("0").rstrip(".") or "0"
