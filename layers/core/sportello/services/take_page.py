"""The page on which a conversation is taken, as HTML: no script, nothing fetched from anywhere else.

Customers' words, names and all that a care lead writes are data: each is escaped where it is put in.
"""

from collections.abc import Iterator
from html import escape
from string import Template

from sportello.services.notice_words import ConsoleWords
from sportello.services.page_policy import page_policy
from sportello.services.taking import NAME_MOST, Waiting

STYLE = """\
:root{color-scheme:light dark;--ink:#1b1b1f;--soft:#4a4a55;--paper:#fff;--line:#c9c9d2;--main:#0a4fa3;\
--on:#fff;--held:#fff4d6;--done:#e2f4e8;--wrong:#9c1c1c}
@media (prefers-color-scheme:dark){:root{--ink:#f1f1f4;--soft:#c2c2cc;--paper:#17171b;--line:#4b4b57;\
--main:#9cc4ff;--on:#10131a;--held:#3d3315;--done:#16361f;--wrong:#ffb0a8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:38rem;padding:1.25rem 1rem 3rem;font:1.0625rem/1.5 system-ui,sans-serif;\
color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.3;margin:.25rem 0 1rem}
h2{font-size:1.1rem;margin:1.75rem 0 .5rem}
p{margin:.5rem 0}
dl{margin:0}
dt{color:var(--soft);font-size:.95rem;margin-top:.75rem}
dd{margin:0;white-space:pre-line}
ul{margin:.75rem 0;padding:0;list-style:none}
li{white-space:pre-line;padding:.5rem 0;border-bottom:1px solid var(--line)}
.state{padding:.75rem 1rem;border-radius:.5rem;border:1px solid var(--line);font-weight:600}
.held{background:var(--held)}
.done{background:var(--done)}
.wrong{color:var(--wrong);font-weight:600}
.soft{color:var(--soft)}
form{margin:.75rem 0}
button{font:inherit;font-weight:600;min-height:3rem;padding:.6rem 1.1rem;margin:.25rem .5rem .25rem 0;\
border:2px solid var(--main);border-radius:.5rem;background:var(--main);color:var(--on);cursor:pointer}
label{display:block;font-weight:600;margin:.5rem 0 .25rem}
input[type=text]{font:inherit;width:100%;min-height:3rem;padding:.5rem .75rem;color:var(--ink);\
background:var(--paper);border:2px solid var(--soft);border-radius:.5rem}
:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
pre{font:.95rem/1.5 ui-monospace,monospace;white-space:pre-wrap;margin:0}
@media (forced-colors:active){button{border-color:ButtonText}}
"""
POLICY = page_policy(STYLE, forms="'self'")

_PAGE = Template("""\
<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<main>
<h1>$heading</h1>
$body</main>
</body>
</html>
""")


def plain_page(language: str, title: str, text: str) -> str:
    """A page that says one thing."""
    return _page(language, title, title, f"<p>{escape(text)}</p>\n")


def take_page(
    language: str,
    words: ConsoleWords,
    waiting: Waiting,
    token: str,
    *,
    since: str,
    taken_by: str = "",
    wrong: str = "",
) -> str:
    """What there is to take, who has it, and the form.

    Args:
        since: since when its holder has it, in words; empty: it is not known.
        taken_by: who has taken it just now.
        wrong: why that was not possible.
    """
    if waiting.answered:
        said = f'<p class="state done" role="status">{escape(words.answered)}</p>\n'
        return _page(language, words.title, words.title, said)
    body = "".join(_parts(words, waiting, token, since, taken_by, wrong))
    return _page(language, words.title, waiting.notice.title, body)


def _page(language: str, title: str, heading: str, body: str) -> str:
    return _PAGE.substitute(
        language=escape(language), title=escape(title), heading=escape(heading), style=STYLE, body=body
    )


def _parts(
    words: ConsoleWords, waiting: Waiting, token: str, since: str, taken_by: str, wrong: str
) -> Iterator[str]:
    if wrong:
        yield f'<p class="wrong" role="alert">{escape(wrong)}</p>\n'
    yield _state(words, waiting, since, taken_by)
    if waiting.conversations:
        yield f"<p>{escape(words.incident.format(count=waiting.conversations))}</p>\n"
        yield f'<p class="soft">{escape(words.incident_taken)}</p>\n'
    if not taken_by:
        yield _forms(words, waiting, token)
    yield "<dl>\n"
    for label, value in waiting.notice.lines:
        yield f'<dt>{escape(label)}</dt><dd dir="auto">{escape(value)}</dd>\n'
    yield "</dl>\n"
    if waiting.notice.items:
        yield "<ul>\n"
        yield from (f'<li dir="auto">{escape(item.text)}</li>\n' for item in waiting.notice.items)
        yield "</ul>\n"
    if waiting.notice.answer:
        yield f"<h2>{escape(words.how_to_answer)}</h2>\n<pre>{escape(waiting.notice.answer)}</pre>\n"


def _state(words: ConsoleWords, waiting: Waiting, since: str, taken_by: str) -> str:
    if taken_by:
        return f'<p class="state done" role="status">{escape(words.has_it_now.format(who=taken_by))}</p>\n'
    if not waiting.holder:
        return f'<p class="state">{escape(words.nobody_has_it)}</p>\n'
    said = words.has_it.format(who=waiting.holder, when=since) if since else _now(words, waiting)
    return f'<p class="state held">{escape(said)}</p>\n'


def _now(words: ConsoleWords, waiting: Waiting) -> str:
    return words.has_it_now.format(who=waiting.holder)


def _forms(words: ConsoleWords, waiting: Waiting, token: str) -> str:
    """Two of them: Enter in the field must not press the first person's button."""
    act = words.take_over.format(who=waiting.holder) if waiting.holder else words.take
    hidden = (
        f'<input type="hidden" name="token" value="{escape(token)}">'
        f'<input type="hidden" name="over" value="{escape(waiting.holder)}">\n'
    )
    parts = [f"<h2>{escape(act)}</h2>\n"]
    if waiting.people:
        buttons = "".join(
            f'<button name="person" value="{escape(name)}">{escape(name.capitalize())}</button>\n'
            for name in waiting.people
        )
        parts.append(
            f'<form method="post" aria-labelledby="who">\n<p id="who">{escape(words.choose)}</p>\n'
            f"{hidden}{buttons}</form>\n"
        )
    label = words.other_name if waiting.people else words.choose
    parts.append(
        f'<form method="post">\n{hidden}<label for="name">{escape(label)}</label>\n'
        f'<input type="text" id="name" name="name" maxlength="{NAME_MOST}" required autocomplete="nickname" '
        f'aria-describedby="hint">\n<p class="soft" id="hint">{escape(words.name_hint)}</p>\n'
        f"<button>{escape(act)}</button>\n</form>\n"
    )
    return "".join(parts)
