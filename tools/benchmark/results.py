"""The figures of a run, as they are kept in report.json."""

import dataclasses
import json
import math
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

#: Who the best peer is looked for among.
RUNTIMES = ("ort", "openvino")
#: What "Lathe native" means: the first of these that was measured.
NATIVE = ("lathe-gcc", "lathe-clang")


@dataclass
class Results:
    """What was measured."""

    date: str
    processor: str
    versions: dict[str, str]
    #: By number of threads: peak_gflops, L1_gbs ...
    machine: dict[str, dict[str, float]]
    rounds: int
    seconds: float
    #: The names of the contenders in tables.
    titles: dict[str, str]
    networks: dict[str, dict] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Results":
        """What `write` wrote."""
        return cls(**json.loads(path.read_text()))

    def write(self, folder: Path) -> None:
        """Writes report.json."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")

    @staticmethod
    def summary(ready: dict, slices: list[dict]) -> dict:
        """All slices of one contender in one record."""
        return {
            "median_ms": statistics.median(part["median_ms"] for part in slices),
            "least_ms": min(part["least_ms"] for part in slices),
            "runs": sum(part["runs"] for part in slices),
            "load_seconds": ready["load_seconds"],
            "load_peak_mb": ready["peak_mb"],
        }

    def latency(self, network: str, threads: str, contender: str, kind: str = "median_ms") -> float | None:
        """A latency in ms; kind is median_ms or least_ms."""
        return self.networks[network]["runs"].get(threads, {}).get(contender, {}).get(kind)

    def first(self, network: str, threads: str, names: Iterable[str], kind: str = "median_ms") -> float | None:
        """The latency of the first contender that was measured."""
        found = (self.latency(network, threads, name, kind) for name in names)
        return next((latency for latency in found if latency is not None), None)

    def best(self, network: str, threads: str, names: Iterable[str], kind: str = "median_ms") -> float | None:
        """The least latency of some contenders."""
        return min((x for name in names if (x := self.latency(network, threads, name, kind)) is not None), default=None)

    def ratio(self, network: str, threads: str, kind: str = "median_ms") -> float | None:
        """The best runtime's latency over that of Lathe native: more than 1 is faster than both."""
        return quotient(self.best(network, threads, RUNTIMES, kind), self.first(network, threads, NATIVE, kind))

    def speedup(self, threads: str, backend: str) -> float | None:
        """The geometric mean of an earlier Lathe's latencies over this one's."""
        return geometric_mean(
            quotient(
                self.latency(name, threads, f"before-{backend}"), self.latency(name, threads, f"lathe-{backend}")
            )
            for name in self.networks
        )

    def thread_counts(self) -> list[str]:
        """The numbers of threads that were measured."""
        return sorted({count for entry in self.networks.values() for count in entry["runs"]}, key=int)


def quotient(a: float | None, b: float | None) -> float | None:
    """a / b, where there are both."""
    return a / b if a is not None and b else None


def geometric_mean(values: Iterable[float | None]) -> float | None:
    """The geometric mean of those that there are."""
    logarithms = [math.log(value) for value in values if value is not None]
    return math.exp(statistics.fmean(logarithms)) if logarithms else None


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, {os.cpu_count()} cores"
