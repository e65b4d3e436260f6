"""Mail templates with the stylesheet written into their elements, since many mail clients read no other.

It happens when a template is first read, not for each mail: Jinja's tags are set aside as HTML comments and words,
css-inline writes the rules into the elements around them, and the tags come back. The rest of the HTML stays as it
is written, so a template must be HTML by itself: tables with their `<tbody>`, no statement inside of a tag.
"""

import re
from collections.abc import Callable
from pathlib import Path

from css_inline import CSSInliner
from jinja2 import BaseLoader, Environment, FileSystemLoader

_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_SET_ASIDE = re.compile(r"<!--jinja(\d+)x-->|jinja(\d+)x")
Source = tuple[str, str | None, Callable[[], bool] | None]


class InlinedTemplates(BaseLoader):
    """The templates of a folder; those of HTML have the rules of its stylesheet in their elements."""

    def __init__(self, folder: Path, stylesheet: str) -> None:
        self._files = FileSystemLoader(folder)
        self._rules = (folder / stylesheet).read_text("utf-8")

    def get_source(self, environment: Environment, template: str) -> Source:
        """Return a template's source. Raises jinja2.TemplateNotFound."""
        source, path, is_current = self._files.get_source(environment, template)
        return (inlined(source, self._rules) if template.endswith(".html") else source), path, is_current


def inlined(source: str, rules: str) -> str:
    """Return a template's HTML with these CSS rules in the `style` of the elements they are for. Rules in the
    template's own `<style>` stay there: those for dark and narrow screens work nowhere else.
    """
    tags = list[str]()

    def set_aside(match: re.Match[str]) -> str:
        tags.append(match[0])
        mark = f"jinja{len(tags) - 1}x"
        return f"<!--{mark}-->" if match[0].startswith("{%") else mark

    html = _TAG.sub(set_aside, source)
    inliner = CSSInliner(
        inline_style_tags=False,
        keep_style_tags=True,
        load_remote_stylesheets=False,
        minify_css=True,
        extra_css=rules,
    )
    is_page = html.lstrip().lower().startswith("<!doctype")
    written = inliner.inline(html) if is_page else inliner.inline_fragment(html, rules)
    return _SET_ASIDE.sub(lambda match: tags[int(match[1] or match[2])], written)
