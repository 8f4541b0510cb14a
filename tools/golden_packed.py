#!/usr/bin/env python3
"""Recurrent layers of PyTorch over packed sequences, for Tests/NNTests/Goldens/packed.npz.

Usage: tools/golden_packed.py

Of each layer, LAYER/param/NAME, LAYER/input [T, N, I], LAYER/state/NAME where it starts from states, LAYER/output (padded
with -1), LAYER/last/NAME, LAYER/cotangent/NAME of these, and LAYER/grad/NAME of the input, the states and parameters.
"""

import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn.utils import rnn

LENGTHS = [2, 5, 1, 5]
LAYERS = {
    "lstm": lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True),
    "projected": lambda: nn.LSTM(3, 4, proj_size=2),
    "gru": lambda: nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True),
    "rnn": lambda: nn.RNN(3, 4, nonlinearity="relu", bidirectional=True),
}


def golden(name: str) -> dict[str, torch.Tensor]:
    """One forward and backward pass."""
    layer = LAYERS[name]()
    x = torch.randn(6, len(LENGTHS), 3, requires_grad=True)
    directions = 2 if layer.bidirectional else 1
    states = {}
    if name == "gru":
        states = {"h": torch.randn(layer.num_layers * directions, len(LENGTHS), 4, requires_grad=True)}
    packed = rnn.pack_padded_sequence(x, torch.tensor(LENGTHS), enforce_sorted=False)
    result, last = layer(packed, *states.values())
    output, _ = rnn.pad_packed_sequence(result, padding_value=-1)
    found = {"output": output} | dict(zip(("h", "c"), last if isinstance(last, tuple) else (last,)))
    cotangents = {key: torch.randn_like(value) for key, value in found.items()}
    inputs = {"input": x} | states | dict(layer.named_parameters())
    total = sum((found[key] * cotangents[key]).sum() for key in found)
    gradients = dict(zip(inputs, torch.autograd.grad(total, list(inputs.values()))))
    parts = {"input": x, "output": output}
    parts |= {f"param/{key}": value for key, value in layer.named_parameters()}
    parts |= {f"state/{key}": value for key, value in states.items()}
    parts |= {f"last/{key}": value for key, value in found.items() if key != "output"}
    parts |= {f"cotangent/{key}": value for key, value in cotangents.items()}
    parts |= {f"grad/{key}": value for key, value in gradients.items()}
    parts |= {"data": packed.data, "batch_sizes": packed.batch_sizes}
    parts |= {"sorted_indices": packed.sorted_indices, "unsorted_indices": packed.unsorted_indices}
    return {f"{name}/{key}": value for key, value in parts.items()}


def main() -> None:
    """Writes the golden file."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    arrays = {key: value for name in LAYERS for key, value in golden(name).items()}
    path = pathlib.Path(__file__).resolve().parents[1] / "Tests" / "NNTests" / "Goldens" / "packed.npz"
    np.savez_compressed(path, **{key: value.detach().numpy() for key, value in arrays.items()})


if __name__ == "__main__":
    main()
