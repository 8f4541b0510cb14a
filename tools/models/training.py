"""The networks whose training steps are measured, and their export as programs in training mode.

    .venv/bin/python tools/models/training.py OUTPUT [NETWORK...]

Each becomes OUTPUT/NAME-train/model.pt2. All are classifiers of ten classes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from collections.abc import Callable
from pathlib import Path

import torch
from networks import LeNet, ResNet, mlp
from torch import Tensor, nn

CLASSES = 10


class Encoder(nn.Module):
    """Four encoder layers, and a classifier of their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(256, 4, 1024, 0.0, "gelu", batch_first=True) for _ in range(4)
        )
        self.fc = nn.Linear(256, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.fc(x.mean(1))


class LSTMClassifier(nn.Module):
    """Two layers, and a classifier of the last state."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(64, 128, 2, batch_first=True)
        self.fc = nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.lstm(x)[0][:, -1])


@dataclass(frozen=True)
class TrainedNetwork:
    """A network, and the shape of its batches."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]

    def make(self) -> tuple[nn.Module, Tensor, Tensor]:
        """The module in training mode, a batch and its classes."""
        torch.manual_seed(0)
        return self.build().train(), torch.randn(self.shape), torch.randint(CLASSES, self.shape[:1])


TRAINED = {
    network.name: network
    for network in (
        TrainedNetwork("mlp64", lambda: mlp(784, 512, 512, CLASSES), (64, 784)),
        TrainedNetwork("lenet32", LeNet, (32, 1, 32, 32)),
        TrainedNetwork("resnet18_32", lambda: ResNet(64, (2, 2, 2, 2), CLASSES), (16, 3, 32, 32)),
        TrainedNetwork("encoder", Encoder, (8, 64, 256)),
        TrainedNetwork("lstm_classifier", LSTMClassifier, (16, 50, 64)),
    )
}


def main() -> None:
    """Writes what the command line asks for."""
    for name in sys.argv[2:] or TRAINED:
        module, x, _ = TRAINED[name].make()
        path = Path(sys.argv[1]) / f"{name}-train" / "model.pt2"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.export.save(torch.export.export(module, (x,)), path)


if __name__ == "__main__":
    main()
