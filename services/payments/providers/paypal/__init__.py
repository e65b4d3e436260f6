"""PayPal: signature, certificates, events, objects and calls. Nothing else depends on PayPal's formats."""

PROVIDER = "paypal"
TITLE = "PayPal"
