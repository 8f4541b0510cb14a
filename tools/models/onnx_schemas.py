"""Writes the operators that ONNX defines, for the article that says which are supported.

    .venv/bin/python tools/models/onnx_schemas.py > Tests/ONNXTests/Schemas.csv

A row for each operator: domain, name, the versions in which it changed, and the element types that it takes and that are
not numbers. Operators of ONNX Runtime are not among them.
"""

import re

import onnx.defs

NOT_NUMBERS = ("string", "complex64", "complex128")


def main() -> None:
    """Prints the rows."""
    operators: dict[tuple[str, str], list] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        operators.setdefault((schema.domain, schema.name), []).append(schema)
    print("domain,operator,versions,types")
    for (domain, name), schemas in sorted(operators.items()):
        schemas.sort(key=lambda schema: schema.since_version)
        last = schemas[-1]
        versions = " ".join(str(schema.since_version) for schema in schemas if not schema.deprecated)
        names = {t for constraint in last.type_constraints for text in constraint.allowed_type_strs for t in re.findall(r"\w+", text)}
        types = " ".join(t for t in NOT_NUMBERS if t in names)
        if not last.deprecated or schemas[0] is not last:
            print(f"{domain},{name},{versions},{types}")


if __name__ == "__main__":
    main()
