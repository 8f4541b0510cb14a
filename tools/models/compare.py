"""Runs networks by Lathe and by ONNX Runtime on the same inputs, and prints how far the results are apart.

    tools/compare FOLDER... [--backend native] [--lathe PATH]
    tools/compare FOLDER... --backend export

A FOLDER holds model.onnx and test_data_set_*/input_N.pb, or folders that do; of the test data only the inputs are used.
The back-end `export` is ONNX Runtime on the model that `lathe convert` writes, once ONNX's checker has nothing against it.
The table is Markdown, one row per network and back-end, each number the worst over its data sets and outputs:

    absolute    largest |lathe - reference|
    relative    largest |lathe - reference| / |reference|, where the reference is not zero
    close       whether |lathe - reference| <= 1e-5 * scale + 1e-3 * |reference| everywhere; scale is the largest
                |reference| of that output
    official    the same with the tolerance of ONNX's own tests: 1e-7 + 1e-3 * |reference|

Exit code: 0 if all networks are close; 2 if one is not, or Lathe fails on it; 1 if there are none; 64 for wrong usage.
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import onnx
import onnx.numpy_helper
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
#: The most seconds that a command may take, and the most bytes of memory that Lathe may reserve.
SECONDS, BYTES = 300, 16 << 30
BACKENDS = ("interpreter", "native")
EXPORT = "export"


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose exit code for wrong usage is that of Lathe's commands."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(64, f"compare: {message}\n")


class LatheFailure(Exception):
    """Lathe did not give results that could be compared; `errors` are all that it wrote of them."""

    def __init__(self, message: str, errors: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.errors = errors


@dataclass
class Difference:
    """How far results are from the reference."""

    absolute: float = 0.0
    relative: float = 0.0
    close: bool = True
    official: bool = True

    def add(self, actual: np.ndarray, reference: np.ndarray) -> None:
        """Takes one more output into account."""
        if actual.shape != reference.shape or actual.dtype != reference.dtype:
            raise LatheFailure(
                f"{actual.dtype}{list(actual.shape)} instead of {reference.dtype}{list(reference.shape)}"
            )
        if reference.size == 0:
            return
        actual, reference = actual.astype(np.float64), reference.astype(np.float64)
        finite = np.isfinite(reference)
        scale = float(np.abs(reference[finite]).max(initial=0.0))
        same = (actual == reference) | (np.isnan(actual) & np.isnan(reference))
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.where(same, 0.0, np.abs(actual - reference))
            error = np.where(np.isnan(error), np.inf, error)
            nonzero = reference != 0
            relative = error[nonzero] / np.abs(reference[nonzero])
        self.absolute = max(self.absolute, float(error.max()))
        self.relative = max(self.relative, float(np.where(np.isnan(relative), np.inf, relative).max(initial=0.0)))
        self.close &= np.allclose(actual, reference, rtol=1e-3, atol=1e-5 * scale, equal_nan=True)
        self.official &= np.allclose(actual, reference, rtol=1e-3, atol=1e-7, equal_nan=True)


def main() -> int:
    """Compares what the command line names; gives the exit code."""
    parser = ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--backend", choices=(*BACKENDS, EXPORT), action="append", help="repeatable; default: interpreter, native")
    parser.add_argument("--lathe", default=str(ROOT / "tools" / "lathe"), help="the executable (default: tools/lathe)")
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(3)
    models = [model for folder in arguments.folders for model in networks(folder)]
    if not models:
        print("compare: no networks there", file=sys.stderr)
        return 1

    print("| network | back-end | absolute | relative | close | official |\n|---|---|---|---|---|---|")
    all_close = True
    for model in models:
        for backend in arguments.backend or BACKENDS:
            try:
                difference = compare(arguments.lathe, model, backend)
            except LatheFailure as failure:
                row = f"{str(failure).replace('|', '/')} | | no | no"
                all_close = False
            else:
                row = f"{difference.absolute:.1e} | {difference.relative:.1e}"
                row += f" | {yes(difference.close)} | {yes(difference.official)}"
                all_close &= difference.close
            print(f"| {model.parent.name} | {backend} | {row} |", flush=True)
    return 0 if all_close else 2


def yes(holds: bool) -> str:
    """A table's word for a truth value."""
    return "yes" if holds else "no"


def networks(folder: Path) -> Iterator[Path]:
    """The models with test data in a folder or its subfolders, by name."""
    for model in sorted(folder.rglob("model.onnx")):
        if any(model.parent.glob("test_data_set_*")):
            yield model


def compare(lathe: str, model: Path, backend: str) -> Difference:
    """The difference between Lathe and ONNX Runtime over all data sets of a model."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    difference = Difference()
    for data in sorted(model.parent.glob("test_data_set_*")):
        inputs = {
            x.name: onnx.numpy_helper.to_array(onnx.load_tensor(data / f"input_{i}.pb"))
            for i, x in enumerate(session.get_inputs())
        }
        references = session.run(None, inputs)
        dimensions = sizes(session.get_inputs(), inputs)
        if backend == EXPORT:
            outputs = run_export(lathe, model, inputs, [x.name for x in session.get_outputs()])
        else:
            outputs = run(lathe, model, data, backend, dimensions, len(references))
        for actual, reference in zip(outputs, references):
            difference.add(actual, reference)
    return difference


def sizes(declared: Sequence[onnxruntime.NodeArg], inputs: Mapping[str, np.ndarray]) -> list[str]:
    """What `--dim` is given: NAME=SIZE for every symbol of the inputs' types."""
    return sorted(
        {
            f"{symbol(x.name, axis, size)}={actual}"
            for x in declared
            for axis, (size, actual) in enumerate(zip(x.shape, inputs[x.name].shape))
            if not isinstance(size, int) or size < 0
        }
    )


def symbol(name: str, axis: int, size: str | int | None) -> str:
    """What Lathe calls a size of an input that is no number: by its name, or INPUT_dimAXIS where it has none."""
    return size if isinstance(size, str) and size.strip("?") else f"{name}_dim{axis}"


def call(command: Sequence[str | Path], memory: int | None = BYTES) -> str:
    """Runs a command, and gives what it wrote; a failure is told in one line: the signal, or its first error."""

    def limit() -> None:
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, errors="replace", preexec_fn=limit, start_new_session=True
        )
    except OSError as error:
        raise SystemExit(f"compare: cannot run {command[0]}: {error.strerror}") from error
    try:
        output, messages = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        # With the compilers that it may have started.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise LatheFailure(f"not done after {SECONDS} s") from None
    if process.returncode == 0:
        return output
    lines = messages.strip().splitlines()
    errors = [line for line in lines if "rror" in line] or lines[:1] or ["no message"]
    cause = signal.Signals(-process.returncode).name if process.returncode < 0 else f"exit code {process.returncode}"
    raise LatheFailure(f"{cause}: {errors[0]}", errors)


def run(lathe: str, model: Path, data: Path, backend: str, dimensions: Sequence[str], count: int) -> list[np.ndarray]:
    """Lathe's outputs for one data set."""
    with tempfile.TemporaryDirectory() as folder:
        command = [lathe, "run", model, "--inputs", data, "--outputs", folder, "--backend", backend]
        for dimension in dimensions:
            command += ["--dim", dimension]
        call(command)
        try:
            return [np.load(Path(folder) / f"output_{i}.npy") for i in range(count)]
        except (OSError, ValueError) as error:
            raise LatheFailure(f"unreadable output: {error}") from error


def run_export(
    lathe: str, model: Path, inputs: Mapping[str, np.ndarray], names: Sequence[str]
) -> list[np.ndarray]:
    """ONNX Runtime's outputs of the model as Lathe writes it."""
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "model.onnx"
        call([lathe, "convert", model, "-o", exported])
        try:
            onnx.checker.check_model(exported, full_check=True)
            session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
            return session.run(names, {x.name: inputs[x.name] for x in session.get_inputs()})
        except Exception as error:
            raise LatheFailure(" ".join(str(error).split())) from error


if __name__ == "__main__":
    sys.exit(main())
