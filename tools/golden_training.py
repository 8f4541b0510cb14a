#!/usr/bin/env python3
"""The losses of 100 steps of LeNet in PyTorch, for Tests/NNTests/Goldens/lenet_training.json.

The parameters are those of lenet.npz; batch k has pixels and classes by formulas in integers, which the test repeats.

Usage: tools/golden_training.py
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

FOLDER = pathlib.Path(__file__).parent.parent / "Tests/NNTests/Goldens"
STEPS, BATCH = 100, 8


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x).relu(), 2)
        x = nn.functional.max_pool2d(self.conv2(x).relu(), 2)
        return self.fc3(self.fc2(self.fc1(x.flatten(1)).relu()).relu())


def batch(k):
    bits = (np.arange(BATCH * 1024, dtype=np.uint64) * 2654435761 + k * 40503 * 65537) % 2**32
    classes = (np.arange(BATCH) * 7 + k * 3) % 10
    bands = np.arange(1024)[None] // 102 == classes[:, None]  # each class has its bright band
    pixels = ((bits >> 8).astype(np.float64) / 2**24 - 0.5 + 0.75 * bands.reshape(-1)).astype(np.float32)
    return torch.from_numpy(pixels).reshape(BATCH, 1, 32, 32), torch.from_numpy(classes)


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.04, momentum=0.9, weight_decay=1e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=5e-4),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=2e-4, momentum=0.5),
}


def main():
    torch.set_num_threads(1)
    arrays = np.load(FOLDER / "lenet.npz")
    result = {}
    for name, make in OPTIMIZERS.items():
        model = LeNet()
        model.load_state_dict({k[6:]: torch.from_numpy(arrays[k]) for k in arrays.files if k.startswith("param/")})
        optimizer = make(model.parameters())
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        losses = []
        for k in range(STEPS):
            x, target = batch(k)
            optimizer.zero_grad()
            loss = cross_entropy(model(x), target)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        result[name] = losses
    (FOLDER / "lenet_training.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
