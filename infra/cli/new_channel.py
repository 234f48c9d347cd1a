"""``new-channel``: the skeleton of a channel, whose contract tests fail until it is filled in.

The texts are in ``skeleton/``; ``@name@``, ``@Class@`` and ``@title@`` stand for the channel's.
"""

import keyword
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from infra.cli.errors import Refused
from infra.cli.work import console
from infra.engine.template import ROOT

SKELETON = Path(__file__).with_name("skeleton")
FILES = {
    "channel.py.txt": "layers/core/sportello/channels/{name}.py",
    "handler.py.txt": "functions/{name}/handler.py",
    "connection.json.txt": "events/{name}/connection.json",
    "text.json.txt": "events/{name}/text.json",
    "signing.py.txt": "tests/contract/signing_{name}.py",
    "test.py.txt": "tests/contract/test_{name}.py",
    "world.py.txt": "infra/world/{name}.py",
    "page.md.txt": "docs/channels/{name}.md",
}
TEMPLATE = "infra/template.yaml"
BANNER = f"  # {'=' * 100}\n  # WORKERS\n"
"""Blocks of webhooks stand before it, outputs with their addresses before ``FIRST_OUTPUT``."""
FIRST_OUTPUT = "  TableName:\n"
LINE_WIDTH = 104
NAME_FORM = re.compile(r"[a-z]{2,16}")
TITLE_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .&-]{0,23}")
TAKEN = frozenset({"slack", "core", "channel", "channels"})


def new_channel(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower case letters, e.g. line.")],
    title: Annotated[
        str, typer.Option("--title", metavar="TITLE", help="As people write it, e.g. LINE.")
    ] = "",
) -> None:
    """Write the skeleton of a channel into this folder: module, function, samples, tests, page, template."""
    made = write_skeleton(ROOT, name, title or name.capitalize())
    for path in made:
        console.print(Text(f"  {path}"), soft_wrap=True)
    console.print(
        Text(
            "Fill them in, in this order: samples, module, tests, stand-in, page. "
            f"`make test ARGS='tests/contract -k {name}'` says what is missing; CONTRIBUTING.md how."
        ),
        soft_wrap=True,
    )


def write_skeleton(root: Path, name: str, title: str) -> list[str]:
    """Write all files of a channel below ``root``; returns their paths, the changed template last.

    Raises:
        Refused: the name or title is none, or something of that name exists. Nothing was written.
    """
    _refuse_bad(root, name, title)
    words = {"@name@": name, "@Class@": name.capitalize(), "@title@": title}
    words["@dashes@"] = "-" * (LINE_WIDTH - len(f"  # ----- {name} "))
    texts = {path.format(name=name): _filled(file, words) for file, path in FILES.items()}
    for file, path in FILES.items():
        if (root / path.format(name=name)).exists():
            raise Refused(f"{path.format(name=name)} exists already ({file} would overwrite it).")
    template = _with_block(
        (root / TEMPLATE).read_text("utf-8"),
        _filled("block.yaml.txt", words),
        _filled("output.yaml.txt", words),
    )
    for path, text in {**texts, TEMPLATE: template}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return [*texts, TEMPLATE]


def _refuse_bad(root: Path, name: str, title: str) -> None:
    if not NAME_FORM.fullmatch(name) or keyword.iskeyword(name):
        raise Refused(f"{name!r} is no name of a channel: 2 to 16 lower case letters, no word of Python.")
    if not TITLE_FORM.fullmatch(title):
        raise Refused(f"{title!r} is no title: up to 24 letters, digits, spaces and . & -")
    modules = root / "layers" / "core" / "sportello" / "channels"
    if name in TAKEN or (modules / f"{name}.py").exists() or (root / "functions" / name).exists():
        raise Refused(f"{name} exists already.")
    if re.search(rf"^  {name}(Function|Logs|Url):", _template(root), re.MULTILINE | re.IGNORECASE):
        raise Refused(f"{TEMPLATE} has resources of that name already.")


def _template(root: Path) -> str:
    return (root / TEMPLATE).read_text("utf-8")


def _filled(file: str, words: dict[str, str]) -> str:
    text = (SKELETON / file).read_text("utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


def _with_block(template: str, block: str, output: str) -> str:
    resources, outputs_mark, outputs = template.partition("\nOutputs:\n")
    if resources.count(BANNER) != 1 or outputs.count(FIRST_OUTPUT) != 1:
        raise Refused(f"{TEMPLATE} has lost its WORKERS banner or its output TableName: put them back.")
    resources = resources.replace(BANNER, block + BANNER)
    return resources + outputs_mark + outputs.replace(FIRST_OUTPUT, output + FIRST_OUTPUT)
