"""Writes the golden values that Lathe is tested against, computed by PyTorch in double precision.

    .venv/bin/python tools/goldens.py [OUTPUT]             default: Tests/NNTests/Goldens

Everything is deterministic. Inputs and parameters are multiples of 1/1024, so that f32 holds them exactly; whatever is
computed from them is computed in f64 and stored in f32. Integers and booleans keep their types.

NETWORK.npz holds one forward and backward pass of a module:

    input/NAME          arguments of the module, and `input/target` of the loss where it has one
    param/NAME          parameters, by PyTorch's names and in its layouts
    buffer/NAME         buffers before the pass (running statistics)
    output/NAME         results; `output/loss` where there is a loss
    cotangent/NAME      where there is no loss: what the results are multiplied with; the sum of these products is what
                        is differentiated
    grad/NAME           gradients with respect to every parameter and every floating-point input
    buffer_after/NAME   buffers after the pass
    eval/output/NAME    the results in evaluation mode, from `param/` and `buffer/` (resnet18 only)

functions.npz, linalg.npz and special.npz hold one call of a function per case, as described in functions.json and so on:

    CASE/input/I        tensor arguments, numbered as functions.json refers to them
    CASE/output/I       results
    CASE/cotangent/I    what result I is multiplied with before differentiation, for floating-point results
    CASE/grad/I         gradient with respect to input I, where there is one
    CASE/after/I        input I after the call, where the call has changed it

functions.json is a list of {"case", "function", "args", "kwargs", "outputs", "grads"}: the function's full name in
PyTorch; its arguments, where {"tensor": I} is input I, {"dtype": "int64"} a type, {"number": "inf"} (or "-inf", "nan")
a number that JSON lacks, and everything else stands for itself; how many results it has; which inputs have gradients.

optimizers.npz holds a few steps of an optimizer per case, optimizers.json what the case is: {"case", "optimizer",
"kwargs"}, the optimizer's name in torch.optim and its arguments.

    CASE/param          the parameter before the first step
    CASE/grads          its gradient at each step
    CASE/after          the parameter after each step

training.npz holds a few steps of training, training.json what the case is: {"case", "network", "optimizer", "kwargs"};
the parameters before the first step and the batch, always the same, are those of NETWORK.npz.

    CASE/losses         the loss before each step
    CASE/after/NAME     a parameter or buffer after the last step; large ones are left out
"""

import argparse
import json
import math
import operator
import warnings
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from golden_functions import Case, Random, cases
from golden_linalg import UNIQUE, linalg_cases
from golden_special import SPECIAL, special_cases
from models.networks import LeNet, ResNet, mlp

GRID = 1024
DEFAULT_OUTPUT = Path(__file__).resolve().parents[1] / "Tests" / "NNTests" / "Goldens"


def main() -> None:
    """Writes all golden files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, nargs="?", default=DEFAULT_OUTPUT)
    output: Path = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)
    warnings.filterwarnings("ignore")
    for name, write in NETWORKS.items():
        torch.manual_seed(zlib.crc32(name.encode()))
        np.savez_compressed(output / f"{name}.npz", **stored(write()))
    write_functions(output, "functions", cases())
    write_functions(output, "linalg", linalg_cases())
    write_functions(output, "special", special_cases())
    write_optimizers(output)
    write_training(output)


def stored(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """The tensors as they go into a file."""
    return {name: (x.float() if x.is_floating_point() else x).detach().numpy() for name, x in tensors.items()}


def on_grid(x: Tensor) -> Tensor:
    """The nearest multiples of the grid's step."""
    return torch.round(x * GRID) / GRID


def normal(*shape: int) -> Tensor:
    """Normally distributed numbers."""
    return on_grid(torch.randn(shape))


def golden(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    output_names: Sequence[str] = ("output",),
    target: Tensor | None = None,
) -> dict[str, Tensor]:
    """One forward and backward pass of a module in its present mode; with a target, of its cross entropy."""
    randomize(module)
    inputs = {name: x.requires_grad_(x.is_floating_point()) for name, x in inputs.items()}
    result = {f"input/{name}": x for name, x in inputs.items()}
    result |= {f"param/{name}": x for name, x in module.named_parameters()}
    result |= {f"buffer/{name}": x.clone() for name, x in module.named_buffers()}
    outputs = dict(zip(output_names, flattened(module(*inputs.values())), strict=True))
    result |= {f"output/{name}": x for name, x in outputs.items()}
    if target is not None:
        loss = F.cross_entropy(outputs[output_names[0]], target)
        result |= {"input/target": target, "output/loss": loss}
    else:
        cotangents = {name: normal(*x.shape) for name, x in outputs.items()}
        loss = sum((outputs[name] * cotangents[name]).sum() for name in outputs)
        result |= {f"cotangent/{name}": x for name, x in cotangents.items()}
    differentiable = {**dict(module.named_parameters()), **{name: x for name, x in inputs.items() if x.requires_grad}}
    gradients = torch.autograd.grad(loss, list(differentiable.values()))
    result |= {f"grad/{name}": x for name, x in zip(differentiable, gradients)}
    return result | {f"buffer_after/{name}": x.clone() for name, x in module.named_buffers()}


def randomize(module: nn.Module) -> None:
    """Puts a module's parameters on the grid, and makes those that PyTorch initializes to one or zero random."""
    with torch.no_grad():
        for name, x in module.named_parameters():
            if "norm" in name or "bn" in name or "downsample.1" in name:
                x.normal_(1.0 if name.endswith("weight") else 0.0, 0.2)
            elif name.endswith(("in_proj_bias", "out_proj.bias")):
                x.normal_(std=0.2)
            x.copy_(on_grid(x))
        for name, x in module.named_buffers():
            if name.endswith("running_mean"):
                x.copy_(on_grid(torch.randn_like(x) * 0.2))
            elif name.endswith("running_var"):
                x.copy_(on_grid(torch.empty_like(x).uniform_(0.5, 1.5)))


def flattened(values: Any) -> list[Tensor]:
    """The tensors in a result, in order; plain numbers become tensors."""
    if isinstance(values, Sequence):
        return [y for value in values for y in flattened(value)]
    return [values if isinstance(values, Tensor) else torch.tensor(values)]


def resnet18() -> dict[str, Tensor]:
    """ResNet-18's topology at an eighth of its width, in training mode; its results in evaluation mode too.

    The images are as large as they are so that the last batch norms see 16 numbers per channel: with the 4 of 32 x 32
    images, f32 gets gradients right only to 1e-4.
    """
    module = ResNet(8, (2, 2, 2, 2), 10)
    result = golden(module, {"x": normal(4, 3, 48, 48)}, ["logits"], torch.tensor([3, 1, 4, 1]))
    module.load_state_dict({name: result[f"buffer/{name}"] for name, _ in module.named_buffers()}, strict=False)
    with torch.no_grad():
        return result | {"eval/output/logits": module.eval()(result["input/x"])}


def encoder_layer(norm_first: bool) -> dict[str, Tensor]:
    """A transformer encoder layer."""
    layer = nn.TransformerEncoderLayer(32, 4, 64, 0.0, "gelu", batch_first=True, norm_first=norm_first)
    return golden(layer, {"src": normal(2, 5, 32)})


def recurrent(kind: type[nn.RNNBase], **options: Any) -> dict[str, Tensor]:
    """A recurrent network of two layers from a given state."""
    module = kind(5, 6, **{"num_layers": 2, **options})
    batch, length = 3, 7
    leading = (batch, length) if module.batch_first else (length, batch)
    state = (module.num_layers * (2 if module.bidirectional else 1), batch, 6)
    inputs = {"input": normal(*leading, 5), "h_0": normal(*state)}
    if kind is not nn.LSTM:
        return golden(module, inputs, ["output", "h_n"])
    wrapped = WithStatePair(module)
    result = golden(wrapped, {**inputs, "c_0": normal(*state)}, ["output", "h_n", "c_n"])
    return {name.replace("/module.", "/"): x for name, x in result.items()}


class WithStatePair(nn.Module):
    """An LSTM that takes its two states as two arguments."""

    def __init__(self, module: nn.LSTM) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        return self.module(x, (h, c))


NETWORKS: dict[str, Callable[[], dict[str, Tensor]]] = {
    "mlp": lambda: golden(mlp(12, 16, 8, 5), {"x": normal(6, 12)}, ["logits"], torch.tensor([0, 4, 2, 2, 1, 3])),
    "lenet": lambda: golden(LeNet(), {"x": normal(2, 1, 32, 32)}, ["logits"], torch.tensor([7, 2])),
    "resnet18": resnet18,
    "encoder_layer": lambda: encoder_layer(norm_first=False),
    "encoder_layer_norm_first": lambda: encoder_layer(norm_first=True),
    "multihead_attention": lambda: golden(
        nn.MultiheadAttention(16, 4, batch_first=True),
        {"query": normal(2, 5, 16), "key": normal(2, 6, 16), "value": normal(2, 6, 16)},
        ["output", "weights"],
    ),
    "adaptive_log_softmax": lambda: golden(
        nn.AdaptiveLogSoftmaxWithLoss(8, 12, [4, 8], div_value=2.0),
        {"input": normal(6, 8), "target": torch.tensor([0, 11, 5, 3, 8, 7])},
        ["output", "loss"],
    ),
    "lstm": lambda: recurrent(nn.LSTM),
    "lstm_batch_first": lambda: recurrent(nn.LSTM, batch_first=True),
    "lstm_bidirectional": lambda: recurrent(nn.LSTM, bidirectional=True),
    "gru": lambda: recurrent(nn.GRU),
    "gru_batch_first": lambda: recurrent(nn.GRU, batch_first=True),
    "rnn": lambda: recurrent(nn.RNN),
    "rnn_relu_bidirectional": lambda: recurrent(nn.RNN, nonlinearity="relu", bidirectional=True),
}


def write_functions(output: Path, name: str, cases: Iterable[Case]) -> None:
    """Writes functions.npz and functions.json, or what is called otherwise."""
    tensors: dict[str, np.ndarray] = {}
    descriptions = []
    for case in cases:
        try:
            description, values = evaluate(case)
        except Exception as error:
            raise SystemExit(f"goldens.py: {case.name}: {error}") from error
        descriptions.append(description)
        tensors |= {f"{case.name}/{key}": x for key, x in stored(values).items()}
    np.savez_compressed(output / f"{name}.npz", **tensors)
    write_list(output / f"{name}.json", descriptions)


def write_list(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Writes a JSON list, one entry per line."""
    lines = ",\n".join(json.dumps(entry, allow_nan=False) for entry in entries)
    path.write_text(f"[\n{lines}\n]\n")


def evaluate(case: Case) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A case's description and its tensors."""
    generator = torch.Generator().manual_seed(zlib.crc32(case.name.encode()))
    inputs: list[Tensor] = []

    def describe(value: Any) -> Any:
        """An argument as functions.json has it; makes the tensors it stands for."""
        match value:
            case Random():
                x = value.tensor(generator)
                inputs.append(on_grid(x) if x.is_floating_point() else x)
                inputs[-1].requires_grad_(x.is_floating_point() and value.differentiable)
                return {"tensor": len(inputs) - 1}
            case list() | tuple():
                return [describe(x) for x in value]
            case torch.dtype():
                return {"dtype": str(value).removeprefix("torch.")}
            case float() if not math.isfinite(value):
                return {"number": str(value)}
            case _:
                return value

    def actual(value: Any, described: Any) -> Any:
        """An argument as PyTorch takes it."""
        if isinstance(value, Random):
            return arguments[described["tensor"]]
        if isinstance(value, (list, tuple)):
            return type(value)(actual(x, y) for x, y in zip(value, described))
        return value

    args, kwargs = describe(case.args), {name: describe(value) for name, value in case.kwargs.items()}
    values = {f"input/{i}": x.clone() for i, x in enumerate(inputs)}
    arguments = [x if x.requires_grad else x.clone() for x in inputs]
    function = LATER.get(case.function) or operator.attrgetter(case.function.removeprefix("torch."))(torch)
    outputs = flattened(
        function(*actual(case.args, args), **{name: actual(case.kwargs[name], kwargs[name]) for name in kwargs})
    )
    values |= {f"output/{i}": x for i, x in enumerate(outputs)}
    values |= {f"after/{i}": after for i, (x, after) in enumerate(zip(inputs, arguments)) if not same(x, after)}

    differentiable = [i for i, x in enumerate(inputs) if x.requires_grad]
    cotangents = {
        i: on_grid(torch.randn(x.shape, generator=generator))
        for i, x in enumerate(outputs)
        if x.requires_grad and differentiable
    }
    gradients: list[Tensor | None] = []
    if cotangents:
        total = sum((outputs[i] * x).sum() for i, x in cotangents.items())
        gradients = list(torch.autograd.grad(total, [inputs[i] for i in differentiable], allow_unused=True))
    present = {i: x for i, x in zip(differentiable, gradients) if x is not None}
    values |= {f"cotangent/{i}": x for i, x in cotangents.items()}
    values |= {f"grad/{i}": x for i, x in present.items()}
    description = {
        "case": case.name,
        "function": case.function,
        "args": args,
        "kwargs": kwargs,
        "outputs": len(outputs),
        "grads": list(present),
    }
    return description, values


def clamp(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """torch.clamp as PyTorch 2.15 has it: elements at the ends of the range pass no gradient on."""
    inside = torch.ones_like(x, dtype=torch.bool)
    if min is not None:
        inside &= x != min
    if max is not None:
        inside &= x != max
    return torch.clamp(torch.where(inside, x, x.detach()), min, max)


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The losses of all elements, or their mean or sum."""
    return losses if reduction == "none" else getattr(losses, reduction)()


def margin_ranking_loss(a: Tensor, b: Tensor, y: Tensor, margin: float = 0, reduction: str = "mean") -> Tensor:
    """The loss with the clamp of PyTorch 2.15."""
    return reduced(clamp(-y * (a - b) + margin, 0), reduction)


def hinge_embedding_loss(x: Tensor, y: Tensor, margin: float = 1, reduction: str = "mean") -> Tensor:
    """The loss with the clamp of PyTorch 2.15."""
    zero = torch.zeros_like(x)
    return reduced(torch.where(y != 1, clamp(margin - x, 0), zero) + torch.where(y != -1, x, zero), reduction)


def cosine_embedding_loss(a: Tensor, b: Tensor, y: Tensor, margin: float = 0, reduction: str = "mean") -> Tensor:
    """The loss with the clamp of PyTorch 2.15."""
    cosine = (a * b).sum(-1) / (((a * a).sum(-1) + 1e-12) * ((b * b).sum(-1) + 1e-12)).sqrt()
    zero = torch.zeros_like(cosine)
    return reduced(torch.where(y == 1, 1 - cosine, zero) + torch.where(y == -1, clamp(cosine - margin, 0), zero), reduction)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1, p: float = 2, eps: float = 1e-6,
    swap: bool = False, reduction: str = "mean"
) -> Tensor:
    """The loss with the clamp of PyTorch 2.15."""
    near, far = (torch.pairwise_distance(anchor, x, p, eps) for x in (positive, negative))
    if swap:
        far = torch.minimum(far, torch.pairwise_distance(positive, negative, p, eps))
    return reduced(clamp(near - far + margin, 0), reduction)


# What later releases of PyTorch compute in another way than the one that is installed.
LATER: dict[str, Callable[..., Any]] = {"torch.clamp": clamp} | UNIQUE | SPECIAL
LATER |= {
    f"torch.nn.functional.{loss.__name__}": loss
    for loss in (margin_ranking_loss, hinge_embedding_loss, cosine_embedding_loss, triplet_margin_loss)
}


def same(x: Tensor, y: Tensor) -> bool:
    """Whether two tensors of one shape hold the same bytes."""
    return x.detach().numpy().tobytes() == y.detach().numpy().tobytes()


OPTIMIZERS: Sequence[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.01, "amsgrad": True}),
    ("AdamW", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    ("NAdam", {"lr": 0.01}),
    ("RAdam", {"lr": 0.01}),
    ("Adamax", {"lr": 0.01}),
    ("Adamax", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01, "centered": True, "alpha": 0.9}),
    ("Rprop", {"lr": 0.01}),
    ("Rprop", {"lr": 0.01, "etas": [0.4, 1.3], "step_sizes": [1e-3, 0.012]}),
    ("ASGD", {"lr": 0.1}),
    ("ASGD", {"lr": 0.1, "lambd": 0.01, "alpha": 0.5, "t0": 2.0, "weight_decay": 0.1}),
]


def write_optimizers(output: Path) -> None:
    """Writes optimizers.npz and optimizers.json."""
    steps = 6
    tensors: dict[str, Tensor] = {}
    descriptions = []
    for number, (name, kwargs) in enumerate(OPTIMIZERS):
        case = f"{name}_{number}"
        torch.manual_seed(number)
        parameter, gradients, after = normal(2, 3).requires_grad_(), normal(steps, 2, 3), []
        tensors |= {f"{case}/param": parameter.detach().clone(), f"{case}/grads": gradients}
        optimizer = getattr(torch.optim, name)([parameter], **kwargs)
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
            after.append(parameter.detach().clone())
        tensors[f"{case}/after"] = torch.stack(after)
        descriptions.append({"case": case, "optimizer": name, "kwargs": kwargs})
    np.savez_compressed(output / "optimizers.npz", **stored(tensors))
    write_list(output / "optimizers.json", descriptions)


TRAINING: Sequence[tuple[int, str, Callable[[], nn.Module], str, dict[str, Any]]] = [
    (5, "mlp", lambda: mlp(12, 16, 8, 5), "SGD", {"lr": 0.1, "momentum": 0.9}),
    (5, "mlp", lambda: mlp(12, 16, 8, 5), "Adam", {"lr": 0.01}),
    (5, "lenet", LeNet, "SGD", {"lr": 0.05, "momentum": 0.9}),
    (5, "lenet", LeNet, "Adam", {"lr": 0.001}),
    (3, "resnet18", lambda: ResNet(8, (2, 2, 2, 2), 10), "SGD", {"lr": 0.01, "momentum": 0.9}),
]


def write_training(output: Path) -> None:
    """Writes training.npz and training.json."""
    largest = 1200
    tensors: dict[str, Tensor] = {}
    descriptions = []
    for steps, network, make, name, kwargs in TRAINING:
        case = f"{network}_{name.lower()}"
        module = make()
        given = {key: torch.from_numpy(x) for key, x in np.load(output / f"{network}.npz").items()}
        state = {key: x for key, x in given.items() if key.startswith(("param/", "buffer/"))}
        module.load_state_dict({key.partition("/")[2]: x for key, x in state.items()})
        optimizer = getattr(torch.optim, name)(module.parameters(), **kwargs)
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = F.cross_entropy(module(given["input/x"].double()), given["input/target"])
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        tensors[f"{case}/losses"] = torch.stack(losses)
        tensors |= {f"{case}/after/{key}": x for key, x in module.state_dict().items() if x.numel() <= largest}
        descriptions.append({"case": case, "network": network, "optimizer": name, "kwargs": kwargs})
    np.savez_compressed(output / "training.npz", **stored(tensors))
    write_list(output / "training.json", descriptions)


if __name__ == "__main__":
    main()
