#!/usr/bin/env python3
"""Exports networks as .pt2 programs, and compares what Lathe makes of them with PyTorch.

    .venv/bin/python tools/models/pt2.py FOLDER [NETWORK...]                    small networks, for Tests/PT2Tests/Programs
    .venv/bin/python tools/models/pt2.py FOLDER --torchvision [NETWORK...] --lathe .build/release/lathe

Of each network FOLDER gets NAME.pt2, the training dialect, and for some NAME-aten.pt2, decomposed; and NAME.pt with the
inputs, the outputs, and where it has changed the state. With --lathe every program is run, and the outputs compared.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from networks import TINY, Network, images, torchvision_models, torchvision_networks
from torch import Tensor, nn

DECOMPOSED = ("tiny_resnet", "tiny_mobilenet", "tiny_encoder", "tiny_gpt_sdpa", "tiny_vit", "tiny_training")


class TinyTraining(nn.Module):
    """A network in training mode: batch statistics, a counter, a buffer that is written to in part."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.bn = nn.BatchNorm2d(3)
        self.fc = nn.Linear(3, 4)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("cache", torch.zeros(4, 3))

    def forward(self, x: Tensor) -> Tensor:
        """The classes of images."""
        self.steps.add_(1)
        y = torch.relu_(self.bn(self.conv(x))).mean((2, 3))
        self.cache.index_copy_(0, torch.tensor([1]), y[:1].detach())
        return self.fc(y) + self.steps


class TinyArguments(nn.Module):
    """Operators with arguments that are easily overlooked."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(5, 3, padding_idx=1)

    def forward(self, x: Tensor, places: Tensor) -> tuple[Tensor, ...]:
        """One result of each."""
        aten = torch.ops.aten
        half = x.half()
        return (
            x.round(decimals=1),
            aten.upsample_nearest2d(x, [5, 5], 1.3, 1.3),
            aten.upsample_bilinear2d(x, [5, 5], False, 1.4, 1.4),
            self.words(places),
            torch.softmax(half, 1, dtype=torch.float32),
            aten._log_softmax(x, 1, False),
            torch.bitwise_not(places) + places.bitwise_and(6),
            torch.concat([torch.zeros(0), x[0, 0]], 0),
            x[:, :, -100:100, 1:],
            x.std(1, unbiased=False),
            F.pad(x, (1, 1, 1, 1), mode="circular"),
        )


class TinyMemory(nn.Module):
    """Tensors that share memory, and are written to."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(3), requires_grad=False)
        self.register_buffer("sum", torch.zeros(3))
        self.register_buffer("same", self.sum)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """What is seen through other names."""
        self.scale.mul_(0.5)
        with torch.no_grad():
            self.sum.add_(x.sum(0))
        a = x * 1
        b = torch.positive(F.dropout(a, 0.5, training=False).contiguous().float())
        c = a.clone().contiguous()
        d = a.t().contiguous()
        a.add_(self.same)
        return a, b, c, d, self.same + self.scale


def tiny_vit() -> nn.Module:
    """torchvision's vision transformer, cut small."""
    model = torchvision_models().VisionTransformer(16, 8, 1, 2, 16, 32, num_classes=5)
    nn.init.normal_(model.heads.head.weight)
    return model


MORE = [
    Network("tiny_vit", tiny_vit, images(2, 3, 16, 16)),
    Network("tiny_training", TinyTraining, images(2, 2, 6, 6)),
    Network("tiny_arguments", TinyArguments, lambda: (torch.randn(2, 3, 4, 4), torch.randint(0, 5, (2, 3)))),
    Network("tiny_memory", TinyMemory, lambda: (torch.randn(4, 3),)),
]


def export(network: Network, folder: Path) -> list[Path]:
    """Writes a network's programs and what they give."""
    module, inputs = network.make()
    if network.name.endswith("training"):
        module.train()
    expected = copy.deepcopy(module)
    with torch.no_grad():
        outputs = expected(*inputs)
    # Of the names of one tensor, Lathe keeps the first.
    state = {value.data_ptr(): (key, value) for key, value in sorted(expected.state_dict().items(), reverse=True)}
    state = {key: value for key, value in state.values() if not torch.equal(value, module.state_dict()[key])}
    shapes = None
    if network.batch:
        shapes = tuple({0: torch.export.Dim("batch", min=1, max=1024)} for _ in inputs)
    program = torch.export.export(module, inputs, dynamic_shapes=shapes)
    flat = torch.utils._pytree.tree_leaves(outputs)
    torch.save({"inputs": list(inputs), "outputs": flat, "state": state}, folder / f"{network.name}.pt")
    paths = [folder / f"{network.name}.pt2"]
    torch.export.save(program, paths[0])
    if network.name in DECOMPOSED:
        paths.append(folder / f"{network.name}-aten.pt2")
        torch.export.save(program.run_decompositions(), paths[1])
    return paths


def pack(path: Path) -> None:
    """Compresses a program's members, which torch.export stores as they are, and leaves the sample inputs out."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist() if "sample_inputs" not in name]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def user_inputs(path: Path) -> list[str]:
    """The names of a program's inputs."""
    with zipfile.ZipFile(path) as archive:
        model = json.loads(archive.read(next(name for name in archive.namelist() if name.endswith("models/model.json"))))
    specs = model["graph_module"]["signature"]["input_specs"]
    return [spec["user_input"]["arg"]["as_tensor"]["name"] for spec in specs if "user_input" in spec]


def compare(lathe: str, path: Path) -> str:
    """Runs a program; what is wrong with it, or how far its outputs are off."""
    results = torch.load(path.with_name(path.stem.removesuffix("-aten") + ".pt"))
    names = user_inputs(path)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/in.npz", **{name: x.numpy() for name, x in zip(names, results["inputs"], strict=True)})
        run = subprocess.run(
            [lathe, "run", str(path), "--inputs", f"{folder}/in.npz", "--outputs", f"{folder}/out.npz"],
            capture_output=True, text=True, check=False)
        if run.returncode != 0:
            return "FAILS " + " | ".join(run.stderr.strip().splitlines()[:4])
        outputs = list(np.load(f"{folder}/out.npz").values())
    worst = 0.0
    for built, expected in zip(outputs, results["outputs"], strict=True):
        if built.shape != tuple(expected.shape):
            return f"WRONG shape {built.shape} instead of {tuple(expected.shape)}"
        scale = expected.abs().max().item() if expected.numel() else 1
        worst = max(worst, float(np.abs(built - expected.numpy()).max(initial=0)) / (scale or 1))
    return ("ok" if worst < 1e-4 else "WRONG") + f" {worst:.1e}"


def main() -> None:
    """Exports what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--torchvision", action="store_true", help="the networks of torchvision")
    parser.add_argument("--lathe", help="the command line to compare with")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    networks = torchvision_networks() if arguments.torchvision else [*TINY, *MORE]
    failed = 0
    for network in networks:
        if arguments.names and network.name not in arguments.names:
            continue
        if not arguments.torchvision and network.name in ("tiny_loop", "tiny_cond"):
            continue
        try:
            paths = export(network, arguments.folder)
        except Exception as error:  # noqa: BLE001: whatever torch.export fails with
            print(f"{network.name}: not exported: {type(error).__name__}: {str(error).splitlines()[0][:200]}", flush=True)
            continue
        for path in paths:
            if not arguments.torchvision:
                pack(path)
            if arguments.lathe:
                result = compare(arguments.lathe, path)
                failed += not result.startswith("ok")
                print(f"{path.stem}: {result}", flush=True)
                if arguments.torchvision and result.startswith("ok"):
                    path.unlink()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
