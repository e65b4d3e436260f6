"""The life that the auditor's tests look at."""

from tests.auditor.life import life

__all__ = ["life"]
