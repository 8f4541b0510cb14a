#!/usr/bin/env python3
"""The losses of 100 steps of five networks in PyTorch, for Tests/NNTests/Goldens/hundred_steps.json (the ResNet at an
eighth of its width) and hundred_steps_wide.json (at its own), and of LBFGS, for lbfgs.json.

Weights and batches are drawn from PyTorch's generator after `manual_seed`, which Lathe has as well: the file holds losses
only, those computed in f64. How far PyTorch's own in f32 leave them is in it too, as the greatest relative difference.

Usage: tools/golden_training.py [--width W] [NETWORK …]

With networks' names, or another width of the ResNet, nothing is written: the losses are printed. The file of the full
width is written by `--width 64 resnet18`. There a training can be chaotic even in f64: `determined` is the number of steps
in which PyTorch's own losses stay within 1e-5 where each weight starts a unit in its last place away.
"""

import argparse
import json
import pathlib

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, max_pool2d

FOLDER = pathlib.Path(__file__).parent.parent / "Tests/NNTests/Goldens"
STEPS, BATCHES, BATCH, CLASSES = 100, 10, 8, 10


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, CLASSES)

    def forward(self, x):
        x = max_pool2d(self.conv1(x).relu(), 2)
        x = max_pool2d(self.conv2(x).relu(), 2)
        return self.fc3(self.fc2(self.fc1(x.flatten(1)).relu()).relu())


class BasicBlock(nn.Module):
    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        same = stride == 1 and in_channels == channels
        self.downsample = None if same else nn.Sequential(
            nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class ResNet18(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)

        def stage(in_channels, channels, stride):
            return nn.Sequential(BasicBlock(in_channels, channels, stride), BasicBlock(channels, channels, 1))

        self.layer1 = stage(width, width, 1)
        self.layer2 = stage(width, 2 * width, 2)
        self.layer3 = stage(2 * width, 4 * width, 2)
        self.layer4 = stage(4 * width, 8 * width, 2)
        self.fc = nn.Linear(8 * width, CLASSES)

    def forward(self, x):
        x = max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class LSTMClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.fc = nn.LSTM(8, 16, 2, batch_first=True), nn.Linear(16, CLASSES)

    def forward(self, x):
        return self.fc(self.lstm(x)[0][:, -1])


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(16, 2, 32, dropout=0, activation="gelu", batch_first=True) for _ in range(2))
        self.fc = nn.Linear(16, CLASSES)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.fc(x.mean(1))


class GAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 16), nn.Tanh())
        self.discriminator = nn.Sequential(nn.Linear(16, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))


OPTIMIZERS = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr=40 * lr, momentum=0.9, weight_decay=1e-4),
    "adamw": lambda p, lr: torch.optim.AdamW(p, lr=lr),
    "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr=lr / 2, momentum=0.5),
}


def samples(shape):
    """Batches of which every class has a place of its own, with noise around it."""
    torch.manual_seed(1)
    centres = torch.rand(CLASSES, *shape)
    batches = []
    for _ in range(BATCHES):
        target = torch.randint(0, CLASSES, (BATCH,))
        batches.append((torch.rand(BATCH, *shape) - 0.5 + centres[target], target))
    return batches


class Trainer:
    """A part of a model with an optimizer of its own."""

    def __init__(self, make, module, lr):
        self.parameters = list(module.parameters())
        self.optimizer = make(self.parameters, lr)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, STEPS)

    def step(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.scheduler.step()
        return loss.item()


def move(model, seed):
    """Moves each weight by up to a unit in its last place."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            noise = 2 * torch.rand(p.shape, generator=generator, dtype=p.dtype) - 1
            p.mul_(1 + torch.finfo(p.dtype).eps * noise)


def classifier(make_model, shape, lr):
    def train(make_optimizer, dtype, moved=None):
        torch.manual_seed(0)
        model = make_model().to(dtype)
        if moved is not None:
            move(model, moved)
        trainer = Trainer(make_optimizer, model, lr)
        data = samples(shape)
        losses = []
        for k in range(STEPS):
            x, target = data[k % BATCHES]
            losses.append(trainer.step(cross_entropy(model(x.to(dtype)), target)))
        return losses

    return train


def gan(make_optimizer, dtype):
    torch.manual_seed(0)
    model = GAN().to(dtype)
    of_discriminator = Trainer(make_optimizer, model.discriminator, 1e-3)
    of_generator = Trainer(make_optimizer, model.generator, 5e-4)
    torch.manual_seed(1)
    batches = [(torch.rand(BATCH, 16) * 0.5, torch.rand(2, BATCH, 8) * 2 - 1) for _ in range(BATCHES)]
    losses = []
    for k in range(STEPS):
        real, noise = (tensor.to(dtype) for tensor in batches[k % BATCHES])

        def loss(x, label):
            scores = model.discriminator(x)
            return binary_cross_entropy_with_logits(scores, torch.full_like(scores, label))

        losses.append(of_discriminator.step(loss(real, 1.0) + loss(model.generator(noise[0]).detach(), 0.0)))
        losses.append(of_generator.step(loss(model.generator(noise[1]), 1.0)))
    return losses


def lbfgs():
    """LBFGS on Rosenbrock's valley, from two parameters, and on a small regression."""
    wolfe = {"line_search_fn": "strong_wolfe"}
    cases = [
        ("rosenbrock", wolfe), ("rosenbrock", {**wolfe, "max_iter": 4, "history_size": 2}),
        ("rosenbrock", {**wolfe, "max_iter": 10, "max_eval": 6}), ("rosenbrock", {"lr": 1e-3, "max_iter": 5}),
        ("regression", wolfe), ("regression", {**wolfe, "lr": 0.3, "max_iter": 7, "history_size": 3}),
        ("regression", {"lr": 0.2}), ("regression", {"lr": 0.5, "max_iter": 6, "history_size": 4}),
        ("regression", {**wolfe, "tolerance_grad": 1e-2}), ("regression", {**wolfe, "tolerance_change": 1e-2}),
    ]
    for name, options in cases:
        if name == "rosenbrock":
            parameters = [torch.tensor([-1.2]), torch.tensor([1.0, -0.5])]
        else:
            torch.manual_seed(3)
            model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).double()
            x = (torch.rand(20, 4) - 0.5).double()
            y = (x * x).sum(1, keepdim=True) - x[:, :1]
            parameters = list(model.parameters())
        parameters = [p.detach().double().requires_grad_() for p in parameters] if name == "rosenbrock" else parameters
        optimizer = torch.optim.LBFGS(parameters, **options)

        def closure():
            optimizer.zero_grad()
            if name == "rosenbrock":
                p = torch.cat(parameters)
                loss = (100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2).sum()
            else:
                loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        losses = [float(f"{optimizer.step(closure).item():.11g}") for _ in range(5)]
        state = optimizer.state[parameters[0]]
        print(name, options, losses, state["n_iter"], state["func_evals"])
        yield {"problem": name, "options": options, "losses": losses, "n_iter": state["n_iter"],
               "func_evals": state["func_evals"]}


def write(name, rows):
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (FOLDER / f"{name}.json").write_text(f"[\n{text}\n]\n")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("networks", nargs="*")
    arguments.add_argument("--width", type=int, default=8)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    networks = {
        "lenet": classifier(LeNet, (1, 32, 32), 5e-4),
        "resnet18": classifier(lambda: ResNet18(options.width), (3, 32, 32), 1e-3),
        "lstm": classifier(LSTMClassifier, (12, 8), 1e-2),
        "transformer": classifier(Transformer, (12, 16), 2e-3),
        "gan": gan,
    }
    is_wide = options.width == 64 and options.networks == ["resnet18"]
    result = []
    for network in options.networks or networks:
        for name, make in OPTIMIZERS.items():
            exact, rounded = (networks[network](make, dtype) for dtype in (torch.float64, torch.float32))
            drift = max(abs(a - b) / abs(a) for a, b in zip(exact, rounded))
            print(f"{network} {name}: loss {exact[0]:.4f} to {exact[-1]:.4f}; f32 is off by {drift:.1e}")
            result.append({
                "network": network, "optimizer": name, "drift": float(f"{drift:.1e}"),
                "losses": [float(f"{loss:.11g}") for loss in exact]})
            if is_wide:
                runs = [networks[network](make, torch.float64, seed) for seed in (1, 2, 3)]
                left = [k for run in runs for k in range(STEPS) if abs(run[k] - exact[k]) > 1e-5 * abs(exact[k])]
                result[-1]["determined"] = min(left, default=STEPS)
                print(f"  determined for {result[-1]['determined']} steps")
    if is_wide:
        write("hundred_steps_wide", result)
    elif options.networks or options.width != 8:
        print(json.dumps(result))
    else:
        write("hundred_steps", result)
        write("lbfgs", list(lbfgs()))


if __name__ == "__main__":
    main()
