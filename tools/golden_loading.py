#!/usr/bin/env python3
"""The orders in which PyTorch takes samples, for Tests/LoadingTests/Goldens/orders.json.

Usage: tools/golden_loading.py

Every case has its arguments and the orders of two epochs; the last entries are numbers that workers draw.
"""

import json
import pathlib

import torch
from torch.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    RandomSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    random_split,
)

WEIGHTS = [0.1, 0.9, 0.4, 0.7, 3.0, 0.6]


class Noise(Dataset):
    """Samples that are drawn when they are taken."""

    def __len__(self) -> int:
        """Ten."""
        return 10

    def __getitem__(self, index: int) -> tuple[int, float]:
        """The index and a number."""
        return index, torch.rand(1).item()


def generator(seed: int) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def cases() -> list[dict[str, object]]:
    """All cases."""
    found: list[dict[str, object]] = []

    def case(kind: str, orders: list[object], **arguments: object) -> None:
        found.append({"kind": kind, "orders": orders, **arguments})

    for size, count, replacement in ((7, 7, 0), (10, 25, 0), (5, 10, 0), (9, 3, 0), (9, 40, 1), (4, 64, 1)):
        sampler = RandomSampler(range(size), bool(replacement), count, generator(size))
        case("random", [list(sampler), list(sampler)], size=size, count=count, replacement=replacement, seed=size)
    sampler = SubsetRandomSampler([3, 5, 7, 11, 13], generator(1))
    case("subset", [list(sampler), list(sampler)], size=5, seed=1)
    for count, replacement in ((20, 1), (4, 0), (1, 1)):
        sampler = WeightedRandomSampler(WEIGHTS, count, bool(replacement), generator(2))
        case("weighted", [list(sampler), list(sampler)], size=6, count=count, replacement=replacement, seed=2)
    for size, replicas, drop, shuffle in ((10, 3, 0, 1), (10, 3, 1, 1), (2, 5, 0, 1), (12, 4, 1, 0), (1, 3, 1, 1)):
        orders = []
        for epoch in (0, 1):
            for rank in range(replicas):
                sampler = DistributedSampler(range(size), replicas, rank, bool(shuffle), 3, bool(drop))
                sampler.set_epoch(epoch)
                orders.append(list(sampler))
        case("distributed", orders, size=size, count=replicas, dropLast=drop, shuffle=shuffle, seed=3)
    for size, batch, drop in ((10, 3, 0), (10, 3, 1), (8, 4, 0), (100, 32, 1)):
        loader = DataLoader(range(size), batch, shuffle=True, drop_last=bool(drop), generator=generator(4))
        orders = [[batch.tolist() for batch in loader] for _ in range(2)]
        case("loader", orders, size=size, count=batch, dropLast=drop, seed=4)
    torch.manual_seed(5)
    loader = DataLoader(range(10), 4, shuffle=True)
    case("default", [[batch.tolist() for batch in loader] for _ in range(2)], size=10, count=4, seed=5)
    for lengths in ([3, 7], [4, 0, 6], [0.3, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3]):
        parts = random_split(range(10), lengths, generator(6))
        case("split", [part.indices for part in parts], size=10, lengths=lengths, seed=6)
    for workers in (0, 2, 3):
        torch.manual_seed(8)
        loader = DataLoader(Noise(), 2, shuffle=True, num_workers=workers, generator=generator(7))
        drawn = [[[index.tolist(), noise.tolist()] for index, noise in loader] for _ in range(2)]
        case("noise", drawn, size=10, count=2, workers=workers, seed=7)
    return found


if __name__ == "__main__":
    path = pathlib.Path(__file__).resolve().parents[1] / "Tests" / "LoadingTests" / "Goldens" / "orders.json"
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases()) + "\n]\n")
