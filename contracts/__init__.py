"""The messages that Comptoir's services and storefronts exchange, with their envelope and their money type.

Needs pydantic only and is installable alone, so that a storefront depends on this package and nothing
else. A published message changes additively within its major version; `python -m contracts.check` refuses
anything else.
"""
