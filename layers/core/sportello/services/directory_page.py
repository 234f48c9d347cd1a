"""The public page as HTML: one file, no script, nothing fetched from anywhere else.

All that a care lead writes is data: every text and link is escaped where it is put in.
"""

from collections.abc import Iterable, Iterator
from html import escape
from string import Template

from sportello.domain.directory import Way
from sportello.domain.hours_words import day_in_words, opening_in_words
from sportello.services.directory import Place, View
from sportello.services.page_policy import page_policy

STYLE = """\
:root{color-scheme:light dark;--ink:#1b1b1f;--soft:#4a4a55;--paper:#fff;--line:#c9c9d2;--link:#0a4fa3;\
--open:#0a6b2e;--closed:#8a1c1c}
@media (prefers-color-scheme:dark){:root{--ink:#f1f1f4;--soft:#c2c2cc;--paper:#17171b;--line:#4b4b57;\
--link:#9cc4ff;--open:#7fdc9f;--closed:#ffb0a8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:42rem;padding:1.5rem 1rem 3rem;font:1.0625rem/1.55 system-ui,sans-serif;\
color:var(--ink);background:var(--paper);overflow-wrap:break-word}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:1rem 0 .25rem}
p{margin:.25rem 0}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem}
ul{list-style:none;margin:0;padding:0}
nav a,nav span,.ways a{display:inline-block;padding:.6rem 0;min-height:2.75rem;min-width:2.75rem}
.ways a{font-weight:600}
.ways li{border-bottom:1px solid var(--line);padding:.15rem 0}
.state{font-size:1.2rem}
.open strong{color:var(--open)}
.closed strong{color:var(--closed)}
.soft{color:var(--soft)}
table{border-collapse:collapse;width:100%;margin:1rem 0 .5rem}
caption{text-align:start;color:var(--soft);padding:.25rem 0}
th,td{text-align:start;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);\
font-weight:400}
thead th{color:var(--soft)}
[aria-current=date] th,[aria-current=date] td{font-weight:700}
"""
POLICY = page_policy(STYLE, forms="'none'")

_PAGE = Template("""\
<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$name: $title</title>
<link rel="icon" href="data:,">
<link rel="alternate" type="application/json" href="hours.json?lang=$language">
<style>$style</style>
</head>
<body>
<header>
$languages<h1>$name: $title</h1>
</header>
<main>
<p class="state $state_class"><strong>$state</strong><br>
$until</p>
<section aria-labelledby="hours">
<h2 id="hours">$hours_title</h2>
<p>$hours</p>
<table>
<caption>$days_title</caption>
<thead><tr><th scope="col">$day</th><th scope="col">$times</th></tr></thead>
<tbody>
$days</tbody>
</table>
<p class="soft">$zone</p>
</section>
$sections</main>
</body>
</html>
""")


def page(view: View) -> str:
    words, main = view.words, view.main()
    state = view.state(main)
    return _PAGE.substitute(
        language=escape(view.language),
        name=escape(view.desk.name),
        title=escape(words.title),
        style=STYLE,
        languages=_languages(view),
        state_class="open" if state.open else "closed",
        state=escape(words.open_now if state.open else words.closed_now),
        until=escape(_until(view, main)),
        hours_title=escape(words.hours),
        hours=escape(view.hours(main)),
        days_title=escape(words.days),
        day=escape(words.day),
        times=escape(words.times),
        days="".join(_days(view, main)),
        zone=escape(words.zone.format(zone=view.desk.time_zone)),
        sections=_ways(view) + _others(view),
    )


def _until(view: View, place: Place) -> str:
    """``Apriamo domani alle 9:00``; empty where no opening is known."""
    state, zone, words = view.state(place), view.desk.time_zone, view.words
    turn = state.closes_at if state.open else state.opens_at
    if turn is None:
        return words.always if state.open else ""
    said = opening_in_words(turn, view.at, zone, view.calendar_words)
    return words.closes.format(closing=said) if state.open else words.opens.format(opening=said)


def _languages(view: View) -> str:
    if len(view.desk.languages) < 2:
        return ""
    items = "".join(_language(view, code) for code in view.desk.languages)
    return f'<nav aria-label="{escape(view.words.language)}"><ul>{items}</ul></nav>\n'


def _language(view: View, code: str) -> str:
    name, code = escape(view.directory.words[code].own_name), escape(code)
    if code == view.language:
        return f'<li><span lang="{code}" aria-current="true">{name}</span></li>'
    return f'<li><a href="?lang={code}" lang="{code}" hreflang="{code}">{name}</a></li>'


def _days(view: View, place: Place) -> Iterator[str]:
    for number, day in enumerate(view.days(place)):
        date, hours, name = map(escape, day_in_words(day, view.calendar_words, view.name_of))
        today = f" ({escape(view.words.today)})" if number == 0 else ""
        current = ' aria-current="date"' if number == 0 else ""
        why = f' <span class="soft">{name}</span>' if name else ""
        yield f'<tr{current}><th scope="row">{date}{today}</th><td>{hours}{why}</td></tr>\n'


def _ways(view: View) -> str:
    items = [_way(view, way) for way in view.directory.ways]
    return _section("ways", view.words.ways, [f'<ul class="ways">\n{"".join(items)}</ul>\n'] if items else [])


def _way(view: View, way: Way) -> str:
    """The hours stand beside a way only where they are not the main ones."""
    place = view.way(way)
    said = f'<p class="soft">{escape(view.state_words(place))}</p>' if view.differs(place) else ""
    return f'<li><a href="{escape(way.link)}" rel="nofollow">{escape(place.name)}</a>{said}</li>\n'


def _others(view: View) -> str:
    places = [*view.channels(), *view.accounts(), *view.teams()]
    return _section("others", view.words.others, [_other(view, place) for place in places])


def _other(view: View, place: Place) -> str:
    return (
        f"<h3>{escape(place.name)}</h3>\n"
        f"<p>{escape(view.state_words(place))}</p>\n<p>{escape(view.hours(place))}</p>\n"
    )


def _section(key: str, title: str, parts: Iterable[str]) -> str:
    inside = "".join(parts)
    if not inside:
        return ""
    return f'<section aria-labelledby="{key}">\n<h2 id="{key}">{escape(title)}</h2>\n{inside}</section>\n'
