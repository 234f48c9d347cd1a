"""What ``sam build`` does, for the Python that runs here: zips of the functions and the two layers.

Zips are made once per content and kept, so a second start makes none. They are deterministic: the
same content is the same zip, and CloudFormation sees no change.
"""

import compileall
import hashlib
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory

from infra.engine.template import ROOT

PACKAGE = ROOT / "layers" / "core" / "sportello"
REQUIREMENTS = ROOT / "layers" / "dependencies" / "requirements.txt"
TEMPLATES = ROOT / "templates"

BUILDS = ROOT / ".local" / "build"
KEPT_SECONDS = 24 * 3600.0

EPOCH = (1980, 1, 1, 0, 0, 0)
LAYER_MOUNT = "/opt"


class BuildFailed(Exception):
    """A layer or function cannot be made; the text says what to do."""


def function_zip(folder: Path, builds: Path = BUILDS) -> Path:
    """A function's own folder and nothing else, as ``sam build`` takes it."""
    return _once(builds, folder.name, [folder], lambda target: _copy(folder, target))


def core_layer(builds: Path = BUILDS, templates: Path = TEMPLATES) -> Path:
    """The package and what the care lead wrote in ``templates/``, checked and turned into JSON."""
    checks = sorted((ROOT / "infra").glob("*.py"))
    sources = [PACKAGE, templates, *checks]
    return _once(builds, "core", sources, lambda target: _fill_core(target, templates))


def dependencies_layer(builds: Path = BUILDS) -> Path:
    """The pinned requirements for this Python: copied from where they are installed (0.8 s), else by pip
    (3 s and more)."""
    return _once(builds, "dependencies", [REQUIREMENTS], _fill_dependencies)


def pins(requirements: Path = REQUIREMENTS) -> dict[str, str]:
    """Distribution names and their exact versions."""
    lines = (line.partition("#")[0].strip() for line in requirements.read_text("utf-8").splitlines())
    return dict(line.split("==", 1) for line in lines if line)


def _fill_core(target: Path, templates: Path) -> None:
    _copy(PACKAGE, target / "python" / "sportello")
    _run("infra.bundle", str(templates), str(target / "python" / "templates"))
    _compile(target)


def _fill_dependencies(target: Path) -> None:
    wanted = pins()
    python = target / "python"
    python.mkdir()
    if wanted == {name: _installed(name) for name in wanted}:
        for name in wanted:
            _copy_distribution(metadata.distribution(name), python)
    else:
        _run("pip", "install", "--quiet", "--no-deps", "--no-compile", "--disable-pip-version-check",
             "--target", str(python), "--requirement", str(REQUIREMENTS))  # fmt: skip
    _compile(target)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _copy_distribution(distribution: metadata.Distribution, target: Path) -> None:
    for file in distribution.files or ():
        if ".." in file.parts or "__pycache__" in file.parts or file.parts[0].endswith(".dist-info"):
            continue
        destination = target / file
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), destination)


def _run(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildFailed((done.stderr or done.stdout).strip())


def _compile(target: Path) -> None:
    """Unchecked hashes: extraction moves the times of files, and nothing writes ``.pyc`` on Lambda."""
    compileall.compile_dir(
        target,
        quiet=1,
        stripdir=str(target),
        prependdir=LAYER_MOUNT,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _once(builds: Path, name: str, sources: Iterable[Path], fill: Callable[[Path], None]) -> Path:
    """The zip of what ``fill`` writes, made anew only when a source or the Python has changed."""
    finished = builds / f"{name}-{_digest(sources)}.zip"
    if not finished.exists():
        builds.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=builds) as temporary:
            content = Path(temporary, "content")
            content.mkdir()
            fill(content)
            zipped = Path(temporary, "zip")
            _zip(content, zipped)
            zipped.replace(finished)
        _forget_older(builds, name)
    return finished


def _forget_older(builds: Path, name: str) -> None:
    """Not at once: another desk, a test's for one, may be about to read the one before."""
    for zipped in builds.glob(f"{name}-*.zip"):
        if zipped.stat().st_mtime < time.time() - KEPT_SECONDS:
            zipped.unlink()


def _digest(sources: Iterable[Path]) -> str:
    digest = hashlib.sha256(sys.version.encode() + Path(__file__).read_bytes())
    for source in sources:
        for file in _files(source):
            digest.update(f"\0{file.relative_to(source.parent)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
