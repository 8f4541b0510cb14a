#!/usr/bin/env python3
"""Writes Sources/PT2/Schemas.swift: PyTorch's schemas of the operators that Sources/PT2/Operators has rows for.

    .venv/bin/python tools/models/schemas.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch

PT2 = Path(__file__).resolve().parents[2] / "Sources" / "PT2"
ROW = re.compile(r'"([A-Za-z_0-9]+)(?:\.\w+)?":')
SCRIPT = {"t", "str", "int", "float", "complex", "bool", "Scalar", "item", "list", "left", "self", "dict", "Dict"}

HEAD = '''/// PyTorch's schemas of the operators that have rows, written by tools/models/schemas.py: an overload's name and its
/// parameters, with what stands for those that are left out. `&` marks one whose memory the results are in, `!` one
/// that is written to.
extension Schema {
  static let text = """
'''


def line(schema: torch.FunctionSchema) -> str:
    """An overload's name and parameters."""
    words = [schema.name.removeprefix("aten::") + (f".{schema.overload_name}" if schema.overload_name else "")]
    for argument in schema.arguments:
        alias = argument.alias_info
        mark = "" if alias is None else "!" if alias.is_write else "&"
        default = argument.default_value
        if isinstance(default, list) and len(default) > 1 and len(set(default)) == 1:
            default = default[0]  # one number for all axes
        # Files number types in another way; rows say which ones are meant.
        known = default is not None and not isinstance(default, torch.device) and argument.name != "dtype"
        words.append(argument.name + mark + ("=" + json.dumps(default, separators=(",", ":")) if known else ""))
    return " ".join(words)


def main() -> None:
    """Writes the file."""
    rows = {match for path in (PT2 / "Operators").glob("*.swift") for match in ROW.findall(path.read_text())}
    lines = set()
    for schema in torch._C._jit_get_all_schemas():
        namespace, _, name = schema.name.partition("::")
        is_out = any(argument.is_out for argument in schema.arguments)
        if namespace != "aten" or is_out or not ({name, name.removesuffix("_")} & rows):
            continue
        # TorchScript has more of some names: of its own lists, numbers and texts.
        types = {str(argument.type) for argument in schema.arguments}
        if set(schema.overload_name.split("_")) <= SCRIPT and not any("Tensor" in name for name in types):
            continue
        lines.add(line(schema))
    text = "\n".join(f"    {text}" for text in sorted(lines))
    (PT2 / "Schemas.swift").write_text(f'{HEAD}{text}\n    """\n}}\n')


if __name__ == "__main__":
    main()
