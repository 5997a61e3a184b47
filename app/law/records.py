"""Reading the law's data files: YAML, checked whole, refused with file, place and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from app.domain.errors import InvalidInput

DATA: Final = Path(__file__).with_name("data")
FILE_BYTES_MAX: Final = 2_000_000
ModelT = TypeVar("ModelT", bound=BaseModel)


class LawDataInvalid(InvalidInput):
    """A data file cannot be used; the message names the file, the place in it and the line."""

    code = "law_data_invalid"


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def read(model: type[ModelT], path: Path) -> ModelT:
    """The whole file as `model`, or LawDataInvalid."""
    return parse(model, path.read_text("utf-8"), path.name)


def parse(model: type[ModelT], text: str, name: str) -> ModelT:
    if len(text.encode()) > FILE_BYTES_MAX:
        raise LawDataInvalid(f"{name}: larger than {FILE_BYTES_MAX} bytes")
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        return model.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as broken:
        raise LawDataInvalid(f"{name}: not YAML: {broken}") from broken
    except ValidationError as invalid:
        first = invalid.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        line = line_of(node, first["loc"])
        raise LawDataInvalid(f"{name}, line {line}: {where}: {first['msg']}") from invalid


def line_of(node: yaml.Node | None, path: tuple[Any, ...]) -> int:
    """The line of the deepest part of `path` that stands in the file."""
    line = 1
    for part in path:
        below: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            below = next((v for k, v in node.value if k.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            below = node.value[part] if part < len(node.value) else None
        if below is None:
            break
        node = below
        line = node.start_mark.line + 1
    return line
