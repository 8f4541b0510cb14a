"""Writes networks as ONNX files with test data, laid out as ONNX's own backend tests are.

    .venv/bin/python tools/models/export.py OUTPUT [NETWORK...] [--variant ts17] [--variant dynamo]... [--tiny]
    .venv/bin/python tools/models/export.py OUTPUT --torchvision [NETWORK...] [--variant ts17]...
    .venv/bin/python tools/models/export.py OUTPUT --light

Each network becomes OUTPUT/NAME-VARIANT/model.onnx with test_data_set_0/input_N.pb and output_N.pb, outputs computed by
ONNX Runtime. A variant is `tsN`, what `torch.onnx.export` writes in opset N by its older exporter (TorchScript);
`dynamo` or `dynamoN`, what its newer exporter writes in its default opset or in opset N; or `raw`, `rawN`, the same
without its optimizations (which fold batch norms into convolutions, as the older exporter does).

`--torchvision` takes the classification and segmentation networks of torchvision instead, on small images.

`--light` takes the nine networks that come with the onnx package instead, each as it is and, as NAME-random, with
random weights for its constant ones.
"""

import argparse
import collections
import logging
import re
import shutil
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test
import onnx.numpy_helper
import onnxruntime
import torch
from torch import Tensor

from networks import NETWORKS, TINY, Network, torchvision_networks

VARIANTS = ("ts11", "ts13", "ts17", "dynamo", "dynamo25", "raw")
REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> None:
    """Writes what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="default: all")
    parser.add_argument("--variant", action="append", help=f"repeatable; default: {' '.join(VARIANTS)}")
    parser.add_argument("--tiny", action="store_true", help="the small networks of the tests")
    parser.add_argument("--torchvision", action="store_true", help="the networks of torchvision")
    parser.add_argument("--light", action="store_true", help="the networks of the onnx package")
    parser.add_argument(
        "--operators", type=Path, help="also list the operators of all networks under OUTPUT in this file"
    )
    arguments = parser.parse_intermixed_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(3)

    if arguments.light:
        for path in sorted((Path(onnx.backend.test.__file__).parent / "data" / "light").glob("*.onnx")):
            if not arguments.networks or path.stem in arguments.networks:
                copy_light(path, arguments.output)
    else:
        networks = TINY if arguments.tiny else torchvision_networks() if arguments.torchvision else NETWORKS
        for network in networks:
            if not arguments.networks or network.name in arguments.networks:
                for variant in arguments.variant or VARIANTS:
                    export(network, variant, arguments.output)
    if arguments.operators:
        arguments.operators.write_text("".join(operator_lines(arguments.output)))


def export(network: Network, variant: str, output: Path) -> None:
    """Writes one network by one exporter, unless that exporter has no such network."""
    match = re.fullmatch(r"(ts(?=.)|dynamo|raw)(\d*)", variant)
    if match is None:
        raise SystemExit(f"export.py: no such variant: {variant}")
    exporter, opset = match[1], int(match[2]) if match[2] else None
    older = exporter == "ts"
    if exporter not in network.exporters or (older and opset < network.lowest_opset):
        return
    module, inputs = network.make()
    folder = emptied(output / f"{network.name}-{variant}")
    names = [*network.input_names, *network.output_names]
    torch.onnx.export(
        module,
        inputs,
        folder / "model.onnx",
        dynamo=not older,
        opset_version=opset,
        optimize=exporter == "dynamo",
        input_names=network.input_names,
        output_names=network.output_names,
        dynamic_axes={name: {0: network.batch} for name in names} if older and network.batch else None,
        dynamic_shapes=[{0: network.batch} for _ in inputs] if not older and network.batch else None,
        verbose=False,
    )
    make_paths_relative(folder / "model.onnx")
    with torch.no_grad():
        expected = [y.numpy() for y in flattened(module(*inputs))]
    write_test_data(folder, [x.numpy() for x in inputs], expected)


def flattened(values: Tensor | Iterable) -> list[Tensor]:
    """The tensors of a module's result, in order."""
    return [values] if isinstance(values, Tensor) else [y for value in values for y in flattened(value)]


def emptied(folder: Path) -> Path:
    """The folder, new."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def make_paths_relative(path: Path) -> None:
    """Takes this machine's folders out of the source locations that the newer exporter notes at each node."""
    model = onnx.load(path, load_external_data=False)
    site_packages = Path(torch.__file__).parents[1]
    for node in model.graph.node:
        for entry in node.metadata_props:
            entry.value = entry.value.replace(f"{REPOSITORY}/", "").replace(f"{site_packages}/", "")
    onnx.save(model, path)


def write_test_data(folder: Path, inputs: Sequence[np.ndarray], expected: Sequence[np.ndarray] | None = None) -> None:
    """Runs the folder's model, checks the outputs against those expected, and writes both as test data set 0."""
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    input_names = [x.name for x in session.get_inputs()]
    outputs = session.run(None, dict(zip(input_names, inputs, strict=True)))
    for name, actual, reference in zip(
        [y.name for y in session.get_outputs()], outputs, expected or outputs, strict=True
    ):
        scale = float(np.abs(reference).max())
        if not np.allclose(actual, reference, rtol=1e-3, atol=1e-5 * scale):
            error = float(np.abs(actual - reference).max())
            raise SystemExit(f"export.py: {folder.name}: {name} is off by {error:.3g} at a scale of {scale:.3g}")
        print(f"{folder.name}: {name} {list(actual.shape)} standard deviation {float(np.std(actual)):.3g}", flush=True)
    data = emptied(folder / "test_data_set_0")
    for kind, names, arrays in (
        ("input", input_names, inputs),
        ("output", [y.name for y in session.get_outputs()], outputs),
    ):
        for index, (name, array) in enumerate(zip(names, arrays)):
            (data / f"{kind}_{index}.pb").write_bytes(onnx.numpy_helper.from_array(array, name).SerializeToString())


def copy_light(path: Path, output: Path) -> None:
    """Copies a network of the onnx package, checks it against the result given there, and adds a random one."""
    model = onnx.load(path)
    initialized = {x.name for x in model.graph.initializer}
    (image,) = (x for x in model.graph.input if x.name not in initialized)
    shape = [d.dim_value for d in image.type.tensor_type.shape.dim]
    official = onnx.numpy_helper.to_array(onnx.load_tensor(path.with_name(f"{path.stem}_output_0.pb")))

    folder = emptied(output / path.stem)
    shutil.copy(path, folder / "model.onnx")
    write_test_data(folder, [official_input(shape)], [official])

    folder = emptied(output / f"{path.stem}-random")
    randomize_weights(model)
    onnx.save(model, folder / "model.onnx")
    write_test_data(folder, [np.random.default_rng(0).standard_normal(shape, np.float32)])


def official_input(shape: Sequence[int]) -> np.ndarray:
    """The input that onnx's own test runner feeds these networks."""
    count = np.prod(shape)
    return (np.arange(count).reshape(shape) / count).astype(np.float32)


def randomize_weights(model: onnx.ModelProto) -> None:
    """Replaces every weight by a random initializer, of a distribution that keeps activations at their scale."""
    graph = model.graph
    users = {name: (node, index) for node in graph.node for index, name in enumerate(node.input)}
    normalized = {node.output[0] for node in graph.node if node.op_type == "BatchNormalization"}
    shapes = {x.name: list(x.dims) for x in graph.initializer}
    values = {x.name: onnx.numpy_helper.to_array(x) for x in graph.initializer if x.data_type == onnx.TensorProto.INT64}
    images = [x for x in graph.input if x.name not in shapes]
    for node in [node for node in graph.node if node.op_type == "ConstantOfShape"]:
        shapes[node.output[0]] = values.pop(node.input[0]).tolist()
        graph.node.remove(node)
    random = np.random.default_rng(0)
    for name in sorted(shapes.keys() & users.keys() - values.keys()):
        node, index = users[name]
        if node.op_type == "Unsqueeze":
            node, index = users[node.output[0]]
        shape = shapes[name]
        match node.op_type, index:
            case (("Conv" | "Gemm"), 1):
                gain = 1 if node.input[0] in normalized else 2  # two where a ReLU has halved the variance
                value = random.standard_normal(shape) * np.sqrt(gain / np.prod(shape[1:]))
            case "BatchNormalization", 1 if users[node.output[0]][0].op_type == "Sum":
                value = random.uniform(0.1, 0.5, shape)
            case ("BatchNormalization", 1) | ("Mul", _):
                value = random.uniform(0.5, 1.5, shape)
            case "BatchNormalization", 4:
                value = random.uniform(0.75, 1.75, shape)
            case _:
                value = random.standard_normal(shape) * 0.1
        values[name] = value.astype(np.float32)
    model.ir_version = 4  # the first in which initializers are not inputs too
    del graph.input[:], graph.initializer[:]
    graph.input.extend(images)
    graph.initializer.extend(
        onnx.numpy_helper.from_array(values[name], name) for name in sorted(values.keys() & users.keys())
    )


def operator_lines(output: Path) -> Iterable[str]:
    """For each network under a folder: its opset, and its operators with how often each occurs."""
    total: collections.Counter[str] = collections.Counter()
    for path in sorted(output.glob("*/model.onnx")):
        model = onnx.load(path, load_external_data=False)
        counts = collections.Counter(operators(model.graph))
        total.update(counts.keys())
        opsets = " ".join(f"{x.domain or 'ai.onnx'} {x.version}" for x in model.opset_import)
        listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        yield f"{path.parent.name} (IR {model.ir_version}, {opsets}): {listed}\n"
    yield "\nAll, with the number of files each occurs in:\n"
    yield from (f"{name} {count}\n" for name, count in sorted(total.items()))


def operators(graph: onnx.GraphProto) -> Iterable[str]:
    """The operators of a graph and of the graphs inside it."""
    for node in graph.node:
        yield f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from operators(attribute.g)


if __name__ == "__main__":
    main()
