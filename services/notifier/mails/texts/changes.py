"""Changes of texts and profiles in one unit of work: the latest versions loaded at once, new ones written at once."""

from collections.abc import Collection

from services.chassis.messaging.unit import Unit
from services.notifier.mails.texts import store
from services.notifier.mails.texts.store import ProfileRow, TextKey, TextRow


class TextChanges:
    """The latest versions of the texts and profiles that a batch's commands name, and the new ones."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._texts: dict[TextKey, TextRow] = {}
        self._profiles: dict[str, ProfileRow] = {}
        self._new_texts: list[TextRow] = []
        self._new_profiles: list[ProfileRow] = []

    async def load(self, texts: Collection[TextKey], profiles: Collection[str]) -> None:
        """Load the latest versions."""
        if texts:
            self._texts = await store.read_texts(self._unit.connection, texts)
        if profiles:
            self._profiles = await store.read_profiles(self._unit.connection, profiles)

    def text(self, key: TextKey) -> TextRow | None:
        """Return the latest version of a text, if it was ever changed."""
        return self._texts.get(key)

    def profile(self, shop: str) -> ProfileRow | None:
        """Return the latest version of a shop's profile, if it was ever changed."""
        return self._profiles.get(shop)

    def put_text(self, row: TextRow) -> None:
        """Add a version of a text."""
        self._texts[row.shop, row.template, row.locale, row.part] = row
        self._new_texts.append(row)

    def put_profile(self, row: ProfileRow) -> None:
        """Add a version of a profile."""
        self._profiles[row.shop] = row
        self._new_profiles.append(row)

    async def save(self) -> None:
        """Write the new versions."""
        await store.insert_texts(self._unit.writes, self._new_texts)
        await store.insert_profiles(self._unit.writes, self._new_profiles)
