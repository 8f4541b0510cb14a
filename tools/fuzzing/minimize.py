"""Makes failing models smaller while they fail in the same way."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnx.printer
import reference
from checks import Checker, Found
from growth import names_of, pruned
from onnx import AttributeProto, ModelProto, helper, numpy_helper
from reference import Arrays

Candidate = tuple[ModelProto, Arrays]


def show(checker: Checker, failure: Found, folder: Path | None) -> None:
    """Prints the smallest model with a failure, and writes it into a folder of its own."""
    small = minimized(checker, failure)
    print("    " + text(small.model).replace("\n", "\n    "))
    print(f"    {small}", flush=True)
    if folder is None:
        return
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"{small.kind} {small.group}")[:80].strip("-")
    place = folder / name
    for count in range(1, 1000):
        if not place.exists():
            break
        place = folder / f"{name}-{count}"
    write(place, small.model, small.inputs, checker)
    (place / "failure.txt").write_text(f"{small.way}\n{small.message}\n{onnx.printer.to_text(small.model)}\n")


def text(model: ModelProto) -> str:
    """A model as text, long constants shortened."""
    return re.sub(r"\{([^{}\n]{60})[^{}\n]{40,}\}", r"{\1 ...}", onnx.printer.to_text(model))


def write(place: Path, model: ModelProto, inputs: Arrays, checker: Checker) -> None:
    """A model with inputs and expected outputs, as ONNX lays tests out."""
    data = place / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    onnx.save(model, place / "model.onnx")
    for position, value in enumerate(model.graph.input):
        (data / f"input_{position}.pb").write_bytes(numpy_helper.from_array(inputs[value.name], value.name).SerializeToString())
    try:
        values = checker.expected(model, inputs).values
    except reference.NoReference:
        return
    for position, value in enumerate(model.graph.output):
        kind = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        array = values[value.name].astype(kind)
        (data / f"output_{position}.pb").write_bytes(numpy_helper.from_array(array, value.name).SerializeToString())


def minimized(checker: Checker, failure: Found, budget: int = 400) -> Found:
    """The smallest failure of the same class that is found within so many runs."""
    best = failure
    runs = 0

    def fails(candidate: Candidate) -> Found | None:
        nonlocal runs
        runs += 1
        try:
            onnx.checker.check_model(candidate[0])
            report = checker.compare(candidate[0], candidate[1], [failure.way])
        except Exception:  # what is no model is no candidate
            return None
        for found in report.failures:
            if found.kind == failure.kind and (failure.kind == "wrong" or found.key == failure.key):
                return found
        return None

    progress = True
    while progress and runs < budget:
        progress = False
        for reduce in REDUCTIONS:
            position = 0
            while runs < budget:
                candidates = list(reduce(best.model, best.inputs))
                if position >= len(candidates):
                    break
                found = fails(candidates[position])
                if found:
                    best, progress = found, True
                else:
                    position += 1
    print(f"    ({runs} runs to minimize)", file=sys.stderr)
    return best


def copied(model: ModelProto) -> ModelProto:
    result = ModelProto()
    result.CopyFrom(model)
    return result


def cleaned(model: ModelProto, inputs: Arrays) -> Candidate:
    """A model without what nothing needs, inputs too."""
    model = pruned(model)
    used = {name for node in model.graph.node for name in names_of(node)} | {x.name for x in model.graph.output}
    kept = [x for x in model.graph.input if x.name in used]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model, {x.name: inputs[x.name] for x in kept}


def fewer_outputs(model: ModelProto, inputs: Arrays) -> Iterator[Candidate]:
    """One output alone, or one less."""
    count = len(model.graph.output)
    if count < 2:
        return
    for keep in [[i] for i in range(count)] + [[j for j in range(count) if j != i] for i in range(count)]:
        changed = copied(model)
        outputs = [model.graph.output[i] for i in keep]
        del changed.graph.output[:]
        changed.graph.output.extend(outputs)
        yield cleaned(changed, inputs)


def earlier_outputs(model: ModelProto, inputs: Arrays) -> Iterator[Candidate]:
    """An operand of the last node as the output instead of its result."""
    types = reference.element_types(model)
    made = {name for node in model.graph.node for name in node.output}
    for output in model.graph.output:
        node = next((x for x in model.graph.node if output.name in x.output), None)
        for name in node.input if node else []:
            if name in made and types.get(name):
                changed = copied(model)
                for x in changed.graph.output:
                    if x.name == output.name:
                        x.CopyFrom(helper.make_tensor_value_info(name, types[name], None))
                if len({x.name for x in changed.graph.output}) == len(changed.graph.output):
                    yield cleaned(changed, inputs)


def cut_nodes(model: ModelProto, inputs: Arrays) -> Iterator[Candidate]:
    """A node's results as inputs with the values that they have."""
    values = inner_values(model, inputs)
    for position, node in enumerate(model.graph.node):
        if all(isinstance(values.get(x), np.ndarray) for x in node.output if x) and node.output[0] not in {x.name for x in model.graph.output}:
            changed = copied(model)
            del changed.graph.node[position]
            given = dict(inputs)
            for name in node.output:
                if name:
                    changed.graph.input.append(
                        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(values[name].dtype), values[name].shape))
                    given[name] = values[name]
            yield cleaned(changed, given)


def inner_values(model: ModelProto, inputs: Arrays) -> Arrays:
    """The values of all nodes' results."""
    changed = copied(model)
    known = {x.name for x in changed.graph.output}
    names = [x for node in changed.graph.node for x in node.output if x]
    for name in names:
        if name not in known:
            changed.graph.output.append(onnx.ValueInfoProto(name=name))
    try:
        return dict(zip([x.name for x in changed.graph.output], reference.run_onnxruntime(changed, inputs)))
    except Exception:  # ONNX Runtime raises whatever it likes
        return {}


def bypass_nodes(model: ModelProto, inputs: Arrays) -> Iterator[Candidate]:
    """An operand of the result's type and shape in its place."""
    values = inner_values(model, inputs) | inputs | {x.name: numpy_helper.to_array(x) for x in model.graph.initializer}
    outputs = {x.name for x in model.graph.output}
    for position, node in enumerate(model.graph.node):
        result = values.get(node.output[0])
        for name in node.input:
            operand = values.get(name)
            if isinstance(operand, np.ndarray) and isinstance(result, np.ndarray) and operand.shape == result.shape and operand.dtype == result.dtype:
                if node.output[0] in outputs:
                    continue
                changed = copied(model)
                del changed.graph.node[position]
                for graph in reference.graphs(changed.graph):
                    for other in graph.node:
                        for i, x in enumerate(other.input):
                            if x == node.output[0]:
                                other.input[i] = name
                yield cleaned(changed, inputs)
                break


def fewer_attributes(model: ModelProto, inputs: Arrays) -> Iterator[Candidate]:
    """Attributes left to their defaults, and optional operands left out."""
    for position, node in enumerate(model.graph.node):
        for attribute in node.attribute:
            if attribute.type != AttributeProto.GRAPH:
                changed = copied(model)
                kept = [x for x in node.attribute if x.name != attribute.name]
                del changed.graph.node[position].attribute[:]
                changed.graph.node[position].attribute.extend(kept)
                yield retyped(changed, inputs)
        if len(node.input) > 2:
            changed = copied(model)
            del changed.graph.node[position].input[-1]
            yield retyped(changed, inputs)


def retyped(model: ModelProto, inputs: Arrays) -> Candidate:
    """A model whose outputs are declared without shapes."""
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return cleaned(model, inputs)


def smaller_sizes(model: ModelProto, inputs: Arrays) -> Iterator[Candidate]:
    """One size of all tensors that have it made smaller."""
    tensors = dict(inputs) | {x.name: numpy_helper.to_array(x) for x in model.graph.initializer}
    sizes = sorted({n for x in tensors.values() for n in x.shape if n > 1}, reverse=True)
    for size in sizes:
        for smaller in sorted({1, 2, 3, 4, 8, size // 2, size - 1}):
            if not 0 < smaller < size:
                continue

            def cropped(array: np.ndarray) -> np.ndarray:
                result = array[tuple(slice(0, smaller if n == size else n) for n in array.shape)]
                if array.dtype == np.int64 and array.ndim <= 1:
                    result = np.where(result == size, smaller, result)
                return np.ascontiguousarray(result).reshape(result.shape)

            changed = copied(model)
            for tensor in changed.graph.initializer:
                tensor.CopyFrom(numpy_helper.from_array(cropped(numpy_helper.to_array(tensor)), tensor.name))
            given = {name: cropped(x) for name, x in inputs.items()}
            for value in changed.graph.input:
                value.CopyFrom(helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, given[value.name].shape))
            for node in changed.graph.node:
                for attribute in node.attribute:
                    if attribute.type == AttributeProto.INT and attribute.i == size:
                        attribute.i = smaller
                    for i, x in enumerate(attribute.ints):
                        if x == size:
                            attribute.ints[i] = smaller
            yield retyped(changed, given)


def plainer_values(model: ModelProto, inputs: Arrays) -> Iterator[Candidate]:
    """Constants as inputs, and inputs of few digits."""
    names = {name for node in model.graph.node for name in node.input}
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype.kind == "f" and tensor.name in names and array.ndim:
            changed = copied(model)
            kept = [x for x in model.graph.initializer if x.name != tensor.name]
            del changed.graph.initializer[:]
            changed.graph.initializer.extend(kept)
            changed.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, array.shape))
            yield changed, inputs | {tensor.name: array}
    rounded = {name: np.round(x * 4) / 4 if x.dtype.kind == "f" else x for name, x in inputs.items()}
    rounded = {name: x.astype(inputs[name].dtype) for name, x in rounded.items()}
    if any(not np.array_equal(rounded[x], inputs[x], equal_nan=inputs[x].dtype.kind == "f") for x in inputs):
        yield model, rounded


def plainer_model(model: ModelProto, inputs: Arrays) -> Iterator[Candidate]:
    """Short names, no symbols."""
    if model.graph.name != "random":
        return
    changed = copied(model)
    changed.graph.name = "g"
    names: dict[str, str] = {}

    def short(name: str) -> str:
        return names.setdefault(name, f"v{len(names)}") if name else ""

    for graph in reference.graphs(changed.graph):
        for value in [*graph.input, *graph.output, *graph.initializer]:
            value.name = short(value.name)
        for node in graph.node:
            for i, x in enumerate(node.input):
                node.input[i] = short(x)
            for i, x in enumerate(node.output):
                node.output[i] = short(x)
            for attribute in node.attribute:
                attribute.t.name = ""
                if attribute.type != AttributeProto.TENSOR:
                    attribute.ClearField("t")
    given = {short(name): x for name, x in inputs.items()}
    for value in changed.graph.input:
        value.CopyFrom(helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, given[value.name].shape))
    yield changed, given


REDUCTIONS: list[Callable[[ModelProto, Arrays], Iterator[Candidate]]] = [
    fewer_outputs, earlier_outputs, cut_nodes, bypass_nodes, plainer_model, fewer_attributes, smaller_sizes, plainer_values,
]
