"""Writes ONNX's official tests as folders, laid out as its backend tests are: those of nodes, and the small models that
come with the package (simple, pytorch-converted, pytorch-operator).

    .venv/bin/python tools/models/onnx_cases.py OUTPUT [NAME_PART...]

Each case becomes OUTPUT/NAME/model.onnx with test_data_set_0/input_N.pb and output_N.pb. Cases whose inputs or outputs
are neither tensors nor sequences or optionals of such are left out; what is written can be run with `lathe verify OUTPUT/*`.
"""

import argparse
import shutil
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test.case.node as node_cases
import onnx.numpy_helper


def main() -> None:
    """Writes the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("parts", nargs="*", metavar="NAME_PART", help="write the cases that have one of these in their name")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")

    written = left_out = 0
    for case in node_cases.collect_testcases(None):
        if arguments.parts and not any(part in case.name for part in arguments.parts):
            continue
        if all(write(case, index, arguments.output) for index in range(len(case.data_sets))):
            written += 1
        else:
            left_out += 1
    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for folder in sorted(x for kind in ("simple", "pytorch-converted", "pytorch-operator") for x in (data / kind).iterdir()):
        if arguments.parts and not any(part in folder.name for part in arguments.parts):
            continue
        if has_tensors_only(folder):
            shutil.copytree(folder, arguments.output / folder.name, dirs_exist_ok=True)
            written += 1
        else:
            left_out += 1
    print(f"{written} cases written to {arguments.output}, {left_out} left out")


def has_tensors_only(folder: Path) -> bool:
    """Whether all inputs and outputs of a model are tensors or sequences."""
    graph = onnx.load(folder / "model.onnx").graph
    return all(value.type.HasField("tensor_type") or value.type.HasField("sequence_type") for value in [*graph.input, *graph.output])


def write(case, index: int, output: Path) -> bool:
    """Writes one data set of a case, and its model with the first; False for values that are neither tensors nor sequences or optionals of such."""
    inputs, outputs = case.data_sets[index]
    values = [x for value in [*inputs, *outputs] for x in (value if isinstance(value, list) else [value])]
    if not all(x is None or isinstance(x, np.ndarray | np.generic | onnx.TensorProto) for x in values):
        return False
    folder = output / case.name
    data = folder / f"test_data_set_{index}"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for kind, arrays, declared in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
        for position, (array, value) in enumerate(zip(arrays, declared, strict=True)):
            if value.type.HasField("optional_type"):
                array = onnx.numpy_helper.from_optional(array, value.name)
            elif isinstance(array, list):
                array = onnx.numpy_helper.from_list([np.asarray(x) for x in array], value.name)
            elif not isinstance(array, onnx.TensorProto):
                array = onnx.numpy_helper.from_array(np.asarray(array), value.name)
            (data / f"{kind}_{position}.pb").write_bytes(array.SerializeToString())
    return True


if __name__ == "__main__":
    main()
