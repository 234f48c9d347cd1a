"""``new-channel`` on a copy of the tree: all that a channel is made of, failing until it is filled in."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli.errors import Refused
from infra.cli.new_channel import FILES, TEMPLATE, write_skeleton
from infra.engine.template import ROOT

COPIED = ("functions", "infra", "layers", "events", "templates", "tests/contract", "tests/unit")
Files = dict[str, bytes]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", ".local")
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def files_of(tree: Path) -> Files:
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture
def tests_of(tree: Path) -> Callable[..., str]:
    """What pytest says in the copy, in a process of its own."""

    def run(*arguments: str) -> str:
        paths = os.pathsep.join((str(tree / "layers" / "core"), str(tree)))
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider", *arguments],
            cwd=tree,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "SPORTELLO_FIXTURES": str(tree / "none")},
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    return run


@pytest.mark.parametrize(("name", "title"), [("fx", "F"), ("facsimilemachine", "Facsimile Machine & Co 4")])
def test_it_writes_a_whole_channel_and_nothing_else(tree: Path, name: str, title: str) -> None:
    before = files_of(tree)
    made = write_skeleton(tree, name, title)
    after = files_of(tree)
    assert made == [*(path.format(name=name) for path in FILES.values()), TEMPLATE]
    assert {path for path in after if after[path] != before.get(path)} == set(made)
    assert before.keys() - after.keys() == set()
    for path in made[:-1]:
        text = after[path].decode()
        assert "@" not in text.replace("@staticmethod", ""), path
        assert max(map(len, text.splitlines())) <= 110, path
        if path.endswith(".py"):
            compile(text, path, "exec")
        if path.endswith(".json"):
            json.loads(text)


def test_the_template_only_grows(tree: Path) -> None:
    before = (tree / TEMPLATE).read_text("utf-8").splitlines()
    write_skeleton(tree, "fax", "Fax")
    after = (tree / TEMPLATE).read_text("utf-8").splitlines()
    kept = iter(after)
    assert all(line in kept for line in before), "a line of the template is gone or has moved"
    assert len(after) - len(before) == 50
    assert max(map(len, after)) <= max(map(len, before))


def test_the_template_keeps_its_conventions(tree: Path, tests_of: Callable[..., str]) -> None:
    write_skeleton(tree, "fax", "Fax")
    told = tests_of("tests/unit/test_template.py", "-k", "fax or Fax or every_folder")
    assert " passed" in told, told
    assert "failed" not in told, told


def test_its_contract_tests_fail_and_say_what_is_missing(tree: Path, tests_of: Callable[..., str]) -> None:
    write_skeleton(tree, "fax", "Fax")
    told = tests_of("tests/contract/test_samples.py", "tests/contract/test_fax.py", "-k", "fax")
    assert "fax: verify is still to be written, see CONTRIBUTING.md" in told
    assert "fax: parse is still to be written" in told
    assert "events/fax/ wants a file for every kind" in told
    assert "fax: show what send asks" in told
    assert "error" not in told.splitlines()[-1]


def test_the_local_world_knows_it_at_once(tree: Path) -> None:
    write_skeleton(tree, "fax", "Fax")
    look = "from infra.world.discovery import stand_ins; print([kind.name for kind in stand_ins()])"
    paths = os.pathsep.join((str(tree / "layers" / "core"), str(tree)))
    told = subprocess.run(
        [sys.executable, "-c", look], cwd=tree, env={"PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert "'fax'" in told.stdout, told.stderr


@pytest.mark.parametrize(
    "name",
    ["", "f", "Fax", "fax2", "fax-machine", "é", "class", "telegram", "sender", "base", "graph", "slack"],
)
def test_a_name_that_is_none_or_taken_is_refused(tree: Path, name: str) -> None:
    before = files_of(tree)
    with pytest.raises(Refused):
        write_skeleton(tree, name, "Fax")
    assert files_of(tree) == before


@pytest.mark.parametrize("title", ["", '"', "a\nb", "x" * 25, "{a}"])
def test_a_title_that_would_break_a_file_is_refused(tree: Path, title: str) -> None:
    with pytest.raises(Refused, match="title"):
        write_skeleton(tree, "fax", title)


def test_a_file_that_is_there_is_not_overwritten(tree: Path) -> None:
    (tree / "events" / "fax").mkdir()
    (tree / "events" / "fax" / "text.json").write_text("mine")
    with pytest.raises(Refused, match=r"events/fax/text\.json exists"):
        write_skeleton(tree, "fax", "Fax")
    assert not (tree / "functions" / "fax").exists()


def test_a_template_without_its_landmarks_is_refused(tree: Path) -> None:
    path = tree / TEMPLATE
    path.write_text(path.read_text("utf-8").replace("# WORKERS", "# OTHERS"), "utf-8")
    with pytest.raises(Refused, match="WORKERS"):
        write_skeleton(tree, "fax", "Fax")
    assert not (tree / "functions" / "fax").exists()
