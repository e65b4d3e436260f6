"""Style sheets, scripts, pictures and the vendored htmx, served from memory under names with a content digest.

    /static/<digest of all of it>/comptoir.css

All files of `static/css` are one style sheet, in their names' order; scripts keep their folder, so that
modules may import each other by relative paths. A file with the digest in its name never changes and is
cached by browsers for a year.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOLDER = Path(__file__).parent / "static"
KEPT = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class Static:
    """A static file with its response headers."""

    content: bytes
    type: str

    @cached_property
    def packed(self) -> bytes:
        """Return the file compressed, computed once at the highest level."""
        return gzip.compress(self.content, 9, mtime=0)


class Statics:
    """All static files of the process."""

    def __init__(self, folder: Path = FOLDER) -> None:
        sheets = sorted((folder / "css").glob("*.css"))
        self.files = {"comptoir.css": Static(b"\n".join(one.read_bytes() for one in sheets), _TYPES[".css"])}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.suffix in _TYPES and not name.startswith("css/"):
                self.files[name] = Static(path.read_bytes(), _TYPES[path.suffix])
        content = b"".join(name.encode() + file.content for name, file in sorted(self.files.items()))
        self.digest = hashlib.sha256(content).hexdigest()[:16]

    def url(self, name: str) -> str:
        """Return the URL of a file. Raises KeyError when there is no such file."""
        if name not in self.files:
            raise KeyError(f"static/{name} does not exist; known: {', '.join(self.files)}")
        return f"/static/{self.digest}/{name}"

    async def serve(self, request: Request) -> Response:
        """Answer a GET of /static/{digest}/{name}. A page of another version may request an older digest: it
        gets the current file, but uncached.
        """
        file = self.files.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("no such file", 404)
        headers = {
            "Cache-Control": KEPT if request.path_params["digest"] == self.digest else "no-cache",
            "Vary": "Accept-Encoding",
        }
        is_text = file.type != _TYPES[".png"]
        if is_text and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.type
            )
        return Response(file.content, headers=headers, media_type=file.type)
