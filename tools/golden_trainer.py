#!/usr/bin/env python3
"""The histories of trainings in PyTorch, loops written by hand, and torchsummary's tables, for Tests/TrainerTests/Goldens.

Weights and data are drawn from PyTorch's generator after `manual_seed`, which Lathe has as well: `histories.json` holds
numbers only, of scikit-learn where they are not losses. Needs torchsummary and scikit-learn.
"""

import contextlib
import io
import json
import pathlib
import sys

import numpy as np
import torch
from sklearn import metrics as sk
from torch import nn
from torch.nn import functional as F
from torchsummary import summary

sys.path.insert(0, str(pathlib.Path(__file__).parent / "models"))
from networks import torchvision_models

FOLDER = pathlib.Path(__file__).parent.parent / "Tests/TrainerTests/Goldens"
CLASSES = 4


def classifier() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, CLASSES))


def class_metrics(scores: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    predictions = scores.argmax(1)
    top = np.argsort(-scores, 1, kind="stable")[:, :2]
    return {
        "accuracy": sk.accuracy_score(targets, predictions), "top_2_accuracy": (top == targets[:, None]).any(1).mean(),
        "precision": sk.precision_score(targets, predictions, average="weighted", zero_division=0),
        "recall": sk.recall_score(targets, predictions, average="micro"),
        "f1": sk.f1_score(targets, predictions, average="macro", zero_division=0)}


def binary_metrics(scores: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    predictions = scores > 0
    return {
        "binary_accuracy": sk.accuracy_score(targets, predictions), "auc": sk.roc_auc_score(targets, scores),
        "precision": sk.precision_score(targets, predictions, zero_division=0),
        "recall": sk.recall_score(targets, predictions), "f1": sk.f1_score(targets, predictions)}


def number_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    outputs, targets = outputs.ravel(), targets.ravel()
    return {
        "mean_absolute_error": sk.mean_absolute_error(targets, outputs),
        "mean_squared_error": sk.mean_squared_error(targets, outputs),
        "root_mean_squared_error": sk.root_mean_squared_error(targets, outputs), "r2": sk.r2_score(targets, outputs)}


def loader(x: torch.Tensor, y: torch.Tensor, seed: int | None) -> torch.utils.data.DataLoader:
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=8, shuffle=seed is not None, generator=generator)


def passed(model, batches, loss_function, number_function, step=None) -> dict[str, float]:
    """One pass over batches: the mean loss of the samples, and the metrics of all of them."""
    total, count, outputs, targets = 0.0, 0, [], []
    for x, y in batches:
        output = model(x)
        loss = loss_function(output, y)
        if step is not None:
            step(loss)
        total, count = total + loss.item() * len(x), count + len(x)
        outputs.append(output.detach().numpy())
        targets.append(y.numpy())
    return {"loss": total / count, **number_function(np.concatenate(outputs), np.concatenate(targets))}


def trained(kind: str, scheduler: str) -> dict[str, list[float]]:
    torch.manual_seed(0)
    if kind == "classes":
        model, loss_function, number_function = classifier(), F.cross_entropy, class_metrics
    elif kind == "binary":
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
        loss_function, number_function = F.binary_cross_entropy_with_logits, binary_metrics
    else:
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
        loss_function, number_function = F.mse_loss, number_metrics
    x, test_x = torch.rand(50, 6), torch.rand(21, 6)
    if kind == "classes":
        y, test_y = torch.randint(CLASSES, (50,)), torch.randint(CLASSES, (21,))
    elif kind == "binary":
        y, test_y = torch.randint(2, (50,)).float(), torch.randint(2, (21,)).float()
    else:
        y, test_y = torch.rand(50, 2), torch.rand(21, 2)
    train, test = loader(x, y, 7), loader(test_x, test_y, None)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = (torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5) if scheduler == "step"
                else torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=0.1))
    history: dict[str, list[float]] = {}

    def step(loss: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for _ in range(6):
        model.train()
        logs = passed(model, train, loss_function, number_function, step)
        logs["lr"] = optimizer.param_groups[0]["lr"]
        model.eval()
        with torch.no_grad():
            logs |= {"val_" + name: value for name, value in passed(model, test, loss_function, number_function).items()}
        schedule.step(*([logs["val_loss"]] if scheduler == "plateau" else []))
        for name, value in logs.items():
            history.setdefault(name, []).append(float(value))
    return history


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.features = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
        self.fc1, self.fc2 = nn.Linear(400, 120), nn.Linear(120, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(self.conv2(self.features(self.conv1(x))))
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def table(model: nn.Module, shape: tuple[int, ...]) -> str:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        summary(model, shape, device="cpu")
    return text.getvalue()


def main() -> None:
    histories = {"classes": trained("classes", "step"), "binary": trained("binary", "plateau"),
                 "numbers": trained("numbers", "step")}
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "histories.json").write_text(json.dumps(histories, indent=1) + "\n")
    frozen = LeNet()
    frozen.conv1.requires_grad_(False)
    (FOLDER / "lenet.txt").write_text(table(frozen, (1, 32, 32)))
    (FOLDER / "resnet18.txt").write_text(table(torchvision_models().resnet18(), (3, 224, 224)))
    for name, history in histories.items():
        print(name, history["loss"], history["lr"])


if __name__ == "__main__":
    main()
