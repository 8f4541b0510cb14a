"""The report as Markdown."""

from collections.abc import Iterable

from catalogue import NETWORKS
from results import RUNTIMES, Results, geometric_mean, quotient
from targets import missed

CONVOLUTIONAL = {network.name for network in NETWORKS if network.convolutional}
DIFFERENTIATED = {network.name for network in NETWORKS if network.differentiated}
TRAINED = {network.name for network in NETWORKS if network.trained}


def markdown(results: Results) -> str:
    """All tables."""
    networks = [name for name in results.networks if name not in DIFFERENTIATED | TRAINED]
    differentiated = [name for name in results.networks if name in DIFFERENTIATED]
    trained = [name for name in results.networks if name in TRAINED]
    counts = results.thread_counts()
    return "\n".join(
        [
            *head(results),
            *machine(results),
            *(line for threads in counts for line in latencies(results, threads, networks)),
            *(line for threads in counts for line in ratios(results, threads, networks)),
            *(line for threads in counts for line in gradients(results, threads, differentiated)),
            *(line for threads in counts for line in training(results, threads, trained)),
            *compilation(results),
            *loading(results),
            *peer_costs(results),
            *failures(results),
            *targets(results),
            "",
        ]
    )


def table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A table and the empty line after it."""
    titles = list(titles)
    lines = [titles, ["---"] + ["---:"] * (len(titles) - 1), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def number(value: float | None, unit: float = 1) -> str:
    """Three digits that count, or nothing."""
    if value is None:
        return ""
    value /= unit
    if value == 0:
        return "0"
    for digits, limit in ((4, 0.01), (4, 0.1), (3, 1), (2, 10), (1, 100)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def head(results: Results) -> list[str]:
    """When, where and what."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return [
        "# Lathe and its peers",
        "",
        f"{results.date}, {results.processor}. f32, static shapes, batch 1 unless the network's name says otherwise.",
        f"{versions}.",
        "",
        f"{results.rounds} rounds of {results.seconds:g} s; a figure is the median over the rounds of the median of a "
        "round, and in brackets the least time of all runs.",
        "",
    ]


def machine(results: Results) -> list[str]:
    """What the machine can do."""
    counts = list(results.machine)
    keys = list(results.machine[counts[0]])
    titles = {"peak_gflops": "multiply-adds, GFLOP/s"}
    rows = [
        [titles.get(key, f"read {key.removesuffix('_gbs')}, GB/s"), *(number(results.machine[n][key]) for n in counts)]
        for key in keys
    ]
    return ["## The machine", "", *table(["", *(f"{n}T" for n in counts)], rows)]


def latencies(
    results: Results, threads: str, networks: list[str], title: str = "Latency", note: Iterable[str] = ()
) -> list[str]:
    """Latencies of all contenders with one number of threads."""
    entries = {network: results.networks[network] for network in networks}
    names = [name for name in results.titles if any(name in e["runs"].get(threads, {}) for e in entries.values())]
    if not names:
        return []
    rows = []
    for network, entry in entries.items():
        row = [network, number(entry.get("macs"), 1e6)]
        for name in names:
            median, least = (results.latency(network, threads, name, kind) for kind in ("median_ms", "least_ms"))
            row.append(f"{number(median)} ({number(least)})" if median is not None else "–")
        rows.append(row)
    return [
        f"## {title} in ms, {plural(threads)}",
        "",
        *note,
        *table(["network", "MMACs", *(results.titles[name] for name in names)], rows),
    ]


def plural(threads: str) -> str:
    """A number of threads in words."""
    return f"{threads} thread{'' if threads == '1' else 's'}"


def gradients(results: Results, threads: str, networks: list[str]) -> list[str]:
    """What networks take together with the gradients of their first output, and in proportion to Lathe native."""
    title = "Networks with their gradients"
    note = [
        "The network, and the gradients of its first output by all inputs and parameters; no loss and no update. Lathe's",
        "graph is that of `lathe grad`, where batch norms are folded; PyTorch's is eager.",
        "",
    ]
    return latencies(results, threads, networks, title, note) + ratios(results, threads, networks, title)


def training(results: Results, threads: str, networks: list[str]) -> list[str]:
    """What a step of training takes, and in proportion to Lathe native."""
    title = "Training steps"
    note = [
        "Cross entropy of a batch, its gradients, and Adam's update; batch norms normalize by the batch. Lathe's is",
        "`lathe bench --train` of the program that torch.export writes; PyTorch is eager, JAX jitted as a whole.",
        "",
    ]
    return latencies(results, threads, networks, title, note) + ratios(results, threads, networks, title)


def ratios(results: Results, threads: str, networks: list[str], title: str = "Latency") -> list[str]:
    """How many times the latency of Lathe native the others have, and the share of the machine's peak."""
    if not networks:
        return []
    native = "lathe-gcc" if "lathe-gcc" in results.titles else "lathe-clang"
    others = [name for name in results.titles if name != native]
    columns: dict[str, dict[str, float | None]] = {"best": {}, "best, least times": {}} | {name: {} for name in others}
    peaks: dict[str, list[str]] = {}
    for network in networks:
        entry = results.networks[network]
        columns["best"][network] = results.ratio(network, threads)
        columns["best, least times"][network] = results.ratio(network, threads, "least_ms")
        own = results.latency(network, threads, native)
        for name in others:
            columns[name][network] = quotient(results.latency(network, threads, name), own)
        peak = results.machine[threads]["peak_gflops"]
        peaks[network] = [
            number(100 * entry["macs"] * 2e-6 / latency / peak) if latency and "macs" in entry else ""
            for latency in (own, results.best(network, threads, RUNTIMES))
        ]
    columns = {key: column for key, column in columns.items() if any(x is not None for x in column.values())}
    rows = [[network, *(number(c[network]) for c in columns.values()), *peaks[network]] for network in networks]
    for mean, members in (
        ("geometric mean", networks),
        ("of convolutional networks", [name for name in networks if name in CONVOLUTIONAL]),
    ):
        if not members:
            continue
        rows.append([mean, *(number(geometric_mean(c[n] for n in members)) for c in columns.values()), "", ""])
    titles = {"best": "best of ORT and OpenVINO", "best, least times": "the same by least times"} | results.titles
    return [
        f"## {title} over that of {results.titles.get(native, native)}, {plural(threads)}",
        "",
        "More than 1: Lathe is faster. % of peak: multiply-adds of the network's contractions as its graph says them, in",
        "proportion to the machine's.",
        "",
        *table(["network", *(titles[key] for key in columns), "Lathe, % of peak", "best, % of peak"], rows),
    ]


def compilation(results: Results) -> list[str]:
    """What it takes to compile."""
    rows = []
    for network, entry in results.networks.items():
        if "compilation" not in entry:
            continue
        c = entry["compilation"]
        lathe, gcc = c.get("lathe", {}), c.get("gcc", {})
        rows.append(
            [network, number(lathe.get("seconds")), number(lathe.get("peak_mb")), number(gcc.get("seconds"))]
            + [number(gcc.get("peak_mb")), number(c.get("c_bytes"), 1e3), number(c.get("object_bytes"), 1e3)]
            + [number(c.get("weights_bytes"), 1e6), number(entry.get("arena_bytes"), 1e6)]
            + [number(entry.get("arena_lower_bound"), 1e6)]
        )
    if not rows:
        return []
    titles = ["network", "lathe compile, s", "MB", "gcc -O3, s", "MB", "C, kB", "object, kB", "weights, MB", "arena, MB"]
    return ["## From model to code", "", *table([*titles, "its lower bound, MB"], rows)]


def loading(results: Results) -> list[str]:
    """Time until a model can run, and memory after its first run."""
    threads = results.thread_counts()[0] if results.networks else "1"
    names = [name for name in results.titles if any(name in e["runs"].get(threads, {}) for e in results.networks.values())]
    rows = []
    for network in results.networks:
        row = [network]
        for name in names:
            seconds, peak = (results.latency(network, threads, name, kind) for kind in ("load_seconds", "load_peak_mb"))
            row.append(f"{number(seconds)} s, {number(peak)} MB" if seconds is not None else "–")
        rows.append(row)
    return [
        "## From model to first run",
        "",
        "Loading, and the process's peak memory (with Python's, where that is the interface). Lathe's native code is",
        "compiled in it, unless an earlier run left it in the cache; that of the generators is compiled before.",
        "",
        *table(["network", *(results.titles[name] for name in names)], rows),
    ]


def peer_costs(results: Results) -> list[str]:
    """What the other generators of C take."""
    names = [name for name in results.titles if any(name in entry["cost"] for entry in results.networks.values())]
    rows = [
        [f"{network}, {results.titles[name]}"]
        + [number(cost[step][part]) for step in ("generate", "gcc") for part in ("seconds", "peak_mb")]
        + [number(cost["c_bytes"], 1e3)]
        for network, entry in results.networks.items()
        for name in names
        if (cost := entry["cost"].get(name)) and "failed" not in cost
    ]
    if not rows:
        return []
    titles = ["network, generator", "generation, s", "MB", "gcc -O3, s", "MB", "C, kB"]
    text = "In this run, or in an earlier one whose libraries were still there."
    return ["## Other generators of C", "", text, "", *table(titles, rows)]


def failures(results: Results) -> list[str]:
    """Who could not take part, and why."""
    lines = {
        f"- {network}: {results.titles.get(name, name)}: {run['failed']}": None
        for network, entry in results.networks.items()
        for runs in entry["runs"].values()
        for name, run in runs.items()
        if "failed" in run and name != "torch"
    }
    lines |= {
        f"- {network}: lathe compile: {entry['compilation']['failed']}": None
        for network, entry in results.networks.items()
        if "failed" in entry.get("compilation", {})
    }
    return ["## Failed", "", *lines, ""] if lines else []


def targets(results: Results) -> list[str]:
    """Which targets are missed."""
    faults = missed(results)
    return ["## Targets", "", *([f"- missed: {fault}" for fault in faults] or ["All reached."])]
