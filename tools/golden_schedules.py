#!/usr/bin/env python3
"""Learning rates of torch.optim.lr_scheduler, for Tests/NNTests/Goldens/schedules.json.

Usage: tools/golden_schedules.py
"""

import json
import math
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler as s

warnings.simplefilter("ignore")
STEPS = 40


def optimizer(lr=0.4):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr, momentum=0.9)


CASES = {
    "step": lambda o: s.StepLR(o, 7, 0.5),
    "multiStep": lambda o: s.MultiStepLR(o, [3, 10, 10, 25], 0.3),
    "constant": lambda o: s.ConstantLR(o, 0.25, 6),
    "linear": lambda o: s.LinearLR(o, 0.1, 0.8, 9),
    "exponential": lambda o: s.ExponentialLR(o, 0.9),
    "polynomial": lambda o: s.PolynomialLR(o, 20, 2.0),
    "cosine": lambda o: s.CosineAnnealingLR(o, 15, 0.01),
    "warmRestarts": lambda o: s.CosineAnnealingWarmRestarts(o, 5, 2, 0.02),
    "warmRestartsEven": lambda o: s.CosineAnnealingWarmRestarts(o, 6),
    "lambda": lambda o: s.LambdaLR(o, lambda e: 1 / (1 + e)),
    "multiplicative": lambda o: s.MultiplicativeLR(o, lambda e: 0.9 if e % 3 else 1.1),
    "triangular": lambda o: s.CyclicLR(o, 0.1, 0.9, 5, 8),
    "triangular2": lambda o: s.CyclicLR(o, 0.1, 0.9, 4, mode="triangular2"),
    "expRange": lambda o: s.CyclicLR(o, 0.1, 0.9, 4, mode="exp_range", gamma=0.95),
    "oneCycle": lambda o: s.OneCycleLR(o, 0.9, total_steps=STEPS),
    "oneCycleLinear": lambda o: s.OneCycleLR(
        o, 0.9, total_steps=STEPS, pct_start=0.25, anneal_strategy="linear", three_phase=True
    ),
    "sequential": lambda o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, 20), s.ConstantLR(o, 0.5, 3)], [5, 25]
    ),
}


def main():
    result = {}
    for name, make in CASES.items():
        o = optimizer()
        scheduler = make(o)
        lrs, momenta = [], []
        for _ in range(STEPS):
            lrs.append(o.param_groups[0]["lr"])
            momenta.append(o.param_groups[0]["momentum"])
            o.step()
            if len(lrs) < STEPS:
                scheduler.step()
        result[name] = {"lr": lrs}
        if len(set(momenta)) > 1:
            result[name]["momentum"] = momenta
    metrics = [1 / (1 + e) + (0.2 * math.sin(e) if e > 5 else 0) for e in range(STEPS)]
    for name, options in {
        "plateau": dict(patience=2, factor=0.5),
        "plateauMax": dict(
            mode="max", patience=1, factor=0.3, threshold=0.01, threshold_mode="abs", cooldown=2, min_lr=0.002
        ),
    }.items():
        o = optimizer()
        scheduler = s.ReduceLROnPlateau(o, **options)
        lrs = []
        for metric in metrics:
            scheduler.step(metric)
            lrs.append(o.param_groups[0]["lr"])
        result[name] = {"lr": lrs, "metric": metrics}
    path = pathlib.Path(__file__).parent.parent / "Tests/NNTests/Goldens/schedules.json"
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
