"""Runs models whose sizes data decides on many random inputs: in C under sanitizers, against ONNX Runtime.

    .venv/bin/python tools/models/extents.py LATHE [NAME_PART...] [--runs 10000] [--folder DIR]

Each model is compiled to C, and that with the address and undefined-behaviour sanitizers, together with a loop that reads
inputs and writes outputs, cut to what there is. Every output of every run is compared with ONNX Runtime's, shapes and all.
Then each model is compiled again with a capacity that does not suffice for all inputs: runs that exceed it must return the
status for that, the others must be right. Sizes that nothing in a model bounds are given room in both. The last line has the
counts; the exit code is 1 where something is wrong.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
TYPES = {"float": np.float32, "double": np.float64, "int64_t": np.int64, "int32_t": np.int32, "bool": np.bool_}


class Case:
    """A model, how its inputs are drawn, which size is made too small, to what, and the room of sizes without a bound."""

    def __init__(self, nodes, inputs, outputs, draw, limit, constants=None, room=None):
        types = {np.float32: TensorProto.FLOAT, np.bool_: TensorProto.BOOL, np.int64: TensorProto.INT64}
        graph = helper.make_graph(
            [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
            "extents",
            [helper.make_tensor_value_info(name, types[dtype], shape) for name, dtype, shape in inputs],
            [helper.make_tensor_value_info(name, types[dtype], None) for name, dtype in outputs],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
        )
        self.model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
        self.model.ir_version = 9
        self.inputs = inputs
        self.draw = draw
        self.limit = limit
        self.room = room or {}


def boxes(random, images, count):
    """Corners of boxes of which many overlap, in the order that ONNX calls y1, x1, y2, x2; some are flipped."""
    corner = random.random((images, count, 2), dtype=np.float32) * np.float32(random.choice([1, 4]))
    size = random.random((images, count, 2), dtype=np.float32) + np.float32(0.1)
    flip = random.random((images, count, 1)) < 0.2
    both = np.concatenate([corner, corner + size], 2)
    return np.where(flip, np.concatenate([corner + size, corner], 2), both).astype(np.float32)


def mask(random, shape):
    """Anything from nothing to everything."""
    return random.random(shape) < random.choice([0, 0.1, 0.5, 0.9, 1])


def floats(random, shape):
    """Numbers, some of them equal."""
    values = random.standard_normal(shape).astype(np.float32)
    return np.round(values * 2) if random.random() < 0.3 else values


def pair(random, count):
    """Two choices of rows of which as many are taken, or one of either."""
    taken = random.integers(0, count + 1)
    sizes = random.permutation([taken, random.choice([1, taken])])
    return [np.isin(np.arange(count), random.permutation(count)[:size]) for size in sizes]


f32, i64, b = np.float32, np.int64, np.bool_

CASES = {
    "detector-head": Case(
        [
            ("Conv", ["image", "w1"], ["hidden"], {"pads": [1, 1, 1, 1]}),
            ("Relu", ["hidden"], ["feature"]),
            ("Conv", ["feature", "w2"], ["raw"]),
            ("Reshape", ["raw", "columns"], ["table"]),
            ("Transpose", ["table"], ["rows"], {"perm": [0, 2, 1]}),
            ("Slice", ["rows", "zero", "four", "two"], ["shift"]),
            ("Mul", ["shift", "tenth"], ["small"]),
            ("Add", ["small", "anchors"], ["boxes"]),
            ("Slice", ["table", "four", "seven", "one"], ["scores"]),
            ("NonMaxSuppression", ["boxes", "scores", "most", "iou", "score"], ["selected"]),
            ("Gather", ["selected", "last"], ["places"], {"axis": 1}),
            ("Squeeze", ["boxes", "zero"], ["boxes0"]),
            ("Gather", ["boxes0", "places"], ["kept"], {"axis": 0}),
            ("Softmax", ["kept"], ["shares"], {"axis": 0}),
            ("ReduceSum", ["shares", "zero"], ["sums"], {"keepdims": 0}),
        ],
        [("image", f32, [1, 3, 6, 6])],
        [("selected", i64), ("kept", f32), ("shares", f32), ("sums", f32)],
        # Sums of few eighths are exact, so that the order of the scores does not hang on rounding.
        lambda random: {"image": np.round(floats(random, (1, 3, 6, 6)) * f32(random.choice([1, 2, 4])))},
        ("n0", 22),
        {
            "w1": np.random.default_rng(1).integers(-2, 3, (8, 3, 3, 3)).astype(f32) / 4,
            "w2": np.random.default_rng(2).integers(-3, 4, (7, 8, 1, 1)).astype(f32) / 8,
            "columns": np.array([1, 7, 36]),
            "zero": np.array([0]),
            "one": np.array([1]),
            "two": np.array([2]),
            "four": np.array([4]),
            "seven": np.array([7]),
            "tenth": np.array(0.125, f32),
            "anchors": boxes(np.random.default_rng(3), 1, 36),
            "most": np.array([8]),
            "iou": np.array([0.4], f32),
            "score": np.array([0.5], f32),
            "last": np.array(2),
        },
    ),
    "suppression": Case(
        [("NonMaxSuppression", ["boxes", "scores", "most", "iou", "score"], ["selected"], {})],
        [
            ("boxes", f32, [2, 10, 4]),
            ("scores", f32, [2, 3, 10]),
            ("most", i64, [1]),
            ("iou", f32, [1]),
            ("score", f32, [1]),
        ],
        [("selected", i64)],
        lambda random: {
            "boxes": boxes(random, 2, 10),
            "scores": np.round(random.random((2, 3, 10)), random.choice([1, 4])).astype(f32),
            "most": np.array([random.integers(0, 12)]),
            "iou": np.array([random.random()], f32),
            "score": np.array([random.random() * random.choice([0, 1])], f32),
        },
        ("n0", 16),
    ),
    "nonzero-gather": Case(
        [
            ("NonZero", ["x"], ["places"]),
            ("Transpose", ["places"], ["rows"]),
            ("GatherND", ["table", "rows"], ["found"]),
            ("Softmax", ["found"], ["shares"], {"axis": 0}),
            ("Concat", ["found", "fixed"], ["joined"], {"axis": 0}),
            ("ReduceMean", ["joined", "first"], ["mean"], {"keepdims": 0}),
            ("Transpose", ["found"], ["columns"]),
            ("MatMul", ["columns", "found"], ["gram"]),
            ("Reshape", ["columns", "flat"], ["line"]),
            ("Shape", ["found"], ["shape"]),
            ("ScatterND", ["base", "rows", "found"], ["written"]),
        ],
        [("x", f32, [4, 6]), ("table", f32, [4, 6, 3])],
        [(name, f32) for name in ["found", "mean", "shares", "joined", "gram", "line", "written"]]
        + [("places", i64), ("shape", i64)],
        lambda random: {"x": floats(random, (4, 6)) * mask(random, (4, 6)), "table": floats(random, (4, 6, 3))},
        ("n0", 12),
        {
            "fixed": np.ones((2, 3), f32),
            "flat": np.array([-1]),
            "first": np.array([0]),
            "base": np.zeros((4, 6, 3), f32),
        },
    ),
    "compress": Case(
        [
            ("Compress", ["x", "mask"], ["kept"], {"axis": 1}),
            ("Slice", ["kept", "one", "last", "axis"], ["inner"]),
            ("Slice", ["kept", "last", "before", "axis", "back"], ["reversed"]),
            ("Pad", ["kept", "amounts"], ["padded"]),
            ("CumSum", ["kept", "axis0"], ["running"], {"reverse": 1}),
            ("TopK", ["x", "k"], ["top", "where"], {"axis": 1}),
        ],
        [("x", f32, [3, 8]), ("mask", b, [7]), ("k", i64, [1])],
        [(name, f32) for name in ["kept", "inner", "reversed", "padded", "running", "top"]] + [("where", i64)],
        lambda random: {
            "x": floats(random, (3, 8)),
            "mask": mask(random, 7),
            "k": np.array([random.integers(0, 9)]),
        },
        ("n0", 4),
        {
            "one": np.array([1]),
            "last": np.array([-1]),
            "before": np.array([-100]),
            "back": np.array([-2]),
            "axis": np.array([1]),
            "axis0": np.array(1),
            "amounts": np.array([0, 1, 1, 2]),
        },
    ),
    "unique": Case(
        [
            ("Unique", ["x"], ["values", "first", "inverse", "counts"], {}),
            ("Unique", ["x"], ["values2", "first2", "inverse2", "counts2"], {"sorted": 0}),
            ("Unique", ["table"], ["rows", "first3", "inverse3", "counts3"], {"axis": 0}),
            ("Unique", ["table"], ["rows4", "first4", "inverse4", "counts4"], {"axis": 1, "sorted": 0}),
        ],
        [("x", i64, [12]), ("table", f32, [6, 3])],
        [("values", i64), ("values2", i64), ("rows", f32), ("rows4", f32)]
        + [(f"{name}{n}", i64) for name in ["first", "inverse", "counts"] for n in ["", 2, 3, 4]],
        lambda random: {
            "x": random.integers(-3, 4, 12) * random.integers(0, 3),
            "table": random.integers(0, 2, (6, 3)).astype(f32),
        },
        ("n0", 4),
    ),
    "broadcast": Case(
        [
            ("Compress", ["x", "mask"], ["a"], {"axis": 0}),
            ("Compress", ["x", "other"], ["b"], {"axis": 0}),
            ("Add", ["a", "b"], ["sum"]),
            ("Mul", ["sum", "a"], ["product"]),
            ("Shape", ["b"], ["shape"]),
            ("ConstantOfShape", ["shape"], ["zeros"]),
            ("Max", ["a", "zeros", "sum"], ["most"]),
            ("Expand", ["a", "shape"], ["wide"]),
            ("Less", ["a", "b"], ["less"]),
            ("Where", ["less", "a", "b"], ["least"]),
            ("Softmax", ["least"], ["shares"], {"axis": 0}),
            ("ReduceSum", ["wide", "axis"], ["total"], {"keepdims": 0}),
        ],
        [("x", f32, [8, 3]), ("mask", b, [8]), ("other", b, [8])],
        [(name, f32) for name in ["sum", "product", "most", "wide", "least", "shares", "total"]],
        lambda random: {"x": floats(random, (8, 3)), **dict(zip(["mask", "other"], pair(random, 8)))},
        ("n0", 5),
        {"axis": np.array([0])},
    ),
    "range": Case(
        [
            ("Range", ["zero", "n", "one"], ["up"]),
            ("Unsqueeze", ["n", "axis"], ["list"]),
            ("ConstantOfShape", ["list"], ["zeros"]),
            ("Cast", ["up"], ["floats"], {"to": TensorProto.FLOAT}),
            ("Add", ["floats", "zeros"], ["sum"]),
            ("Gather", ["table", "up"], ["rows"], {"axis": 0}),
            ("Softmax", ["rows"], ["shares"], {"axis": 0}),
            ("Range", ["start", "end", "step"], ["any"]),
            ("ReduceSum", ["any", "axis"], ["total"], {"keepdims": 0}),
        ],
        [("n", i64, []), ("table", f32, [12, 3]), ("start", i64, []), ("end", i64, []), ("step", i64, [])],
        [("up", i64), ("sum", f32), ("rows", f32), ("shares", f32), ("any", i64), ("total", i64)],
        lambda random: {
            "n": np.array(random.integers(0, 13)),
            "table": floats(random, (12, 3)),
            "start": np.array(random.integers(-10, 10)),
            "end": np.array(random.integers(-10, 10)),
            "step": np.array(random.choice([-7, -3, -2, -1, 1, 2, 5])),
        },
        ("up", 8),
        {"zero": np.array(0), "one": np.array(1), "axis": np.array([0])},
        {"up": 12, "any": 20},
    ),
    "reshape": Case(
        [
            ("Concat", ["count", "rest"], ["shape"], {"axis": 0}),
            ("Reshape", ["x", "shape"], ["table"]),
            ("ReduceMax", ["table", "last"], ["most"], {"keepdims": 0}),
            ("Transpose", ["table"], ["turned"]),
            ("Expand", ["row", "wide"], ["repeated"]),
            ("Tile", ["x", "count"], ["tiles"]),
            ("CumSum", ["tiles", "axis"], ["running"]),
        ],
        [("x", f32, [24]), ("count", i64, [1]), ("row", f32, [3, 1]), ("wide", i64, [2])],
        [("table", f32), ("most", f32), ("turned", f32), ("repeated", f32), ("tiles", f32), ("running", f32)],
        lambda random: {
            "x": floats(random, 24),
            "count": np.array([random.choice([1, 2, 3, 4, 6, 8, 12, 24])]),
            "row": floats(random, (3, 1)),
            "wide": np.array([random.choice([1, 3]), random.integers(1, 9)]),
        },
        ("table_0", 8),
        {"rest": np.array([-1]), "last": np.array([1]), "axis": np.array(0)},
        {"repeated": 8},
    ),
}


def loop(name: str, prototype: str, outputs: dict[str, list[str]]) -> str:
    """C that runs the model on inputs from standard input until they end."""
    arguments = [part.strip() for part in re.sub(r"\s+", " ", prototype).split(",")]
    lines = [f'#include "{name}.h"', "#include <stdio.h>", "#include <stdlib.h>", "int main(void) {", "  for (;;) {"]
    call, before, after = [], [], []
    for argument in arguments:
        kind, variable = argument.rsplit(" *", 1)
        if variable == "arena":
            before.append(f"    void *arena = aligned_alloc(64, ({name.upper()}_ARENA_BYTES + 63) / 64 * 64 + 64);")
            after.append("    free(arena);")
        elif kind == "size_t":
            before.append(f"    size_t *{variable} = malloc(sizeof(size_t));")
            after.append(f"    free({variable});")
        else:
            is_input = kind.startswith("const ")
            element = kind.removeprefix("const ")
            macro = f"{name.upper()}_{'INPUT' if is_input else 'OUTPUT'}_{variable.upper()}_COUNT"
            before.append(f"    {element} *{variable} = malloc({macro} * sizeof({element}) + ({macro} == 0));")
            if is_input:
                before.append(f"    if (fread({variable}, sizeof({element}), {macro}, stdin) != {macro}) {{ fflush(stdout); _Exit(0); }}")
            after.append(f"    free({variable});")
        call.append(variable)
    lines += before
    lines += [f"    int32_t status = {name}_run({', '.join(call)});", "    fwrite(&status, 4, 1, stdout);"]
    lines += ["    if (!status) {"]
    for variable in (a.rsplit(" *", 1)[1] for a in arguments if a.startswith("size_t *")):
        lines.append(f"      fwrite({variable}, sizeof(size_t), 1, stdout);")
    for argument in arguments:
        kind, variable = argument.rsplit(" *", 1)
        if kind not in ("void", "size_t") and not kind.startswith("const "):
            lines.append(f"      fwrite({variable}, sizeof({kind}), {name.upper()}_OUTPUT_{variable.upper()}_COUNT, stdout);")
    return "\n".join(lines + ["    }"] + after + ["  }", "}"]) + "\n"


class Program:
    """A model in C, compiled with sanitizers."""

    def __init__(self, lathe: str, path: Path, options: list[str]):
        name = path.stem
        folder = path.parent
        subprocess.run([lathe, "compile", path, "-o", folder / f"{name}.c", *options], check=True, capture_output=True)
        header = (folder / f"{name}.h").read_text()
        prototype = re.search(rf"int {name}_run\(([^)]*)\)", header)[1]
        capacity = re.search(rf"{name.upper()}_ERROR_CAPACITY = (\d+)", header)
        self.exceeded = int(capacity[1]) if capacity else None
        self.types = {
            variable: kind
            for kind, variable in (part.strip().rsplit(" *", 1) for part in re.sub(r"\s+", " ", prototype).split(","))
        }
        self.extents = [name for name, kind in self.types.items() if kind == "size_t"]
        self.shapes, self.sizes = {}, {}
        for variable, shape in re.findall(r"^ \* (\w+): output \w+\[([\d,]*)\]", header, re.M):
            self.shapes[variable] = [int(size) for size in shape.split(",") if size]
        for variable, sizes in re.findall(
            r"^ \* (\w+): output [^\n]*\n \*   has room for as many elements as there can be; there are \[(.*)\], the",
            header,
            re.M,
        ):
            self.sizes[variable] = [eval("lambda extents: " + self.python(size)) for size in self.split(sizes)]
        (folder / f"{name}_loop.c").write_text(loop(name, prototype, self.shapes))
        self.path = folder / name
        subprocess.run(
            ["gcc", "-std=c11", "-O1", "-g", *SANITIZERS, f"{name}.c", f"{name}_loop.c", "-o", name, "-lm"],
            cwd=folder,
            check=True,
        )

    @staticmethod
    def split(text: str) -> list[str]:
        """The parts between commas outside of parentheses."""
        parts, depth, start = [], 0, 0
        for position, character in enumerate(text):
            depth += (character == "(") - (character == ")")
            if character == "," and depth == 0:
                parts.append(text[start:position])
                start = position + 1
        return parts + [text[start:]]

    @staticmethod
    def python(size: str) -> str:
        """A size in C as a Python expression of `extents`; `c ? a : b` with parentheses around all."""
        while "?" in size:
            middle = size.index("?")
            depth, left = 0, middle
            while depth >= 0:
                left -= 1
                depth += (size[left] == ")") - (size[left] == "(")
            depth, right, colon = 0, middle, None
            while depth >= 0:
                right += 1
                depth += (size[right] == "(") - (size[right] == ")")
                if size[right] == ":" and depth == 0:
                    colon = right
            condition, then, other = size[left + 1 : middle], size[middle + 1 : colon], size[colon + 1 : right]
            size = f"{size[:left]}(({then}) if ({condition}) else ({other})){size[right + 1:]}"
        return re.sub(r"\b(?!if\b|else\b)([a-zA-Z]\w*)", r'extents["\1"]', size.replace("/", "//"))

    def run(self, feeds: list[dict], order: list[str]):
        """The outputs of all runs, None for those in which a size exceeds its capacity."""
        data = b"".join(np.ascontiguousarray(feed[name]).tobytes() for feed in feeds for name in order)
        result = subprocess.run([self.path], input=data, capture_output=True)
        if result.returncode:
            raise RuntimeError(result.stderr.decode(errors="replace")[:4000])
        stream, at = result.stdout, 0
        for _ in feeds:
            status = int(np.frombuffer(stream, np.int32, 1, at)[0])
            at += 4
            if status:
                if status != self.exceeded:
                    raise RuntimeError(f"{self.path} returns {status}")
                yield None
                continue
            extents, outputs = {}, {}
            for name in self.extents:
                extents[name] = int(np.frombuffer(stream, np.uint64, 1, at)[0])
                at += 8
            for name, shape in self.shapes.items():
                dtype = np.dtype(TYPES[self.types[name]])
                count = int(np.prod(shape))
                array = np.frombuffer(stream, dtype, count, at).reshape(shape)
                at += count * dtype.itemsize
                sizes = [max(0, size(extents)) for size in self.sizes.get(name, [])] or shape
                outputs[name] = array[tuple(slice(0, size) for size in sizes)]
            yield outputs


def room(maxima: dict[str, int]) -> list[str]:
    """The options that give sizes room."""
    return [part for name, most in maxima.items() for part in ("--max", f"{name}={most}")]


def agrees(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether shapes are equal and numbers as close as sums in another order are."""
    return found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-4, atol=1e-5, equal_nan=True)


def main() -> int:
    """Runs the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lathe")
    parser.add_argument("parts", nargs="*", metavar="NAME_PART")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    wrong = 0
    for name, case in CASES.items():
        if arguments.parts and not any(part in name for part in arguments.parts):
            continue
        random = np.random.default_rng(7)
        feeds = [case.draw(random) for _ in range(arguments.runs)]
        stem = name.replace("-", "_")
        onnx.save(case.model, folder / f"{stem}.onnx")
        onnx.save(case.model, folder / f"{stem}_small.onnx")
        session = onnxruntime.InferenceSession(folder / f"{stem}.onnx")
        names = [output.name for output in session.get_outputs()]
        expected = [dict(zip(names, session.run(None, feed))) for feed in feeds]
        order = [row[0] for row in case.inputs]
        extent, most = case.limit
        full = Program(arguments.lathe, folder / f"{stem}.onnx", room(case.room))
        small = Program(arguments.lathe, folder / f"{stem}_small.onnx", room({**case.room, extent: most}))
        differing = failed = refused = missed = 0
        for found, wanted in zip(full.run(feeds, order), expected):
            if found is None:
                failed += 1
            elif not all(agrees(found[key], wanted[key]) for key in names):
                differing += 1
                if differing == 1:
                    key = next(key for key in names if not agrees(found[key], wanted[key]))
                    print(f"{name}: {key}\n{found[key]}\n{wanted[key]}", file=sys.stderr)
        for found, wanted in zip(small.run(feeds, order), expected):
            if found is None:
                refused += 1
            elif not all(agrees(found[key], wanted[key]) for key in names):
                missed += 1
        wrong += differing + failed + missed
        print(
            f"{name}: {len(feeds)} runs, {differing} differ, {failed} fail; of at most {most}: {refused} refused, "
            f"{missed} wrong"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
