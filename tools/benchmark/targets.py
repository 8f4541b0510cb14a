"""What Lathe is to reach; all figures of one run, on one machine."""

from catalogue import NETWORKS
from results import NATIVE, Results, geometric_mean, quotient

TRAITS = {network.name: network for network in NETWORKS}
GENERATORS = ("emx-fast", "onnx2c-fast")


def missed(results: Results) -> list[str]:
    """The targets that these results miss, in words; what was not measured misses none."""
    faults = []
    for threads in results.thread_counts():
        faults += runtime_faults(results, threads) + interpreter_faults(results, threads)
        faults += regressions(results, threads)
    return faults + generator_faults(results) + compilation_faults(results)


def runtime_faults(results: Results, threads: str) -> list[str]:
    """Native code against the faster of ONNX Runtime and OpenVINO."""
    ratios = {name: ratio for name in results.networks if (ratio := results.ratio(name, threads)) is not None}
    faults = []
    mean = geometric_mean(ratios.values())
    if mean is not None and mean < 1:
        faults.append(f"{threads}T: the geometric mean of best runtime / native is {mean:.2f}, not 1.0")
    for name, ratio in ratios.items():
        least = 1.5 if TRAITS[name].small else 0.85
        if ratio < least:
            faults.append(f"{threads}T: {name}: best runtime / native is {ratio:.2f}, not {least}")
    return faults


def regressions(results: Results, threads: str) -> list[str]:
    """Lathe against the earlier Lathe, in each back-end."""
    faults = []
    for backend in ("gcc", "interpreter"):
        mean = results.speedup(threads, backend)
        if mean is not None and mean < 0.98:
            faults.append(f"{threads}T: the geometric mean of before / now is {mean:.3f} ({backend}), not 0.98")
    return faults


def generator_faults(results: Results) -> list[str]:
    """Native code against the other generators of C, on one thread, where convolutions fill more than a cache."""
    faults = []
    for name in results.networks:
        native = results.first(name, "1", NATIVE)
        ratio = quotient(results.best(name, "1", GENERATORS), native)
        if TRAITS[name].convolutional and not TRAITS[name].small and ratio is not None and ratio < 20:
            faults.append(f"1T: {name}: best generator of C / native is {ratio:.1f}, not 20")
    return faults


def interpreter_faults(results: Results, threads: str) -> list[str]:
    """The interpreter against ONNX Runtime."""
    mean = geometric_mean(
        quotient(results.latency(name, threads, "ort"), results.latency(name, threads, "lathe-interpreter"))
        for name in results.networks
    )
    if mean is not None and mean < 0.5:
        return [f"{threads}T: the geometric mean of ONNX Runtime / interpreter is {mean:.2f}, not 0.5"]
    return []


def compilation_faults(results: Results) -> list[str]:
    """ResNet-50: time, memory and size."""
    found = results.networks.get("resnet50", {}).get("compilation", {})
    limits = [
        ("lathe compile", ("lathe", "seconds"), 5, "s"),
        ("lathe compile", ("lathe", "peak_mb"), 1000, "MB"),
        ("gcc -O3", ("gcc", "seconds"), 60, "s"),
        ("gcc -O3", ("gcc", "peak_mb"), 1000, "MB"),
    ]
    faults = [
        f"resnet50: {title} takes {found[key][part]:.0f} {unit}, not {most}"
        for title, (key, part), most, unit in limits
        if key in found and found[key][part] > most
    ]
    if found.get("object_bytes", 0) >= 2_000_000:
        faults.append(f"resnet50: the object code has {found['object_bytes']:,} bytes, not under 2,000,000")
    return faults
