"""Runs what Lathe exports by ONNX Runtime, beside Lathe: gradients of networks, and a training step many times over.

    python tools/models/exports.py gradients FOLDER... [--lathe PATH]
    python tools/models/exports.py training [--digits PATH] [--steps N]
    python tools/models/exports.py sizes [NAME_PART...] [--lathe PATH] [--runs N]

A FOLDER holds model.onnx and test_data_set_0. Its gradients are those of the first output of type float, with respect to
every input and parameter. Where a number lies at a kink (of ReLU, or of a maximum), a last place decides what gradient goes
through it; so gradients that are apart are also compared with those that Lathe computes of the network in f64. They agree where
ONNX Runtime is at most twice as far from them as Lathe is, or as they move when the inputs change by a millionth.
The training is that of the sample `digits` (LeNet on 8x8 digits): its functions as C on one side,
as ONNX on the other, from one seed. The models with sizes that data decides are those of `extents.py`: written by Lathe, and
what comes back of that written once more, beside the model itself, by ONNX Runtime on random inputs; what comes back also by
Lathe. Every model goes through ONNX's checker with shapes inferred.

Exit code: 0 if all results agree; 2 if not.
"""

import argparse
import copy
import ctypes
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime
from compare import ROOT, Difference, call, yes
from extents import CASES, agrees

PROVIDERS = ["CPUExecutionProvider"]


def session(path: Path) -> onnxruntime.InferenceSession:
    """ONNX Runtime on a model that the checker has nothing against."""
    onnx.checker.check_model(path, full_check=True)
    return onnxruntime.InferenceSession(path, providers=PROVIDERS)


def run(model: onnxruntime.InferenceSession, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs by name; inputs that have a default may be given."""
    names = [x.name for x in [*model.get_inputs(), *model.get_overridable_initializers()]]
    outputs = [x.name for x in model.get_outputs()]
    return dict(zip(outputs, model.run(outputs, {name: arrays[name] for name in names if name in arrays})))


@dataclass
class Gradients:
    """How far the gradients of a network are apart in ONNX Runtime and in Lathe."""

    difference: Difference = field(default_factory=Difference)
    #: How many are zero but for rounding: sums that cancel, such as the gradient of what attention adds to all keys. Both have
    #: less than a millionth of the network's largest number, and no digit of that means anything.
    zeros: int = 0
    #: How far each is from those of the network in f64, by the largest number of each, where they are apart.
    runtime: float | None = None
    own: float | None = None
    #: How far those in f64 move at most, when the inputs change by a millionth.
    moved: float | None = None

    @property
    def agree(self) -> bool:
        return self.difference.close or (self.runtime is not None and self.runtime <= 2 * max(self.own, self.moved))


def doubled(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model with f64 in place of f32."""
    model = copy.deepcopy(model)
    graph = model.graph
    single, double = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
    attributes = [attribute for node in graph.node for attribute in node.attribute]
    for tensor in [*graph.initializer, *(attribute.t for attribute in attributes if attribute.HasField("t"))]:
        if tensor.data_type == single:
            values = onnx.numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    for attribute in attributes:
        if attribute.name == "to" and attribute.i == single:
            attribute.i = double
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == single:
            value.type.tensor_type.elem_type = double
    return model


def run_lathe(lathe: str, path: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a graph by name."""
    results = path.with_suffix(".npz")
    command = [lathe, "run", path, "--outputs", results]
    for number, (key, array) in enumerate(arrays.items()):
        file = path.with_suffix(f".{number}.npy")
        np.save(file, array)
        command += ["--input", f"{key}={file}"]
    call(command)
    with np.load(results) as outputs:
        return dict(outputs)


def gradients(lathe: str, folder: Path) -> Gradients:
    """Compares the gradients of the network in a folder."""
    model = onnx.load(folder / "model.onnx")
    graph = model.graph
    output = next(x.name for x in graph.output if x.type.tensor_type.elem_type == onnx.TensorProto.FLOAT)
    initialized = {x.name for x in graph.initializer}
    inputs = [x for x in graph.input if x.name not in initialized]
    data = folder / "test_data_set_0"
    arrays = {
        x.name: onnx.numpy_helper.to_array(onnx.load_tensor(data / f"input_{i}.pb")) for i, x in enumerate(inputs)
    }
    dimensions = []
    for x in inputs:
        for size, actual in zip(x.type.tensor_type.shape.dim, arrays[x.name].shape):
            if size.dim_param and f"{size.dim_param}={actual}" not in dimensions:
                dimensions += ["--dim", f"{size.dim_param}={actual}"]
    result = Gradients()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for form in ("onnx", "lathe"):
            call([lathe, "grad", folder / "model.onnx", "--of", output, "-o", scratch / f"g.{form}", *dimensions])
        exported = session(scratch / "g.onnx")
        random = np.random.default_rng(1)
        for x in exported.get_inputs():
            arrays.setdefault(x.name, random.standard_normal(x.shape).astype(np.float32))
        expected, actual = run_lathe(lathe, scratch / "g.lathe", arrays), run(exported, arrays)
        least = 1e-6 * max(float(np.abs(expected[key]).max(initial=0)) for key in actual)
        for key in list(actual):
            if 0 < max(np.abs(actual[key]).max(initial=0), np.abs(expected[key]).max(initial=0)) < least:
                result.zeros += 1
                del actual[key]
            else:
                result.difference.add(actual[key], expected[key])
        if not result.difference.close:
            onnx.save(doubled(model), scratch / "double.onnx")
            call([lathe, "grad", scratch / "double.onnx", "--of", output, "-o", scratch / "d.lathe", *dimensions])
            wide = {key: x.astype(np.float64) if x.dtype == np.float32 else x for key, x in arrays.items()}
            exact = run_lathe(lathe, scratch / "d.lathe", wide)

            def distance(gradients: dict[str, np.ndarray]) -> float:
                return max(
                    float(np.abs(gradients[key] - exact[key]).max() / (np.abs(exact[key]).max() or 1)) for key in actual
                )

            result.runtime, result.own = distance(actual), distance(expected)
            result.moved = 0
            for _ in range(3):
                near = {
                    key: x * (1 + 1e-6 * random.standard_normal(x.shape)) if x.dtype == np.float64 else x
                    for key, x in wide.items()
                }
                result.moved = max(result.moved, distance(run_lathe(lathe, scratch / "d.lathe", near)))
    return result


class Variable(ctypes.Structure):
    """What the C says of one tensor of the state."""

    _fields_ = [
        ("name", ctypes.c_char_p), ("dtype", ctypes.c_char_p), ("rank", ctypes.c_size_t),
        ("shape", ctypes.c_size_t * 4), ("offset", ctypes.c_size_t), ("bytes", ctypes.c_size_t),
    ]  # fmt: skip


TYPES = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64, "u64": np.uint64}


def aligned(count: int) -> np.ndarray:
    """Zeroed bytes from a multiple of 64 on."""
    raw = np.zeros(count + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count]


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def training(digits: str, steps: int) -> float:
    """The largest difference of the state, relative to each variable's largest number, over all steps."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        call([digits, "convert", "-o", scratch / "d.onnx"])
        call([digits, "compile", "-o", scratch / "d.c"])
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "d.c", "-o", "d.so", "-lm"], cwd=scratch, check=True)
        library = ctypes.CDLL(str(scratch / "d.so"))
        header = (scratch / "d.h").read_text()
        sizes = {key: int(value) for key, value in re.findall(r"#define D_(\w+) (\d+)$", header, re.MULTILINE)}
        arena, memory = aligned(sizes["ARENA_BYTES"]), aligned(sizes["STATE_BYTES"])
        variables = (Variable * sizes["VARIABLE_COUNT"]).in_dll(library, "d_variables")

        def content() -> dict[str, np.ndarray]:
            return {
                v.name.decode(): memory[v.offset : v.offset + v.bytes].view(TYPES[v.dtype.decode()])
                .reshape(tuple(v.shape[: v.rank])) for v in variables
            }  # fmt: skip

        def following(results: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {key.removeprefix("next/"): x for key, x in results.items() if key.startswith("next/")}

        seed = np.array(7, np.uint64)
        library.d_initialize(pointer(arena), pointer(memory), pointer(seed))
        state = following(run(session(scratch / "d.initialize.onnx"), {"seed": seed}))
        step = session(scratch / "d.train_step.onnx")
        random = np.random.default_rng(0)
        worst = 0.0
        for number in range(steps):
            image = random.standard_normal((32, 1, 8, 8)).astype(np.float32)
            digit = random.integers(0, 10, 32).astype(np.int64)
            rate, loss, accuracy = np.array(0.05), np.zeros((), np.float32), np.zeros((), np.float32)
            given = [arena, memory, image, digit, rate, loss, accuracy]
            if library.d_train_step(*map(pointer, given)) != 0:
                raise SystemExit("exports: the step in C failed")
            results = run(step, {"image": image, "digit": digit, "lr": rate, **state})
            state |= following(results)
            for key, expected in content().items():
                scale = max(1e-6, float(np.abs(expected.astype(np.float64)).max()))
                apart = np.abs(expected.astype(np.float64) - state[key].astype(np.float64)).max()
                worst = max(worst, float(apart) / scale)
            print(f"step {number + 1}: loss {float(loss):.6f} in C, {float(results['loss']):.6f} in ONNX Runtime")
    return worst


def sizes(lathe: str, name: str, runs: int) -> tuple[int, list[str]]:
    """How many runs of a model with sizes that data decides differ, and what operators it is written with."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{number}.onnx" for number in range(3)]
        onnx.save(case.model, paths[0])
        for before, after in zip(paths, paths[1:]):
            call([lathe, "convert", before, "-o", after])
        original = onnxruntime.InferenceSession(paths[0], providers=PROVIDERS)
        written = [session(path) for path in paths[1:]]
        random = np.random.default_rng(1)
        wrong = 0
        for number in range(runs):
            feed = case.draw(random)
            expected = run(original, feed)
            results = [run(model, feed) for model in written]
            if number < 10:
                results.append(run_lathe(lathe, paths[1], feed))
            wrong += not all(agrees(result[key], array) for result in results for key, array in expected.items())
        return wrong, sorted({node.op_type for node in onnx.load(paths[1]).graph.node})


def main() -> int:
    """Runs what the command line names; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    networks = commands.add_parser("gradients")
    networks.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    networks.add_argument("--lathe", default=str(ROOT / "tools" / "lathe"))
    learning = commands.add_parser("training")
    learning.add_argument("--digits", default=str(ROOT / ".build" / "debug" / "digits"))
    learning.add_argument("--steps", type=int, default=20)
    decided = commands.add_parser("sizes")
    decided.add_argument("names", nargs="*", metavar="NAME_PART")
    decided.add_argument("--lathe", default=str(ROOT / "tools" / "lathe"))
    decided.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(3)
    if arguments.command == "training":
        worst = training(arguments.digits, arguments.steps)
        print(f"the states are apart by {worst:.1e} at most")
        return 0 if worst < 1e-4 else 2
    if arguments.command == "sizes":
        names = [name for name in CASES if not arguments.names or any(part in name for part in arguments.names)]
        counts = []
        for name in names:
            wrong, operators = sizes(arguments.lathe, name, arguments.runs)
            print(f"{name}: {wrong} of {arguments.runs} runs differ; {' '.join(operators)}", flush=True)
            counts.append(wrong)
        return 2 if any(counts) else 0
    all_agree = True
    print("| network | absolute | relative | close | zero but for rounding | f64: ONNX Runtime | Lathe | inputs | agree |")
    print("|---|---|---|---|---|---|---|---|---|")
    for folder in arguments.folders:
        result = gradients(arguments.lathe, folder)
        all_agree &= result.agree
        difference = result.difference
        row = [folder.name, f"{difference.absolute:.1e}", f"{difference.relative:.1e}", yes(difference.close)]
        row += [str(result.zeros)] + ["" if x is None else f"{x:.1e}" for x in (result.runtime, result.own, result.moved)]
        print(f"| {' | '.join([*row, yes(result.agree)])} |", flush=True)
    return 0 if all_agree else 2


if __name__ == "__main__":
    sys.exit(main())
