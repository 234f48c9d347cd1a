"""What a browser may do with a page of ours: show its one style, and nothing from anywhere else."""

import base64
import hashlib


def page_policy(style: str, *, forms: str) -> str:
    """The Content-Security-Policy of a page; the empty picture keeps browsers from asking for an icon.

    Args:
        forms: where its forms lead: ``'self'`` or ``'none'``.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        f"base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
    )
