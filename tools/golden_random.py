#!/usr/bin/env python3
"""What PyTorch's CPU generator draws, for Tests/NNTests/Goldens/random.npz.

Usage: tools/golden_random.py

An array is called after the call that gave it, FUNCTION/SEED/ARGUMENT/...; floats of 16 bits are stored as f32. The
numbers are those of processors with AVX2.
"""

import pathlib
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "f64": torch.float64}
WEIGHTS = [[0.1, 0.2, 0.0, 0.3, 0.4], [4.0, 3.0, 2.0, 1.0, 0.0]]


def cases() -> dict[str, Tensor]:
    """All arrays by name."""
    assert torch.backends.cpu.get_cpu_capability() != "DEFAULT"
    found: dict[str, Tensor] = {}

    def case(draw: Callable[[], Tensor], name: str, seed: int, *arguments: object) -> None:
        torch.manual_seed(seed)
        found["/".join(map(str, [name, seed, *arguments]))] = draw()

    for name, dtype in TYPES.items():
        for count in (0, 1, 7, 15, 16, 17, 35, 700):
            case(lambda: torch.rand(count, dtype=dtype), "rand", 7, name, count)
            case(lambda: torch.randn(count, dtype=dtype), "randn", -3, name, count)
        for count in (5, 40):
            case(lambda: torch.empty(count, dtype=dtype).normal_(2, 3), "normal", 2**63 + 11, name, count, 2, 3)
            means, deviations = torch.arange(count).to(dtype), torch.full((count,), 0.5, dtype=dtype)
            case(lambda: torch.normal(means, deviations), "normals", 5, name, count)
    for low, high in ((-5, 100), (0, 2**28), (0, 2**28 - 1), (-(2**62), 2**62)):
        case(lambda: torch.randint(low, high, (9,)), "randint", 0, low, high, 9)
    for count in (0, 1, 9, 100):
        case(lambda: torch.randperm(count), "randperm", 4, count)
    for name in ("f32", "f64"):
        case(lambda: torch.bernoulli(torch.arange(20, dtype=TYPES[name]) / 19), "bernoulli", 6, name, 20)
        weights = torch.tensor(WEIGHTS, dtype=TYPES[name])
        for count in (1, 4):
            case(lambda: torch.multinomial(weights, count), "multinomial", 8, name, count)
        case(lambda: torch.multinomial(weights, 30, replacement=True), "replacing", 8, name, 30)
    for before in (0, 1, 2, 623, 624, 625):
        case(lambda: (torch.rand(before), torch.get_rng_state())[1], "state", 9, before)
    case(lambda: (torch.randn(1), torch.get_rng_state())[1], "state", 9, "pending")
    return found


def main() -> None:
    """Writes the golden file."""
    torch.set_num_threads(1)
    path = pathlib.Path(__file__).resolve().parents[1] / "Tests" / "NNTests" / "Goldens" / "random.npz"
    short = (torch.float16, torch.bfloat16)
    np.savez_compressed(path, **{k: (x.float() if x.dtype in short else x).numpy() for k, x in cases().items()})


if __name__ == "__main__":
    main()
