"""YAML as policy people expect it: `no` and `on` are words, a key stands once, a date is a date."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from records.errors import BadInput


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads `no`, `yes`, `on` and `off` as booleans; a case that expects `no` means the word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' stands twice; keep one of them", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> Any:
    """The content of one YAML file, not to be changed. BadInput if it is no YAML or a key stands twice."""
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"There is no file {path}. A rulebook needs it; restore it or name another folder.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name} is no readable YAML: {error}. Mend the file and load again.") from error


@lru_cache(maxsize=512)
def _parsed(text: str) -> Any:
    """Kept by text: a rulebook is loaded for many days, and YAML is slow to read."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader, made stricter
