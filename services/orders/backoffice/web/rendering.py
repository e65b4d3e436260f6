"""Templates: Jinja with everything escaped and nothing undefined.

Macros of `templates/parts/*.html` are available in every template without an import. A request by htmx, which
carries the id of the element it will replace, renders only the block of that name (`id="order-rows"`: block
`order_rows`), so that a page and its parts are one template and work the same without scripts.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    nodes,
)
from jinja2_fragments import render_block
from markupsafe import Markup

from contracts.envelope import uuid7
from services.orders.backoffice.access import browsers
from services.orders.backoffice.language.activity_texts import requested
from services.orders.backoffice.language.actors import who
from services.orders.backoffice.language.formatting import FILTERS
from services.orders.backoffice.language.statuses import (
    STATE_TONES,
    colour_words,
    flag_badges,
    fulfilment_badges,
    method_words,
    module_words,
    payment_badges,
)
from services.orders.backoffice.language.translating import (
    PageLocale,
    gettext,
    ngettext,
    page_locale,
    pgettext,
    using_locale,
)
from services.orders.backoffice.web.statics import Statics
from services.orders.backoffice.web.words import NOT_SENT, OWNER_NAMES, ROLE_NAMES

ROOMS = Path(__file__).parent.parent
EXTENSIONS = ["jinja2.ext.do"]


class PartNamedTwice(ValueError):
    """Two files of templates/parts define a macro of the same name: it would be undefined which one a template gets."""


class Templates:
    """All templates of the process."""

    def __init__(self, statics: Statics, loader: BaseLoader | None = None) -> None:
        self.environment = Environment(
            loader=loader or _loader(ROOMS),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=EXTENSIONS,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self.environment.filters.update(FILTERS, browser=browsers.named, who=who, requested=requested)
        self.environment.globals.update(static=statics.url, new_key=_new_key, kept_key=_kept_key)
        self.environment.globals.update(role_names=ROLE_NAMES, owner_names=OWNER_NAMES, not_sent=NOT_SENT)
        self.environment.globals.update(
            state_tones=STATE_TONES,
            payment_badges=payment_badges,
            fulfilment_badges=fulfilment_badges,
            flag_badges=flag_badges,
            method_words=method_words,
            module_words=module_words,
            colour_words=colour_words,
        )
        self.environment.globals.update(
            _=_escaped(gettext), ngettext=_escaped(ngettext), pgettext=_escaped(pgettext)
        )
        self.environment.globals.update(_macros(self.environment))

    def render(self, how: PageLocale, name: str, values: Mapping[str, Any], block: str | None = None) -> str:
        """Render a template as HTML; only one block of it when `block` names one that it has."""
        with using_locale(how):
            if block is not None and self.has_block(name, block):
                return render_block(self.environment, name, block, values)
            return self.environment.get_template(name).render(values)

    def has_block(self, name: str, block: str) -> bool:
        """Return whether a template (or the one it extends) defines such a block."""
        return block in self.environment.get_template(name).blocks


def _loader(rooms: Path) -> BaseLoader:
    """Return the loader: templates are beside the pages they belong to (`orders/list.html` is
    `orders/templates/list.html`); those that all pages share are in `web/templates` and have no prefix.
    """
    folders = {folder.parent.name: folder for folder in sorted(rooms.glob("*/templates"))}
    shared = FileSystemLoader(folders.pop("web"))
    return ChoiceLoader(
        [shared, PrefixLoader({room: FileSystemLoader(folder) for room, folder in folders.items()})]
    )


def _new_key() -> str:
    """Return a new form key; a repeated submission with it is the same request as the first. It ends with the mark of
    the user the form is shown to.
    """
    return f"{uuid7()}-{page_locale().form_mark}".rstrip("-")


def _kept_key(action: str) -> str:
    """Return the key of a form that is shown again after its session had ended; "" for every other form."""
    path, key = page_locale().kept_form
    return key if path == action.partition("?")[0] else ""


def _escaped(translate: Any) -> Any:
    """Return a translation as safe HTML: the text is ours; the values that are filled in are escaped."""

    def call(*texts: Any, **values: Any) -> Markup:
        safe = {name: _as_markup(value) for name, value in values.items()}
        return Markup(translate(*texts, **safe))

    return call


def _as_markup(value: Any) -> Any:
    return Markup.escape(value) if isinstance(value, str) else value


def _macros(environment: Environment) -> Iterator[tuple[str, Callable[..., Markup]]]:
    """Yield every macro of templates/parts by its name. Raises PartNamedTwice."""
    seen: dict[str, str] = {}
    for name in environment.list_templates(filter_func=lambda one: one.startswith("parts/")):
        source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        for macro in _macro_names(source):
            if macro in seen:
                raise PartNamedTwice(f"{name} and {seen[macro]} both define {macro}; rename one")
            seen[macro] = name
            yield macro, _macro(environment, name, macro)


@cache
def _macro_names(source: str) -> tuple[str, ...]:
    """Return the macros that a template defines for others. Parsing takes most of the time of opening the templates,
    so a source is parsed once in a process.
    """
    macros = Environment(autoescape=True, extensions=EXTENSIONS).parse(source).find_all(nodes.Macro)
    return tuple(macro.name for macro in macros if not macro.name.startswith("_"))


def _macro(environment: Environment, file: str, name: str) -> Callable[..., Markup]:
    """Return a macro that is looked up when it is first used: its file runs only once all others are
    registered.
    """

    @cache
    def find() -> Callable[..., Markup]:
        found: Callable[..., Markup] = getattr(environment.get_template(file).module, name)
        return found

    def call(*given: Any, **named: Any) -> Markup:
        return find()(*given, **named)

    return call
