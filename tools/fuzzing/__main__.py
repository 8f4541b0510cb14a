"""Runs random ONNX models by Lathe and compares the results with ONNX Runtime's.

    tools/fuzz [--count N] [--seed S] [--mode values|special|empty|grad] [--ways WAY,...] [--workers W] [--keep DIR]
    tools/fuzz --model FILE.onnx [--inputs DIR] [--ways WAY,...]

A WAY is KIND[:TARGET][:OPTION=VALUE]...[/EVERY]: interpreter, native, c or export, which is ONNX Runtime on the model that
`lathe convert` writes; the processor that C is for, threads and what else
`lathe` can be told; what is left open is chosen at random. native/4 goes every fourth model that way.

    values    numbers as networks have them
    special   among them NaN, infinities, the largest and the smallest numbers
    empty     sizes of 0
    grad      `lathe grad` in f64 against central differences

The reference is ONNX Runtime in double precision, with noise for how far right answers may be apart; where it disagrees,
ONNX's reference evaluator and ONNX Runtime in the model's own types may take Lathe's side (disputed). What fails is made
smaller, and with --keep written into DIR, a folder for each class of failures: the model as ONNX and as text, its inputs
and its expected outputs.

Exit code: 0 if all models agree; 1 if not; 64 for wrong usage.
"""

import argparse
import collections
import multiprocessing
import multiprocessing.connection
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

import checks
import minimize
from ways import Way

ROOT = Path(__file__).resolve().parents[2]


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose exit code for wrong usage is that of Lathe's commands."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(64, f"fuzz: {message}\n")


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = ArgumentParser(prog="tools/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="how many models (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="what they are made from (default: 1)")
    parser.add_argument("--only", type=int, action="append", help="one of the models by its number; repeatable")
    parser.add_argument("--mode", choices=checks.MODES, default="values")
    parser.add_argument("--ways", default="interpreter,native/3,c/12", help="default: interpreter,native/3,c/12")
    parser.add_argument("--steps", default="", help="grow models by these steps of the catalogue only, comma-separated")
    parser.add_argument("--without", default="", help="grow models without these steps")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where minimal models of failures are written")
    parser.add_argument("--no-minimize", action="store_true", help="failures as they are")
    parser.add_argument("--model", type=Path, help="one model from a file instead of random ones")
    parser.add_argument("--lathe", help="the executable (default: built here)")
    arguments = parser.parse_args()
    try:
        arguments.ways = [Way.parse(x) for x in arguments.ways.split(",")]
    except ValueError as error:
        parser.error(str(error))
    arguments.steps = frozenset(arguments.steps.split(",")) - {""}
    arguments.without = frozenset(arguments.without.split(",")) - {""}
    return arguments


class Workers:
    """Processes that check models; one that dies or hangs with ONNX Runtime is replaced."""

    # Longer than Lathe may take in all ways, in seconds.
    PATIENCE = 600

    def __init__(self, arguments: argparse.Namespace, numbers: list[int]) -> None:
        self.arguments = arguments
        self.context = multiprocessing.get_context("fork")
        self.waiting = collections.deque(numbers)
        self.total = len(numbers)

    def reports(self):
        """The reports as they come; a number alone for a model that killed its worker."""
        pipes = {}

        def start() -> None:
            parent, child = self.context.Pipe()
            process = self.context.Process(target=serve, args=(self.arguments, child), daemon=True)
            process.start()
            child.close()
            pipes[parent] = [process, None, 0]
            give(parent)

        def give(pipe) -> None:
            number = self.waiting.popleft() if self.waiting else None
            pipes[pipe][1:] = [number, time.time()]
            pipe.send(number)

        for _ in range(min(self.arguments.workers, self.total)):
            start()
        while pipes:
            ready = multiprocessing.connection.wait(list(pipes), timeout=60)
            for pipe, (process, _, since) in pipes.items():
                if pipe not in ready and time.time() - since > self.PATIENCE:
                    process.kill()
            for pipe in ready:
                process, number, _ = pipes[pipe]
                try:
                    report = pipe.recv()
                except EOFError:
                    process.join()
                    del pipes[pipe]
                    if number is not None:
                        yield number, None
                        start()
                    continue
                yield number, report
                give(pipe)


def serve(arguments: argparse.Namespace, pipe) -> None:
    """A worker: is sent numbers, sends reports."""
    with tempfile.TemporaryDirectory(prefix="lathe-fuzz-") as folder:
        checker = checks.Checker(arguments.lathe, Path(folder), arguments.seed, arguments.mode, arguments.ways, arguments.steps, arguments.without)
        while (number := pipe.recv()) is not None:
            pipe.send(checker.check(number))


def main() -> int:
    """Checks what the command line asks for; gives the exit code."""
    arguments = parsed()
    if arguments.lathe is None:
        arguments.lathe = str(ROOT / ".build" / "release" / "lathe")
    if not shutil.which(arguments.lathe):
        print(f"fuzz: there is no {arguments.lathe}", file=sys.stderr)
        return 64
    summary = checks.Summary()
    started = time.time()
    numbers = arguments.only or list(range(arguments.count))
    with tempfile.TemporaryDirectory(prefix="lathe-fuzz-") as folder:
        checker = checks.Checker(arguments.lathe, Path(folder), arguments.seed, arguments.mode, arguments.ways, arguments.steps, arguments.without)
        if arguments.model:
            reports = [(0, checker.check_file(arguments.model))]
        else:
            reports = Workers(arguments, numbers).reports()
        for number, report in reports:
            for failure in summary.add(number, report):
                print(f"{number}: {failure}", flush=True)
                if summary.is_new(failure) and failure.model is not None and not arguments.no_minimize:
                    minimize.show(checker, failure, arguments.keep)
            if summary.models % 100 == 0:
                print(f"... {summary.models}: {summary.line()} ({time.time() - started:.0f} s)", file=sys.stderr, flush=True)
    print(summary.text())
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main())
