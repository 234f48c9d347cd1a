"""A folder that looks to a process as Lambda does: the built layers, the runtime's boto3, nothing else."""

import compileall
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from py_compile import PycInvalidationMode

from infra.engine.imports import ENVIRONMENT
from infra.engine.launcher import HOME
from infra.engine.package import core_layer, dependencies_layer
from infra.engine.template import ROOT

RUNTIME = ("boto3", "botocore", "s3transfer", "python-dateutil", "six")
"""What Lambda's Python brings along."""
TRACER = ("aws-xray-sdk", "wrapt")
"""What the usual stack needs besides; nothing of ours imports it."""
PROGRAMS = Path(__file__).parent / "programs"
CHILD_SECONDS = 120


class ChildFailed(RuntimeError):
    """A measured process ended with an error; the text is what it wrote."""


class Sandbox:
    def __init__(self, folder: Path, *, tracer: bool = False) -> None:
        self._folder = folder
        for name, layer in (("core", core_layer), ("dependencies", dependencies_layer)):
            with zipfile.ZipFile(layer(HOME / "build")) as archive:
                archive.extractall(folder / name)
        programs = folder / "programs" / PROGRAMS.relative_to(ROOT)
        shutil.copytree(PROGRAMS, programs, ignore=shutil.ignore_patterns("__pycache__"))
        _link(folder / "runtime", (*RUNTIME, *TRACER) if tracer else RUNTIME)
        compileall.compile_dir(
            folder / "programs", quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
        )

    def environment(self, endpoint: str) -> dict[str, str]:
        """What the template gives every function, with ``endpoint`` for all of AWS."""
        dependencies = self._folder / "dependencies" / "python"
        return {
            "PATH": os.defpath,
            **ENVIRONMENT,
            "OUTBOX_QUEUE_URL": f"{endpoint}/000000000000/outbox.fifo",
            "ESCALATION_QUEUE_URL": f"{endpoint}/000000000000/escalations",
            "MEDIA_QUEUE_URL": f"{endpoint}/000000000000/media",
            "CONSULT_QUEUE_URL": f"{endpoint}/000000000000/consult",
            "AWS_ENDPOINT_URL": endpoint,
            "LAMBDA_TASK_ROOT": "/var/task",
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "_X_AMZN_TRACE_ID": "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=1",
            "PYTHONTZPATH": str(dependencies / "tzdata" / "zoneinfo"),
        }

    def run(self, program: str, channel: str, event: str, environment: Mapping[str, str]) -> tuple[str, str]:
        """Run one program alone; returns what it reported (its stderr) and what it logged (stdout).

        Raises:
            ChildFailed: it ended with an error.
        """
        path = [
            ROOT / "functions" / channel,
            self._folder / "core" / "python",
            self._folder / "dependencies" / "python",
            self._folder / "runtime",
            self._folder / "programs",
        ]
        log = self._folder / "log"  # a file: a pipe would charge the process for waking its reader
        with log.open("w") as output:
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-B", "-c", _START.format(program=program), *map(str, path)],
                env=dict(environment),
                input=event,
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                timeout=CHILD_SECONDS,
            )
        logged = log.read_text("utf-8")
        if done.returncode:
            raise ChildFailed(f"{program}: {logged[-2000:]}{done.stderr[-2000:]}")
        return done.stderr, logged


_START = "import sys; sys.path[:0] = sys.argv[1:]; import tests.bench.programs.{program}"


def _link(target: Path, names: Sequence[str]) -> None:
    """The packages as they are installed here, with the ``.pyc`` that pip made of them."""
    target.mkdir()
    for name in names:
        distribution = metadata.distribution(name)
        tops = {file.parts[0] for file in distribution.files or () if file.suffix in (".py", ".so")}
        for top in tops - {".."}:
            (target / top).symlink_to(str(distribution.locate_file(top)))
