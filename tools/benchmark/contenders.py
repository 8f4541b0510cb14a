"""What is measured against one another: Lathe and its peers, each able to start a process that holds one model."""

import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from catalogue import Network

HERE = Path(__file__).resolve().parent
EMX = Path(sys.executable).parent / "emx-onnx-cgen"
#: What the C of the other generators is compiled with, by what is added to their names.
GENERATOR_FLAGS = {"": ("-O3", "-march=native"), "-fast": ("-O3", "-march=native", "-ffast-math")}
#: The largest model, in bytes, for which onnx2c's C, with its weights as text, is given to gcc.
ONNX2C_LIMIT = 110_000_000
#: The most seconds that generating and compiling C may take, for peers.
GENERATION_LIMIT = 180
#: The most seconds until a process has run its model once.
START_LIMIT = 600
#: Who is slower than this many ms is measured in the first round only.
SLOW = 1000


class Failure(Exception):
    """A contender that cannot take part, and why."""


@dataclass(frozen=True)
class Place:
    """The folders and programs of this run of the benchmark."""

    lathe: str
    #: An earlier Lathe to be measured beside it.
    before: str | None
    models: Path
    #: Generated C and libraries; kept from run to run.
    work: Path
    onnx2c: str | None


@dataclass
class Cost:
    """What it took to run a command."""

    seconds: float
    #: The largest resident set of the command or one of its children, in MB.
    peak_mb: float


def run_measured(command: list[str], limit: float | None = None, stdout: Path | None = None) -> Cost:
    """Runs a command to its end and says what it took; raises Failure with the last line that it wrote."""
    start = time.perf_counter()
    output = open(stdout, "wb") if stdout else subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, start_new_session=True)
    killer = threading.Timer(limit or 1e6, os.killpg, (process.pid, signal.SIGKILL))
    killer.start()
    try:
        message = process.stderr.read().decode(errors="replace").strip()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        killer.cancel()
        process.stderr.close()
        if stdout:
            output.close()
    seconds = time.perf_counter() - start
    if process.returncode == -signal.SIGKILL and limit and seconds >= limit:
        raise Failure(f"not ready after {limit:.0f} s")
    if process.returncode != 0:
        lines = [line for line in message.splitlines() if "error" in line] or message.splitlines()
        raise Failure(f"{Path(command[0]).name}: {lines[-1] if lines else f'exit code {process.returncode}'}")
    return Cost(seconds, resident(usage))


def resident(usage: resource.struct_rusage) -> float:
    """The largest resident set in MB; Linux counts KiB, macOS bytes."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


@dataclass(frozen=True)
class Contender:
    """One of those who are measured."""

    name: str
    title: str
    #: Why it cannot take part on this machine, if so.
    missing: str | None = None
    #: Whether it can use more than one thread.
    threaded: bool = True
    #: Whether it computes gradients.
    differentiates: bool = False
    #: Whether it trains.
    trains: bool = False
    #: Whether it does nothing else.
    only_trains: bool = False

    def takes(self, network: Network) -> bool:
        """Whether the network is something for it."""
        if network.trained:
            return self.trains
        return not self.only_trains and (self.differentiates or not network.differentiated)

    def command(self, place: Place, network: Network, threads: int) -> list[str]:
        """What starts a process that serves the network's latencies; raises Failure."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """What is added to the environment."""
        return {}

    def cost(self, place: Place, network: Network) -> dict:
        """What it takes to make the network's code, where there is such a step."""
        return {}


@dataclass(frozen=True)
class Lathe(Contender):
    """Lathe in one of its back-ends."""

    backend: str = "interpreter"
    compiler: str | None = None
    #: Whether it is the earlier one.
    earlier: bool = False

    def command(self, place: Place, network: Network, threads: int) -> list[str]:
        model = network.model(place.models)
        # The gradients take the output's cotangent besides: all inputs are random there.
        inputs = [] if network.differentiated else ["--inputs", str(model.parent / "test_data_set_0")]
        if network.trained:
            inputs = ["--train", "--optimizer", "adam"]
        executable = place.before if self.earlier else place.lathe
        return [executable, "bench", str(model), *inputs, "--backend", self.backend] + [
            "--threads", str(threads), "--serve",
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        return {"CC": self.compiler} if self.compiler else {}


@dataclass(frozen=True)
class Runtime(Contender):
    """A library with Python bindings."""

    def command(self, place: Place, network: Network, threads: int) -> list[str]:
        if self.name == "torch" and network.export[0] == "--light":
            raise Failure("no such module")
        folder = network.model(place.models).parent
        peer = f"{self.name}-gradients" if network.differentiated else self.name
        if network.trained:
            peer = f"{self.name}-training"
        return [sys.executable, str(HERE / "worker.py"), peer, str(folder), str(threads)]


@dataclass(frozen=True)
class Generator(Contender):
    """Another program that writes C, which gcc compiles; those that differ in flags share the C."""

    threaded: bool = False
    tool: str = ""

    def command(self, place: Place, network: Network, threads: int) -> list[str]:
        made = self.made(place, network)
        if "failed" in made:
            raise Failure(made["failed"])
        library = place.work / network.name / self.tool / f"{self.name}.so"
        folder = network.model(place.models).parent
        return [sys.executable, str(HERE / "worker.py"), self.tool, str(folder), "1", str(library)]

    def cost(self, place: Place, network: Network) -> dict:
        return self.made(place, network)

    def made(self, place: Place, network: Network) -> dict:
        """What it took to make the library, now or in an earlier run of the benchmark, or why it failed."""
        folder = place.work / network.name / self.tool
        record = folder / "record.json"
        model = network.model(place.models)
        state = [model.stat().st_size, model.stat().st_mtime_ns]
        known = json.loads(record.read_text()) if record.exists() else {}
        if known.get("state") != state:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            known = {"state": state} | self.make(place, model, folder)
            record.write_text(json.dumps(known, indent=1))
        return known[self.name]

    def make(self, place: Place, model: Path, folder: Path) -> dict[str, dict]:
        """Generates the C, and compiles it with all flags, with the runner beside it."""
        source = folder / "model.c"
        try:
            if self.tool == "emx":
                command, entry, output = [str(EMX), "compile", str(model), str(source)], "model", None
            else:
                command, entry, output = [str(place.onnx2c), str(model)], "entry", source
                if model.stat().st_size > ONNX2C_LIMIT:
                    raise Failure("its weights as text take gcc more than 6 GB of memory")
            generation = run_measured(command, GENERATION_LIMIT, output)
        except Failure as failure:
            return {f"{self.tool}{suffix}": {"failed": str(failure)} for suffix in GENERATOR_FLAGS}
        count = sum(1 for _ in (model.parent / "test_data_set_0").glob("*put_*.pb"))
        arguments = ",".join(f"p[{i}]" for i in range(count))
        result: dict[str, dict] = {}
        for suffix, flags in GENERATOR_FLAGS.items():
            name = f"{self.tool}{suffix}"
            command = ["gcc", *flags, "-w", f"-DENTRY={entry}", f"-DARGUMENTS={arguments}", "-shared", "-fPIC"]
            command += [str(source), str(HERE / "runner.c"), "-o", str(folder / f"{name}.so"), "-lm"]
            try:
                compilation = run_measured(command, GENERATION_LIMIT)
                result[name] = {"generate": asdict(generation), "gcc": asdict(compilation)}
                result[name]["c_bytes"] = source.stat().st_size
            except Failure as failure:
                result[name] = {"failed": str(failure)}
        source.unlink()
        return result


def contenders(place: Place) -> list[Contender]:
    """All of them, also those that this machine lacks."""

    def lacks(program: str | None) -> str | None:
        return None if program and shutil.which(program) else f"{program or 'it'} is not here"

    def lacks_package(name: str) -> str | None:
        return None if importlib.util.find_spec(name) else f"the package {name} is not here"

    unnamed = None if place.before else "--before names no executable"
    return [
        Lathe("lathe-gcc", "Lathe gcc", lacks("gcc"), backend="native", compiler="gcc", differentiates=True, trains=True),
        Lathe("lathe-clang", "Lathe clang", lacks("clang"), backend="native", compiler="clang", differentiates=True, trains=True),
        Lathe("lathe-interpreter", "Lathe interp.", differentiates=True, trains=True),
        Lathe(
            "before-gcc", "before, gcc", lacks("gcc") or unnamed, backend="native", compiler="gcc", differentiates=True,
            earlier=True,
        ),
        Lathe("before-interpreter", "before, interp.", unnamed, differentiates=True, earlier=True),
        Runtime("ort", "ORT"),
        Runtime("openvino", "OpenVINO"),
        Runtime("torch", "torch", differentiates=True, trains=True),
        Runtime("torch-fused", "torch, fused Adam", trains=True, only_trains=True),
        Runtime("jax", "JAX", lacks_package("jax"), trains=True, only_trains=True),
        Generator("emx", "emx", lacks(str(EMX)), tool="emx"),
        Generator("emx-fast", "emx fast-math", lacks(str(EMX)), tool="emx"),
        Generator("onnx2c", "onnx2c", lacks(place.onnx2c), tool="onnx2c"),
        Generator("onnx2c-fast", "onnx2c fast-math", lacks(place.onnx2c), tool="onnx2c"),
    ]


@dataclass
class Server:
    """A process that holds a model; it is stopped while others are measured, so that its threads cannot spin."""

    contender: Contender
    process: subprocess.Popen
    #: Its first answer.
    ready: dict = field(default_factory=dict)
    slices: list[dict] = field(default_factory=list)

    @classmethod
    def start(cls, contender: Contender, place: Place, network: Network, threads: int) -> "Server":
        """Starts the process and waits until its model has run; raises Failure."""
        command = contender.command(place, network, threads)
        environment = os.environ | contender.environment()
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        server = cls(contender, process)
        killer = threading.Timer(START_LIMIT, process.kill)
        killer.start()
        try:
            server.ready = server.answer()
        finally:
            killer.cancel()
        server.ready.setdefault("load_seconds", time.perf_counter() - start)
        server.ready["peak_mb"] = server.peak()
        server.pause()
        return server

    def answer(self) -> dict:
        """The next line."""
        line = self.process.stdout.readline()
        if not line:
            message = self.process.stderr.read().strip().splitlines()
            self.close()
            errors = [line for line in message if "rror" in line] or message
            raise Failure(errors[-1] if errors else f"exit code {self.process.returncode}")
        return json.loads(line)

    def measure(self, seconds: float) -> None:
        """Takes one more slice, unless the model is so slow that one was enough."""
        if self.slices and self.slices[0]["least_ms"] > SLOW:
            return
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        self.slices.append(self.answer())
        self.pause()

    def pause(self) -> None:
        """Stops the process until it is measured again."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def peak(self) -> float | None:
        """The largest resident set so far in MB, where the system tells."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        except OSError:
            return None
        return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")), None)

    def close(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.wait()
