"""The ways in which Lathe runs a model: the interpreter, the native back-end, C that is compiled here, and ONNX again."""

import platform
import random
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, numpy_helper

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
KINDS = ("interpreter", "native", "c", "export")
# How C for a target is compiled and run, where this machine's own compiler does not do.
CROSS = {"armv8-a": (["aarch64-linux-gnu-gcc", "-static"], ["qemu-aarch64"])}
PROCESSOR = {"x86-64-v2": "sse4_2", "x86-64-v3": "avx2", "x86-64-v4": "avx512vl"}
TIMEOUT = 60


class Failure(Exception):
    """Lathe gave no results; the kind is what failures are sorted by."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    @property
    def key(self) -> str:
        """The message without what differs from model to model."""
        text = re.sub(r"/\S+/", "", self.message)
        text = re.sub(r"'[^']*'|‘[^’]*’", "'_'", text)
        text = re.sub(r"\b(f16|f32|f64|bf16|[iu](8|16|32|64)|bool)\b(\[[^\]]*\])?", "T", text)
        return re.sub(r"0x[0-9a-f]+|-?\d+(\.\d+)?", "#", text)[:160]


@dataclass(frozen=True)
class Way:
    """One way, written KIND[:TARGET][:OPTION=VALUE]...; every how manieth model goes it is written behind: native/4."""

    kind: str
    options: tuple[tuple[str, str], ...] = ()
    every: int = 1

    @classmethod
    def parse(cls, text: str) -> "Way":
        """A way as the command line has it."""
        text, _, every = text.partition("/")
        kind, *rest = text.split(":")
        if kind not in KINDS:
            raise ValueError(f"'{kind}' is none of {', '.join(KINDS)}")
        pairs = [x.partition("=") if "=" in x else ("target", "=", x) for x in rest]
        return cls(kind, tuple((key, value) for key, _, value in pairs), int(every or 1))

    def __str__(self) -> str:
        return ":".join([self.kind, *(f"{key}={value}" for key, value in self.options)])

    def drawn(self, choices: random.Random, targets: list[str]) -> "Way":
        """The same with all that is left open chosen."""
        given = dict(self.options)

        def draw(key: str, *options: str) -> None:
            value = choices.choice(options)
            given.setdefault(key, value)

        if self.kind != "export":
            draw("threads", "1", "1", "2", "3")
        if self.kind == "c":
            draw("target", *targets)
            draw("form", "none", "none", "pthreads", "openmp")
            draw("arena", "caller", "caller", "static")
            draw("weights", "auto", "auto", "inline", "file")
            draw("math", "own", "own", "own", "libm")
            draw("std", "c11", "c11", "c11", "c99")
            draw("sanitize", "yes", "yes", "no")
            draw("optimize", "-O1", "-O2", "-O3")
        if self.kind == "native":
            draw("conv", "auto", "auto", "auto", "winograd")
        return Way(self.kind, tuple(given.items()), self.every)


def targets() -> list[str]:
    """The targets whose code runs here."""
    names = ["generic", "auto", "cortex-m4f"]  # the last is plain C in another order
    processor = Path("/proc/cpuinfo").read_text() if platform.machine() == "x86_64" else ""
    names += [name for name, flag in PROCESSOR.items() if f" {flag} " in processor]
    names += [name for name, (compiler, runner) in CROSS.items() if shutil.which(compiler[0]) and shutil.which(runner[0])]
    return names


def execute(command: list[str], kind: str, timeout: float = TIMEOUT, environment: dict[str, str] | None = None) -> None:
    """Runs a command; what is wrong is thrown."""
    try:
        finished = subprocess.run(
            command, capture_output=True, timeout=timeout, env=environment, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise Failure("timeout", f"{kind}: no end after {timeout:.0f} s") from error
    if finished.returncode == 0:
        return
    text = finished.stderr.decode(errors="replace") + finished.stdout.decode(errors="replace")
    lines = [x.strip() for x in text.splitlines() if x.strip()]
    said = next((x for x in lines if re.search(r"runtime error|AddressSanitizer|Fatal error|error:", x)), lines[0] if lines else "nothing said")
    if finished.returncode < 0:
        raise Failure("crash", f"{kind}: {signal.Signals(-finished.returncode).name}: {said}")
    if kind == "lathe":
        said = re.sub(r"^\S+\.onnx: ", "", said)
        internal = re.search(r"mistake in Lathe|not in scope|cannot be run|the C compiler failed|no place in the arena|internal", text)
        if internal:
            more = next((x for x in lines if ": error:" in x and x != said), "") if "compiler" in text else ""
            raise Failure("internal", f"{said} {more}".strip())
        raise Failure("unsupported" if "not supported" in said else "refused", said)
    raise Failure(kind, said)


class Lathe:
    """The command line, on one model."""

    def __init__(self, program: str, folder: Path, model: ModelProto, inputs: dict[str, np.ndarray]) -> None:
        self.program = program
        self.folder = folder
        self.model = model
        self.inputs = inputs
        self.file = folder / "model.onnx"
        self.data = folder / "inputs"
        shutil.rmtree(folder, ignore_errors=True)
        self.data.mkdir(parents=True)
        onnx.save(model, self.file)
        for position, value in enumerate(model.graph.input):
            self.write_tensor(self.data / f"input_{position}.pb", inputs[value.name])

    @staticmethod
    def write_tensor(path: Path, array: np.ndarray) -> None:
        path.write_bytes(numpy_helper.from_array(array).SerializeToString())

    def run(self, way: Way) -> list[np.ndarray]:
        """The outputs."""
        results = self.folder / "results"
        shutil.rmtree(results, ignore_errors=True)
        options = dict(way.options)
        if way.kind == "c":
            results.mkdir()
            return self.run_c(options, results)
        if way.kind == "export":
            return self.run_export()
        command = [self.program, "run", str(self.file), "--outputs", str(results), "--backend", way.kind]
        command += ["--inputs", str(self.data)] if self.inputs else []
        for key in ("threads", "conv"):
            if key in options:
                command += [f"--{key}", options[key]]
        execute(command, "lathe")
        return self.read(results)

    def run_export(self) -> list[np.ndarray]:
        """The outputs that ONNX Runtime has for the model as Lathe writes it, which ONNX's checker has nothing against."""
        exported = self.folder / "exported.onnx"
        command = [self.program, "convert", str(self.file), "-o", str(exported)]
        for value in self.model.graph.input:
            for axis, size in zip(value.type.tensor_type.shape.dim, self.inputs[value.name].shape):
                if axis.dim_param and f"{axis.dim_param}={size}" not in command:
                    command += ["--dim", f"{axis.dim_param}={size}"]
        execute(command, "lathe")
        try:
            onnx.checker.check_model(exported, full_check=True)
            session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
            names = [x.name for x in self.model.graph.output]
            return session.run(names, {x.name: self.inputs[x.name] for x in session.get_inputs()})
        except Exception as error:
            raise Failure("export", " ".join(str(error).split())) from error

    def read(self, results: Path) -> list[np.ndarray]:
        try:
            return [np.load(results / f"output_{i}.npy") for i in range(len(self.model.graph.output))]
        except (OSError, ValueError) as error:
            raise Failure("output", f"unreadable output: {error}") from error

    def run_c(self, options: dict[str, str], results: Path) -> list[np.ndarray]:
        source = self.folder / "m.c"
        target = options["target"]
        cross = CROSS.get(target)
        form = "none" if cross else options["form"]
        # What runs without an operating system opens no file of weights by itself, and an embedded C library has few functions.
        weights = "inline" if cross else options["weights"]
        command = [self.program, "compile", str(self.file), "-o", str(source), "--test-bench", "--target", target, "--threads", form]
        command += ["--arena", options["arena"], "--weights", weights, "--math", options["math"], "--std", options["std"]]
        for value in self.model.graph.input:
            for axis, size in zip(value.type.tensor_type.shape.dim, self.inputs[value.name].shape):
                if axis.dim_param and f"{axis.dim_param}={size}" not in command:
                    command += ["--dim", f"{axis.dim_param}={size}"]
        execute(command, "lathe")
        compiler, runner = cross or (["gcc"], [])
        flags = [f"-std={options['std']}", options["optimize"], *WARNINGS]
        if not cross and options["sanitize"] == "yes":
            flags += SANITIZERS + (["-O1"] if options["optimize"] == "-O3" else [])
        flags += {"openmp": ["-fopenmp"], "pthreads": ["-pthread"]}.get(form, [])
        program = self.folder / "m"
        execute([*compiler, *flags, str(source), "-o", str(program), "-lm"], "compiler", 240)
        arguments = []
        held = self.folder / "m.weights"
        if held.exists():
            arguments.append(str(held))
        for position, value in enumerate(self.model.graph.input):
            path = self.folder / f"in_{position}.npy"
            array = self.inputs[value.name]
            np.save(path, array.astype(np.float32) if "bfloat16" in array.dtype.name else array)
            arguments.append(str(path))
        arguments += [str(results / f"output_{i}.npy") for i in range(len(self.model.graph.output))]
        # The test bench keeps its memory until it ends.
        environment = {"ASAN_OPTIONS": "detect_leaks=0", "OMP_NUM_THREADS": options["threads"], "PATH": "/usr/bin:/bin"}
        execute([*runner, str(program), *arguments], "sanitizer" if "-fsanitize=address,undefined" in flags else "program", 120, environment)
        return self.read(results)
