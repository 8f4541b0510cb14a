"""Runs ONNX's own backend tests and counts what passes, is refused, is wrong or crashes.

    .venv/bin/python tools/models/onnx_backend.py LATHE FOLDER [NAME_PART...] [--backend native] [--jobs 2] [--list refused]

FOLDER holds the cases that `onnx_cases.py` wrote; they are written first where it does not exist. Each case also goes
through `lathe check`: what `verify` refuses, `check` must refuse too, and nothing may end by a signal. Of random numbers
only the shape is compared, as no two runtimes draw the same. The last line has the counts; the exit code is 1 where something is wrong or crashes.
"""

import argparse
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


# What these give is random: ONNX's own runner leaves them out, or compares shapes alone.
RANDOM = re.compile("test_(bernoulli.*|training_dropout(_default)?(_mask)?)$")


def main() -> int:
    """Runs the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lathe")
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*", metavar="NAME_PART", help="run the cases that have one of these in their name")
    parser.add_argument("--backend", default="interpreter")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--list", nargs="*", default=["wrong", "crash", "timeout"], help="the kinds that are shown one by one")
    arguments = parser.parse_args()
    if not arguments.folder.exists():
        writer = Path(__file__).with_name("onnx_cases.py")
        subprocess.run([sys.executable, writer, arguments.folder], check=True)

    folders = sorted(x for x in arguments.folder.iterdir() if (x / "model.onnx").exists())
    if arguments.parts:
        folders = [x for x in folders if any(part in x.name for part in arguments.parts)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(lambda folder: judged(folder, arguments), folders))
    reasons = Counter()
    for folder, (kind, message) in zip(folders, results, strict=True):
        if kind == "refused":
            reasons[reason(message)] += 1
        if kind in arguments.list:
            print(f"{kind}: {folder.name}: {message}")
    for text, count in reasons.most_common():
        print(f"{count:5} refused: {text}")
    counts = Counter(kind for kind, _ in results)
    print(f"{len(folders)} cases: " + ", ".join(f"{counts[kind]} {kind}" for kind in ("passing", "refused", "wrong", "crash", "timeout")))
    return int(any(counts[kind] for kind in ("wrong", "crash", "timeout")))


def judged(folder: Path, arguments) -> tuple[str, str]:
    """What becomes of a case, and the first line of what is said about it."""
    for command in (["check", folder / "model.onnx"], ["verify", folder, "--backend", arguments.backend]):
        try:
            run = subprocess.run([arguments.lathe, *command], capture_output=True, text=True, errors="replace", timeout=arguments.timeout)
        except subprocess.TimeoutExpired:
            return "timeout", str(command[0])
        lines = (run.stderr + run.stdout).splitlines()
        if run.returncode not in (0, 1, 2):
            return "crash", f"{command[0]}: exit code {run.returncode}: {lines[-1] if lines else ''}"
        said = next((line for line in lines if "error:" in line or "MISMATCH" in line or "mistake in Lathe" in line), "")
        if "mistake in Lathe" in run.stderr:
            return "crash", said
    if run.returncode == 2 and RANDOM.match(folder.name) and " elements, largest difference" in said:
        return "passing", said
    kinds = {0: "passing", 1: "refused", 2: "wrong"}
    return kinds[run.returncode], said


def reason(message: str) -> str:
    """A message without the names and numbers of its case."""
    text = message.split("error: ", 1)[-1]
    return re.sub(r"'[^']*'|\[[^\]]*\]|\d+", "_", text)[:110]


if __name__ == "__main__":
    sys.exit(main())
