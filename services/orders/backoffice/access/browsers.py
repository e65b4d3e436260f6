"""A browser's name for people: what `User-Agent` says, in two words."""

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
    """Firefox, Linux; what nobody knows shows its own beginning."""
    found = [
        next((name for sign, name in known if sign in user_agent), None) for known in (_PROGRAMS, _SYSTEMS)
    ]
    return ", ".join(name for name in found if name) or user_agent[:60] or "?"
