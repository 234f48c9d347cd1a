"""Opening hours as text: their rules, comments, and the nights that pass midnight."""

import re

# Patterns are text, compiled at use: a desk without nights spares its webhooks 0.3 ms of cold start.
_SPAN = r"\b(\d\d?):(\d\d)-(\d\d?):(\d\d)\b"
_SPANS = rf"{_SPAN}(,\s*{_SPAN})*"
RULES = r"(?:;|,\s(?!\d\d?:\d\d))"
"""What stands between rules; a comma before a time joins spans, one without a space joins days."""
COMMENT = r'"[^"]*"'


def without_comments(rules: str) -> str:
    return re.sub(COMMENT, "", rules)


def _night_ends(span: tuple[str, ...]) -> str:
    """The time of the next day at which a span closes; empty: before midnight."""
    opens_h, opens_m, closes_h, closes_m = map(int, span)
    if (closes_h, closes_m) <= (opens_h, opens_m):
        return f"{closes_h:02}:{closes_m:02}" if (closes_h, closes_m) > (0, 0) else ""
    return f"{closes_h - 24:02}:{closes_m:02}" if (closes_h, closes_m) > (24, 0) else ""


def until_midnight(rules: str) -> str:
    """The rules with every night ending at 24:00."""

    def cut(found: re.Match[str]) -> str:
        if found[0].startswith('"') or not _night_ends(found.groups()):
            return found[0]
        return f"{found[1]}:{found[2]}-24:00"

    return re.sub(rf"{COMMENT}|{_SPAN}", cut, rules)


def after_midnight(rules: str) -> str:
    """What is left of nights on the day after, as if it were the same day; empty: no nights."""
    if not any(map(_night_ends, re.findall(_SPAN, rules))):
        return ""
    rules, kept = without_comments(rules), ""
    for separator, rule in zip(["", *re.findall(RULES, rules)], re.split(RULES, rules), strict=True):
        ends = [end for span in re.findall(_SPAN, rule) if (end := _night_ends(span))]
        if ends:
            rest = re.sub(_SPANS, ",".join(f"00:00-{end}" for end in ends), rule)
        elif re.search(r"\b(off|closed)\b", rule):
            rest = "" if re.search(_SPAN, rule) else rule  # a break by day ends no night
        else:
            rest = "" if "," in separator else re.sub(_SPANS, "", rule).replace("24/7", "") + " off"
        if rest.strip():
            kept += f"{separator if kept else ''} {rest}"
    return " ".join(kept.split()) if "00:00-" in kept else ""


def mentions(word: str, rules: str) -> bool:
    return re.search(rf"\b{word}\b", without_comments(rules)) is not None
