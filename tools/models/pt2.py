#!/usr/bin/env python3
"""Exports networks as .pt2 programs, and compares what Lathe makes of them with PyTorch.

    .venv/bin/python tools/models/pt2.py FOLDER [NETWORK...]                    small networks, for Tests/PT2Tests/Programs
    .venv/bin/python tools/models/pt2.py FOLDER --torchvision [NETWORK...] --lathe .build/release/lathe
    .venv/bin/python tools/models/pt2.py FOLDER --timm --transformers [NETWORK...] --lathe .build/release/lathe

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
from families import timm_networks, transformers_networks
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


class TinyOperators(nn.Module):
    """Operators that the other networks lack."""

    def forward(self, x: Tensor, y: Tensor, places: Tensor) -> tuple[Tensor, ...]:
        """One result of each, of f32[2,3,4], f32[2,3,4] and i64[2,3]."""
        aten = torch.ops.aten
        image = x.unsqueeze(1)
        put, masked, apart = x.clone(), x.clone(), x.clone()
        apart[places[0] % 2, :, places[1] % 4] = y[0, :, :3].T
        put[:, :, places[0]] = y[:, :, :3]
        masked[x > 0.5] = -1.0
        return (
            torch.diff(x, prepend=y[..., :1]), torch.diff(x, n=2, dim=1), put, masked, apart,
            torch.histc(places.float(), 5, 0, 4), torch.histc(x, 4, -1, 1),
            torch.isfinite(x / y.relu()), x.logit(0.1), torch.nan_to_num(x / y.relu(), posinf=3.0), torch.fmax(x, y),
            torch.logaddexp(x, y), torch.copysign(x, y), torch.xlogy(x, y.abs()), places << 2, x.hypot(y),
            F.softshrink(x), F.hardshrink(x, 0.3), F.rrelu(x), torch.inner(x, y), torch.kron(x[0], y[0]),
            torch.linalg.cross(x, y, dim=1), torch.addbmm(x[0, :, :3], x, y.transpose(1, 2), alpha=0.5),
            torch.tril_indices(3, 4, 1), *torch.std_mean(x, 1), *torch.aminmax(x, dim=1), torch.count_nonzero(places, 1),
            *torch.cummax(x, 1), torch.logcumsumexp(x, 2), *torch.median(x, 1), *torch.kthvalue(x, 2, 2),
            F.grid_sample(image, y[:, :, :2].unsqueeze(1), align_corners=False),
            F.affine_grid(x[:, :2, :3], [2, 1, 4, 4], align_corners=True), torch.hstack([x, y]), torch.rot90(x, 1, [1, 2]),
            torch.diag_embed(x[0]), F.pad(x, (1, 2), mode="reflect"), F.pixel_unshuffle(x[:, :2], 2),
            torch.take_along_dim(x, places.unsqueeze(2) % 4, 2), x.scatter_reduce(2, places.unsqueeze(2) % 4, y, "amax"),
            aten.native_group_norm(image, None, None, 2, 1, 12, 1, 1e-5)[0], F.group_norm(x, 3), F.mse_loss(x, y),
            F.smooth_l1_loss(x, y, reduction="none"), F.cross_entropy(x, places[:, :1].expand(2, 4) % 3, label_smoothing=0.1),
            F.binary_cross_entropy_with_logits(x, y.sigmoid()), F.nll_loss(x.log_softmax(1), places[:, :1].expand(2, 4) % 3),
            F.huber_loss(x, y, reduction="sum"), F.cosine_similarity(x, y), torch.cdist(x, y),
            x.masked_scatter(y > 0, y), x.index_fill(1, places[0] % 3, 2.0),
        )


class TinyControl(nn.Module):
    """Branches and loops."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 3))

    def forward(self, x: Tensor, rows: Tensor) -> tuple[Tensor, ...]:
        """The results of all of them."""
        from torch._higher_order_ops.map import map as mapped
        from torch._higher_order_ops.scan import scan

        y = torch.cond(x.sum() > 0, lambda x: x @ self.weight, lambda x: x - 1, (x,))
        z = torch.cond(x.sum() > 1e9, lambda x: x @ self.weight, lambda x: x - 1, (x,))
        _, doubled = torch.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * 2 + x), (torch.tensor(0), x))
        total, products = scan(lambda sum, row: (sum + row, sum * row), torch.ones(3), rows, dim=0)
        return y, z, doubled, total, products, mapped(lambda row: row @ self.weight, rows)


class TinyMemory(nn.Module):
    """Tensors that share memory, and are written to."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(3), requires_grad=False)
        self.register_buffer("sum", torch.zeros(3))
        self.register_buffer("same", self.sum)
        self.register_buffer("table", torch.zeros(4, 3))

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
        e = x * 2
        rows, last, turned, (left, right) = e[1:3], e[..., -1], e.t(), e.split([1, 2], 1)
        rows.mul_(3)
        e[0, 1:] = 7
        turned[1] += 1
        left.copy_(x[:, :1])
        e.view(-1)[3:5].zero_()
        self.table[1:, 0] = x[:3, 2]
        self.table.diagonal().fill_(4)
        return a, b, c, d, self.same + self.scale, e, rows, last, turned, right, self.table.sum()


def tiny_vit() -> nn.Module:
    """torchvision's vision transformer, cut small."""
    model = torchvision_models().VisionTransformer(16, 8, 1, 2, 16, 32, num_classes=5)
    nn.init.normal_(model.heads.head.weight)
    return model


MORE = [
    Network("tiny_vit", tiny_vit, images(2, 3, 16, 16)),
    Network("tiny_training", TinyTraining, images(2, 2, 6, 6)),
    Network("tiny_arguments", TinyArguments, lambda: (torch.randn(2, 3, 4, 4), torch.randint(0, 5, (2, 3)))),
    Network(
        "tiny_operators", TinyOperators,
        lambda: (torch.randn(2, 3, 4), torch.randn(2, 3, 4), torch.tensor([[0, 2, 3], [1, 4, 0]]))),
    Network("tiny_control", TinyControl, lambda: (torch.randn(3, 3), torch.randn(4, 3))),
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


def ports(path: Path, kind: str) -> list[str]:
    """The names of a program's `input`s or `output`s."""
    with zipfile.ZipFile(path) as archive:
        model = json.loads(archive.read(next(name for name in archive.namelist() if name.endswith("models/model.json"))))
    specs = model["graph_module"]["signature"][f"{kind}_specs"]
    return [spec[f"user_{kind}"]["arg"]["as_tensor"]["name"] for spec in specs if f"user_{kind}" in spec]


def compare_gradients(lathe: str, path: Path, backend: str) -> str:
    """Differentiates a program's first output with respect to its parameters; how far the gradients are off."""
    results = torch.load(path.with_suffix(".pt"))
    module = torch.export.load(path).module()
    output = torch.utils._pytree.tree_leaves(module(*results["inputs"]))[0]
    torch.manual_seed(0)
    cotangent = torch.randn_like(output)
    names, parameters = zip(*((n, p) for n, p in module.named_parameters() if p.requires_grad), strict=True)
    expected = torch.autograd.grad(output, parameters, cotangent, allow_unused=True)
    name = ports(path, "output")[0]
    with tempfile.TemporaryDirectory() as folder:
        arrays = dict(zip(ports(path, "input"), results["inputs"], strict=True)) | {f"cotangent/{name}": cotangent}
        np.savez(f"{folder}/in.npz", **{name: x.detach().numpy() for name, x in arrays.items()})
        for command in (
            ["grad", str(path), "--of", name, "-o", f"{folder}/g.lathe"],
            ["run", f"{folder}/g.lathe", "--inputs", f"{folder}/in.npz", "--outputs", f"{folder}/out.npz",
             "--backend", backend],
        ):
            run = subprocess.run([lathe, *command], capture_output=True, text=True, check=False)
            if run.returncode != 0:
                return "FAILS " + " | ".join(run.stderr.strip().splitlines()[:4])
        built = dict(np.load(f"{folder}/out.npz"))
    largest = max(float(slope.abs().max()) for slope in expected if slope is not None)
    worst, count = 0.0, 0
    for name, slope in zip(names, expected, strict=True):
        if slope is None or f"grad/{name}" not in built:
            continue
        count += 1
        worst = max(worst, float(np.abs(built[f"grad/{name}"] - slope.numpy()).max(initial=0)) / largest)
    return ("ok" if worst < 1e-4 and count > 0 else "WRONG") + f" {worst:.1e}, {count} of {len(names)} parameters"


def compare(lathe: str, path: Path, backend: str) -> str:
    """Runs a program; what is wrong with it, or how far its outputs are off."""
    results = torch.load(path.with_name(path.stem.removesuffix("-aten") + ".pt"))
    names = ports(path, "input")
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/in.npz", **{name: x.numpy() for name, x in zip(names, results["inputs"], strict=True)})
        run = subprocess.run(
            [lathe, "run", str(path), "--inputs", f"{folder}/in.npz", "--outputs", f"{folder}/out.npz", "--backend", backend],
            capture_output=True, text=True, check=False)
        if run.returncode != 0:
            return "FAILS " + " | ".join(run.stderr.strip().splitlines()[:400])
        outputs = list(np.load(f"{folder}/out.npz").values())
    worst = 0.0
    for built, expected in zip(outputs, results["outputs"], strict=True):
        if built.shape != tuple(expected.shape):
            return f"WRONG shape {built.shape} instead of {tuple(expected.shape)}"
        wanted = expected.double().numpy()
        scale = float(np.abs(wanted).max(initial=0))
        worst = max(worst, float(np.abs(built.astype(np.float64) - wanted).max(initial=0)) / (scale or 1))
    return ("ok" if worst < 1e-4 else "WRONG") + f" {worst:.1e}"


def main() -> None:
    """Exports what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--torchvision", action="store_true", help="the networks of torchvision")
    parser.add_argument("--timm", action="store_true", help="a network of each of timm's families")
    parser.add_argument("--transformers", action="store_true", help="a tiny network of each of transformers' kinds")
    parser.add_argument("--lathe", help="the command line to compare with")
    parser.add_argument("--backend", default="interpreter", help="what runs the programs")
    parser.add_argument("--gradients", action="store_true", help="compare gradients, too, of parameters")
    parser.add_argument("--keep", action="store_true", help="do not delete what agrees, and do not export it again")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    zoo = arguments.torchvision or arguments.timm or arguments.transformers
    networks = [] if zoo else [*TINY, *MORE]
    networks += torchvision_networks() if arguments.torchvision else []
    networks += timm_networks() if arguments.timm else []
    networks += transformers_networks() if arguments.transformers else []
    failed = 0
    for network in networks:
        if arguments.names and network.name not in arguments.names:
            continue
        if network.name in ("tiny_loop", "tiny_cond"):
            continue
        path = arguments.folder / f"{network.name}.pt2"
        try:
            paths = [path] if arguments.keep and path.exists() else export(network, arguments.folder)
        except Exception as error:  # noqa: BLE001: whatever torch.export fails with
            print(f"{network.name}: not exported: {type(error).__name__}: {str(error)[:200]!r}", flush=True)
            continue
        for path in paths:
            if not zoo:
                pack(path)
            if arguments.lathe:
                result = compare(arguments.lathe, path, arguments.backend)
                failed += not result.startswith("ok")
                print(f"{path.stem}: {result}", flush=True)
                if arguments.gradients:
                    result = compare_gradients(arguments.lathe, path, arguments.backend)
                    failed += not result.startswith("ok")
                    print(f"{path.stem}: gradients {result}", flush=True)
                if zoo and not arguments.keep and result.startswith("ok"):
                    path.unlink()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
