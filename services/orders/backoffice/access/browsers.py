"""Browser names for people: the `User-Agent` header in two words."""

_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def named(user_agent: str) -> str:
    """Return a name such as "Firefox, Linux"; an unknown browser is shown by the start of its `User-Agent`."""
    found = [
        next((name for sign, name in known if sign in user_agent), None) for known in (_PROGRAMS, _SYSTEMS)
    ]
    return ", ".join(name for name in found if name) or user_agent[:60] or "?"
