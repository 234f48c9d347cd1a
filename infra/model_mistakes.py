"""Mistakes in a YAML document against a pydantic model, in words for who edits it."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from infra.yaml_with_lines import Document, Line, Path

M = TypeVar("M", bound=BaseModel)

_WRONG = MappingProxyType(
    {
        "string_type": "must be text (in quotes, if it looks like a number)",
        "int_type": "must be a whole number",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "tuple_type": "must be a list",
        "mapping_type": "must be lines of 'key: value'",
        "dict_type": "must be lines of 'key: value'",
        "model_type": "must be lines of 'key: value'",
        "string_too_short": "is empty",
        "too_short": "has too few entries",
        "too_long": "has too many entries",
        "string_pattern_mismatch": "is not written in the right form",
    }
)


def parse(
    document: Document,
    model: type[M],
    examples: Mapping[str, str],
    data: Any = None,
    elsewhere: Sequence[str] = (),
) -> tuple[M | None, list[Line]]:
    """The model, or what is wrong with each line.

    Args:
        examples: by the dotted path without numbers and names (``exceptions.hours``) or the last key:
            a line of the right form.
        data: what the document says, where it was completed from other files.
        elsewhere: keys that stand in other files, not to be suggested here.
    """
    data = _without_empty(document.data if data is None else data, model)
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        errors = _causes(error.errors(include_url=False, include_input=False))
    meant = {name for path, key, name in _misspelt(errors, model)}
    lines = []
    for found in errors:
        path = tuple(part for part in found["loc"] if part != "[key]")
        if found["type"] == "missing" and path[-1] in meant:
            continue  # it is there, misspelt
        known = [name for name in _fields(model, path[:-1]) if name not in elsewhere]
        lines.append(Line(document.line(path), _text(path, found["type"], found["msg"], known, examples)))
    return None, lines


def _causes(errors: list[Any]) -> list[Any]:
    """Without "too few entries" where an entry was refused."""
    refused = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in refused]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    by_case = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold(), by_case, n=1)
    return f" (did you mean {by_case[close[0]]!r}?)" if close else ""


def _text(path: Path, kind: str, message: str, known: Sequence[str], examples: Mapping[str, str]) -> str:
    example = f"; write e.g. {_example(path, examples)}"
    name = ".".join(map(str, path)) or "the file"
    if kind == "missing":
        return f"{name!r} is missing{example}"
    if kind == "extra_forbidden":
        return (
            f"{path[-1]!r} is not known here{did_you_mean(str(path[-1]), known)}; known: {', '.join(known)}"
        )
    if kind == "value_error":
        text = f"{name}: {message.removeprefix('Value error, ')}"
        return text if "write" in text else text + example
    return f"{name!r} {_WRONG.get(kind, message[:1].lower() + message[1:])}{example}"


def _example(path: Path, examples: Mapping[str, str]) -> str:
    words = [part for part in path if isinstance(part, str)]
    for key in (f"{words[0]}.{words[-1]}", words[-1]) if words else ():
        if key in examples:
            return examples[key]
    return next((examples[word] for word in reversed(words) if word in examples), "name: Sportello")


def _misspelt(errors: Iterable[Any], model: type[BaseModel]) -> Iterable[tuple[Path, str, str]]:
    for error in errors:
        if error["type"] == "extra_forbidden":
            path = error["loc"]
            for name in get_close_matches(str(path[-1]).casefold(), list(_fields(model, path[:-1])), n=1):
                yield path, path[-1], name


def _fields(model: type[BaseModel], path: Path) -> Mapping[str, Any]:
    """The fields of the model at a path; none where the document has another shape than the model."""
    at: Any = model
    for part in path:
        if _is_model(at):
            field = _named(at).get(str(part))
            at = field.annotation if field else None
        else:  # Mapping[str, X] or tuple[X, ...]
            at = (get_args(at) or (None,))[0 if isinstance(part, int) else -1]
        if get_origin(at) is Annotated:
            at = get_args(at)[0]
    return _named(at) if _is_model(at) else {}


def _named(model: type[BaseModel]) -> Mapping[str, Any]:
    """Its fields as they are written in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _without_empty(data: Any, model: type[BaseModel], path: Path = ()) -> Any:
    """``exceptions:`` with every line below it commented out is as good as absent."""
    if isinstance(data, list):
        return [_without_empty(value, model, (*path, index)) for index, value in enumerate(data)]
    if not isinstance(data, dict):
        return data
    known = _fields(model, path)
    return {
        key: _without_empty(value, model, (*path, key)) if key in known or not known else value
        for key, value in data.items()
        if value is not None or key not in known
    }
