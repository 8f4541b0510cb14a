"""Measures Lathe and its peers on the same networks in one run, and writes a report.

    tools/bench [--quick] [--networks A,B] [--peers A,B] [--threads 1,2] [--check]

All contenders of one network are loaded, each in a process of its own, and measured in turns: round after round, so
that what else goes on in the machine hits all alike. Each turn is a warm-up and then runs for a slice of time; who is
not measured is stopped. The report is report.md and report.json in the output folder.

Exit code: 0; with --check, 1 where a target is missed; 64 for wrong usage.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from catalogue import NETWORKS, Network
from compilation import compilation
from contenders import Contender, Failure, Place, Server, contenders
from report import markdown
from results import Results, processor
from targets import missed

ROOT = Path(__file__).resolve().parents[2]
ONNX2C = ROOT / ".build" / "onnx2c" / "onnx2c"
EXPORT = ROOT / "tools" / "models" / "export.py"


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose exit code for wrong usage is that of Lathe's commands."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(64, f"bench: {message}\n")


def names(text: str) -> list[str]:
    """A list with commas."""
    return [name for name in text.split(",") if name]


def main() -> int:
    """Does what the command line asks for."""
    parser = ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [network.name for network in NETWORKS]
    peers = [contender.name for contender in contenders(Place("", None, Path(), Path(), None))]
    parser.add_argument("--networks", type=names, default=known, help=f"default: all of {', '.join(known)}")
    parser.add_argument("--peers", type=names, help=f"default: all of {', '.join(peers)}")
    parser.add_argument("--threads", type=names, default=["1", "2"], help="default: 1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="the length of a slice")
    parser.add_argument(
        "--quick", action="store_true", help="2 rounds of 0.2 s; without torch and the other generators of C"
    )
    parser.add_argument("--lathe", help="the executable (default: built here)")
    parser.add_argument("--before", help="an earlier executable, which the new one must not be slower than")
    parser.add_argument("--models", type=Path, help="folder of the networks (default: LATHE_MODELS, else .build/models)")
    parser.add_argument(
        "--onnx2c", help="its executable (default: LATHE_ONNX2C, onnx2c on the path, what build-onnx2c built)"
    )
    parser.add_argument("--output", type=Path, default=ROOT / ".build" / "bench", help="default: .build/bench")
    parser.add_argument(
        "--work", type=Path, help="the other generators' libraries, kept (default: LATHE_BENCH_WORK, else OUTPUT/work)"
    )
    parser.add_argument("--no-compilation", action="store_true", help="do not measure lathe compile and gcc")
    parser.add_argument("--check", action="store_true", help="exit code 1 where a target is missed")
    parser.add_argument("--report", type=Path, metavar="JSON", help="measure nothing: read this report.json")
    arguments = parser.parse_args()
    for name in set(arguments.networks) - set(known):
        parser.error(f"no network '{name}'")
    for name in set(arguments.peers or []) - set(peers):
        parser.error(f"no peer '{name}'")
    if not all(count.isdecimal() and int(count) > 0 for count in arguments.threads):
        parser.error("--threads must be numbers")
    if not arguments.before:
        peers = [name for name in peers if not name.startswith("before")]
    if arguments.quick:
        arguments.rounds, arguments.seconds = 2, 0.2
        peers = [name for name in peers if not name.startswith(("torch", "emx", "onnx2c"))]
    arguments.peers = arguments.peers or peers

    if arguments.report:
        results = Results.read(arguments.report)
        print(markdown(results), end="")
    else:
        results = measured(arguments)
    faults = missed(results)
    for fault in faults:
        print(f"bench: missed: {fault}", file=sys.stderr)
    return 1 if arguments.check and faults else 0


def measured(arguments: argparse.Namespace) -> Results:
    """Measures, and writes the report after each network."""
    place = Place(
        lathe=arguments.lathe or built_lathe(),
        before=arguments.before,
        models=(arguments.models or Path(os.environ.get("LATHE_MODELS") or ROOT / ".build" / "models")).resolve(),
        work=(arguments.work or Path(os.environ.get("LATHE_BENCH_WORK") or arguments.output / "work")).resolve(),
        onnx2c=arguments.onnx2c or os.environ.get("LATHE_ONNX2C") or shutil.which("onnx2c") or str(ONNX2C),
    )
    chosen = [contender for contender in contenders(place) if contender.name in arguments.peers]
    for contender in chosen:
        if contender.missing:
            say(f"without {contender.title}: {contender.missing}")
    chosen = [contender for contender in chosen if not contender.missing]
    networks = [network for network in NETWORKS if network.name in arguments.networks]
    for network in networks:
        provide(network, place)
    place.work.mkdir(parents=True, exist_ok=True)
    threads = [int(count) for count in arguments.threads]
    say("machine")
    results = Results(
        date=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        processor=processor(),
        versions=versions(place),
        machine=machine(place.work, threads),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        titles={contender.name: contender.title for contender in chosen},
    )
    for network in networks:
        entry = results.networks.setdefault(network.name, {"runs": {}, "cost": {}})
        able = [contender for contender in chosen if contender.takes(network)]
        if not arguments.no_compilation and not network.trained:
            say(f"{network.name}: lathe compile, gcc")
            entry["compilation"] = compilation(place, network)
        for count in threads:
            measure(entry, [c for c in able if c.threaded or count == 1], place, network, count, arguments)
        for contender in able:
            if cost := contender.cost(place, network):
                entry["cost"][contender.name] = cost
        results.write(arguments.output)
        (arguments.output / "report.md").write_text(markdown(results))
    print(markdown(results), end="")
    say(f"wrote {arguments.output}/report.md and report.json")
    return results


def measure(
    entry: dict, chosen: list[Contender], place: Place, network: Network, threads: int, arguments: argparse.Namespace
) -> None:
    """Measures all contenders on one network with one number of threads."""
    runs = entry["runs"].setdefault(str(threads), {})
    servers: list[Server] = []
    try:
        for contender in chosen:
            say(f"{network.name}, {threads} threads: start {contender.title}")
            try:
                servers.append(Server.start(contender, place, network, threads))
            except Failure as failure:
                runs[contender.name] = {"failed": str(failure)}
        say(f"{network.name}, {threads} threads: measure")
        for turn in range(arguments.rounds):
            shift = turn % max(1, len(servers))
            for server in [*servers[shift:], *servers[:shift]]:
                server.measure(arguments.seconds)
        for server in servers:
            runs[server.contender.name] = Results.summary(server.ready, server.slices)
            for key in ("macs", "arena_bytes", "arena_lower_bound"):
                if key in server.ready:
                    entry[key] = server.ready[key]
    finally:
        for server in servers:
            server.close()


def provide(network: Network, place: Place) -> None:
    """Makes a network that is missing, and the gradients, which this Lathe writes."""
    original = network.original(place.models)
    if not original.exists():
        say(f"exporting {network.name}")
        script = EXPORT.with_name("training.py") if network.trained else EXPORT
        subprocess.run([sys.executable, script, place.models, *network.export], check=True, stdout=subprocess.DEVNULL)
    if network.differentiated:
        say(f"{network.name}: lathe grad")
        # Elsewhere: the memory of what is started here counts with that of this process at the time.
        print_output = "import onnx, sys; print(onnx.load(sys.argv[1]).graph.output[0].name)"
        output = subprocess.check_output([sys.executable, "-c", print_output, original], text=True).strip()
        command = [place.lathe, "grad", original, "--of", output, "--output", network.model(place.models)]
        subprocess.run(command, check=True)


def built_lathe() -> str:
    """The executable, built."""
    subprocess.run([ROOT / "tools" / "setup"], check=True)
    build = ["swift", "build", "--package-path", ROOT, "-c", "release"]
    subprocess.run([*build, "--product", "lathe", "--quiet"], check=True, stdout=sys.stderr)
    return subprocess.check_output([*build, "--show-bin-path"], text=True).strip() + "/lathe"


def machine(work: Path, threads: list[int]) -> dict:
    """What the machine can do, by the probe that `lathe bench` uses too."""
    probe = ROOT / "Sources" / "CProbe"
    sources = [str(probe / "probe.c"), str(Path(__file__).with_name("machine.c"))]
    program = str(work / "machine")
    command = ["gcc", "-O3", "-march=native", "-pthread", f"-I{probe}/include", *sources, "-o", program]
    subprocess.run(command, check=True)
    return json.loads(subprocess.check_output([program, *map(str, threads)], text=True))


def versions(place: Place) -> dict[str, str]:
    """Which versions of everything were measured."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("onnxruntime", "openvino", "torch", "jax", "emx-onnx-cgen"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass
    for compiler in ("gcc", "clang"):
        if shutil.which(compiler):
            found[compiler] = subprocess.check_output([compiler, "--version"], text=True).splitlines()[0]
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    found["lathe"] = commit.stdout.strip() or "unknown"
    return found


def say(text: str) -> None:
    """Tells what is going on."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
