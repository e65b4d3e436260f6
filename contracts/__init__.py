"""The words Comptoir's services and storefronts exchange: every message, its envelope and its money.

Needs pydantic only and is installable alone, so that a storefront's author takes this package and nothing
else. A published message changes additively within its major version; `python -m contracts.check` refuses
anything else.
"""
