"""What it takes to compile a network: `lathe compile`, then gcc, for time, memory and sizes."""

import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path

from catalogue import Network
from contenders import Failure, Place, run_measured

#: What the emitted file's first comment says to compile it with.
FLAGS = ("-std=c11", "-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math")


def compilation(place: Place, network: Network) -> dict:
    """Seconds, peak MB and bytes, as far as it goes."""
    result: dict = {}
    with tempfile.TemporaryDirectory(dir=place.work) as name:
        folder = Path(name)
        source, code = folder / "model.c", folder / "model.o"
        try:
            cost = run_measured([place.lathe, "compile", str(network.model(place.models)), "-o", str(source)])
            result["lathe"] = asdict(cost)
            result["c_bytes"] = source.stat().st_size
            weights = folder / "model.weights"
            result["weights_bytes"] = weights.stat().st_size if weights.exists() else 0
            result["gcc"] = asdict(run_measured(["gcc", *FLAGS, "-c", str(source), "-o", str(code)]))
            sizes = subprocess.check_output(["size", code], text=True).splitlines()[1].split()
            # Instructions and constants; where there is no weights file, the weights are among the latter.
            result["object_bytes"] = int(sizes[0]) + int(sizes[1])
        except Failure as failure:
            result["failed"] = str(failure)
    return result
