"""What payments imports when it starts: what it uses at rest, and nothing of what draws or compares invoices."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOOK = """
import json, sys
import services.payments.app
from contracts.message import Part

def below(kind):
    for one in kind.__subclasses__():
        yield one
        yield from below(one)

models = set(below(Part))
print(json.dumps({
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "models": len(models),
    "built": sorted(one.__name__ for one in models if one.__pydantic_complete__),
}))
"""
FOR_DRAWING = {
    "PIL",
    "lxml",
    "saxonche",
    "weasyprint",
    "reportlab",
    "fontTools",
    "facturx",
    "jinja2",
    "babel",
}


def test_payments_starts_without_drawing_libraries_and_builds_a_messages_validator_on_first_use() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True
    )
    fields = json.loads(done.stdout)
    assert FOR_DRAWING & set(fields["modules"]) == set()
    assert fields["models"] > 80
    assert len(fields["built"]) < 5, fields["built"]
