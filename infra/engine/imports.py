"""Checks what ``sam build`` made: every function imports from its own folder, the layers and boto3 alone.

Locally the engine's own packages can be imported too, so what is missing from a layer would only fail
on AWS. Wheels of the built dependencies are for another processor: their Python files are compared
with those for this one, and it is these that are imported. Run as ``python -m infra.engine.imports``.
"""

import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from infra.engine.package import dependencies_layer
from infra.engine.template import FUNCTION, ROOT, read_template

BUILT = ROOT / ".aws-sam" / "build"
RUNTIME = ("boto3", "botocore", "s3transfer", "python-dateutil", "six")
"""What Lambda's Python brings along; jmespath and urllib3 come from our layer."""

ENVIRONMENT = {
    "TABLE": "table",
    "OUTBOX_QUEUE_URL": "http://127.0.0.1:9/outbox.fifo",
    "ESCALATION_QUEUE_URL": "http://127.0.0.1:9/escalations",
    "MEDIA_QUEUE_URL": "http://127.0.0.1:9/media",
    "CONSULT_QUEUE_URL": "http://127.0.0.1:9/consult",
    "BUCKET": "bucket",
    "ID_SALT": "0" * 16,
    "STACK": "sportello",
    "CLOCK": "real",
    "PLATFORMS": "",
    "MAIL_FROM": "",
    "POWERTOOLS_SERVICE_NAME": "sportello",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # nobody answers: importing must not need AWS
    "AWS_MAX_ATTEMPTS": "1",
}
OTHERS_ONLY = ("_avx2.so", "_sse2.so", "_feature_detector_cpp.so")
"""Extensions for instructions that an arm64 processor does not have; their packages do without."""
IMPORT = "import sys; sys.path[:0] = sys.argv[1:]; import handler; assert callable(handler.handler)"


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        dependencies, runtime = Path(temporary, "dependencies"), Path(temporary, "runtime")
        with zipfile.ZipFile(dependencies_layer()) as archive:
            archive.extractall(dependencies)
        _link_runtime(runtime)
        problems = _differences(BUILT / "DependenciesLayer" / "python", dependencies / "python")
        layers = [BUILT / "CoreLayer" / "python", dependencies / "python", runtime]
        for name, resource in read_template()["Resources"].items():
            if resource["Type"] == FUNCTION:
                problems += _import_alone(name, [BUILT / name, *layers])
    if problems:
        sys.exit("\n".join(problems))
    print("Every function imports from its folder, the layers and boto3 alone.")


def _link_runtime(target: Path) -> None:
    target.mkdir()
    for name in RUNTIME:
        distribution = metadata.distribution(name)
        tops = {file.parts[0] for file in distribution.files or () if file.suffix == ".py"}
        for top in tops - {".."}:
            (target / top).symlink_to(str(distribution.locate_file(top)))


def _differences(built: Path, here: Path) -> list[str]:
    """Python files that only one of the two variants of the layer has, and missing extensions."""
    problems = [f"{file}: in the built layer or in this machine's, not in both" for file in
                sorted(_names(built, ".py") ^ _names(here, ".py"))]  # fmt: skip
    missing = {name for name in _names(here, ".so") - _names(built, ".so") if not name.endswith(OTHERS_ONLY)}
    return problems + [f"{extension}: not in the built layer" for extension in sorted(missing)]


def _names(folder: Path, suffix: str) -> set[str]:
    """Relative paths; an extension's without the part that names Python and processor."""
    return {
        path.relative_to(folder).with_name(path.name.partition(".")[0] + suffix).as_posix()
        for path in folder.rglob(f"*{suffix}")
    }


def _import_alone(function: str, path: list[Path]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", IMPORT, *map(str, path)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    return [f"{function}: {done.stderr.strip()}"] if done.returncode else []


if __name__ == "__main__":
    main()
