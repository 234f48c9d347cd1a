"""Signature vectors computed by the platforms' own code: test data that is not part of the project.

``SPORTELLO_VECTORS`` names their folder (default: ``../shared/vectors`` beside the repository). Where
it is absent there are none, and each channel's tests have cases of their own that cover the same.
"""

import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("SPORTELLO_VECTORS", ROOT.parent / "shared" / "vectors"))


def other_vectors(name: str) -> list[dict[str, Any]]:
    """The vectors of one platform in ``other-channels.json``; none where the folder is absent."""
    if not VECTORS.is_dir():
        return []
    found = json.loads((VECTORS / "other-channels.json").read_text("utf-8"))[name]
    listed: list[dict[str, Any]] = found if isinstance(found, list) else [found]
    assert listed
    return listed


def meta_vectors(name: str) -> list[dict[str, Any]]:
    """The vectors of ``meta-and-x.json`` whose name begins so; none where the folder is absent."""
    if not VECTORS.is_dir():
        return []
    listed: list[dict[str, Any]] = json.loads((VECTORS / "meta-and-x.json").read_text("utf-8"))
    found = [vector for vector in listed if vector["name"].startswith(name)]
    assert found
    return found
