#!/usr/bin/env python3
"""Runs random programs of PyTorch by Lathe, as torch.export writes them, and compares the results with PyTorch's.

    python tools/fuzzing/programs.py --lathe PATH [--count N] [--seed S] [--only NUMBER] [--backend interpreter,native]
                                     [--steps NAME,...] [--keep DIR]

A program is a chain of operators on three inputs and on what came before; a step that PyTorch refuses is tried again. Every
second one is decomposed to ATen's core. How far right results may be apart is seen from the same program in double precision:
where that differs, so may Lathe. Exit code: 0 if all agree, 1 if not.
"""

import argparse
import collections
import random
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Draw = random.Random


def dim(r: Draw, x: Tensor) -> int:
    """An axis, perhaps counted from the end."""
    return r.randrange(-x.ndim, x.ndim)


def unary(r: Draw, x: Tensor) -> Callable:
    name = r.choice(
        """abs neg exp expm1 log1p sqrt rsqrt reciprocal sin cos tan asin acos atan sinh cosh tanh asinh atanh erf erfc sigmoid logit
        floor ceil round trunc frac sign relu square exp2 log2 log10 lgamma digamma sinc isnan isfinite signbit deg2rad""".split())
    bounded = name in ("asin", "acos", "atanh", "logit", "sqrt", "rsqrt", "log2", "log10", "lgamma", "digamma", "reciprocal", "log1p")
    return lambda x: getattr(torch, name)(x.sigmoid() * 0.9 + 0.05 if bounded else x.clamp(-5, 5))


def activation(r: Draw, x: Tensor) -> Callable:
    a = round(r.uniform(0.1, 2), 2)
    return r.choice([
        F.silu, F.mish, F.softplus, F.softsign, F.hardswish, F.hardsigmoid, F.relu6, F.selu, F.gelu, F.logsigmoid, F.tanhshrink,
        lambda x: F.gelu(x, approximate="tanh"), lambda x: F.elu(x, a), lambda x: F.celu(x, a), lambda x: F.leaky_relu(x, 0.2),
        lambda x: F.hardtanh(x, -a, a), lambda x: F.threshold(x, 0.2, a), lambda x: F.softshrink(x, 0.3), lambda x: F.hardshrink(x, 0.3),
        lambda x: F.glu(torch.cat([x, x * a], -1), -1),
    ])  # fmt: skip


def binary(r: Draw, x: Tensor) -> Callable:
    number = round(r.uniform(-2, 2), 2)
    return r.choice([
        torch.add, torch.sub, torch.mul, torch.maximum, torch.minimum, torch.atan2, torch.hypot, torch.fmax, torch.fmin, torch.logaddexp,
        lambda x, y: torch.add(x, y, alpha=number), lambda x, y: x / (y.abs() + 0.5), lambda x, y: torch.fmod(x, y.abs() + 0.5),
        lambda x, y: torch.remainder(x, y.abs() + 0.5), lambda x, y: torch.pow(x.abs() + 0.2, y.clamp(-3, 3)), lambda x, y: torch.lerp(x, y, 0.3),
        lambda x, y: torch.where(x > y, x, y * number), lambda x, y: torch.addcmul(x, x, y, value=number), lambda x, y: torch.copysign(x, y + 0.3),
        lambda x, y: torch.div(x, y.abs() + 0.5, rounding_mode=r"floor"), lambda x, y: torch.heaviside(x, y), lambda x, y: torch.xlogy(x, y.abs() + 0.1),
    ])  # fmt: skip


def compared(r: Draw, x: Tensor) -> Callable:
    f = r.choice([torch.lt, torch.le, torch.gt, torch.ge, torch.ne])
    return lambda x, y: f(x, y)


def reduced(r: Draw, x: Tensor) -> Callable:
    d, keep = dim(r, x), r.random() < 0.5
    return r.choice([
        lambda x: x.sum(d, keep), lambda x: x.mean(d, keep), lambda x: x.amax(d, keep), lambda x: x.amin(d, keep), lambda x: x.sum(),
        lambda x: x.var(d, keepdim=keep, correction=0), lambda x: x.std(d, keepdim=keep, correction=0), lambda x: x.norm(2, d, keep),
        lambda x: torch.logsumexp(x, d, keep), lambda x: x.prod(d, keep), lambda x: x.argmax(d, keep), lambda x: x.max(d, keep)[0],
        lambda x: torch.linalg.vector_norm(x, 1, d, keep), lambda x: (x > 0).any(d, keep), lambda x: (x > 0).all(d, keep),
        lambda x: x.median(d, keep)[0], lambda x: torch.nansum(x, d, keep), lambda x: torch.count_nonzero(x, d),
        lambda x: torch.aminmax(x, dim=d, keepdim=keep)[1], lambda x: x.kthvalue(1, d, keep)[0], lambda x: x.nanmean(d, keep),
    ])  # fmt: skip


def running(r: Draw, x: Tensor) -> Callable:
    d = dim(r, x)
    return r.choice([
        lambda x: x.cumsum(d), lambda x: x.tanh().cumprod(d), lambda x: x.cummax(d)[0], lambda x: x.cummin(d)[0], lambda x: torch.logcumsumexp(x, d),
        lambda x: F.softmax(x, d), lambda x: F.log_softmax(x, d), lambda x: x.sort(d, descending=True)[0], lambda x: x.flip(d), lambda x: x.roll(1, d),
        lambda x: x.diff(dim=d), lambda x: F.normalize(x, dim=d), lambda x: F.softmin(x, d), lambda x: x.argsort(d, stable=True),
        lambda x: x.topk(1, d)[0], lambda x: torch.trapezoid(x, dim=d), lambda x: x.renorm(2, d, 1.5),
    ])  # fmt: skip


def view(r: Draw, x: Tensor) -> Callable:
    order = r.sample(range(x.ndim), x.ndim)
    d, e = dim(r, x), dim(r, x)
    size = x.shape[d]
    return r.choice([
        lambda x: x.permute(order), lambda x: x.transpose(d, e), lambda x: x.flatten(), lambda x: x.unsqueeze(d), lambda x: x.squeeze(),
        lambda x: x.reshape(-1, x.shape[-1]), lambda x: x.narrow(d, 0, max(1, size // 2)), lambda x: x.select(d, size - 1), lambda x: x[..., ::2],
        lambda x: x.movedim(d, e), lambda x: x.expand(2, *x.shape), lambda x: x.repeat(2, *[1] * (x.ndim - 1)), lambda x: torch.cat([x, x], d),
        lambda x: torch.stack([x, x + 1], d), lambda x: x.chunk(2, d)[0], lambda x: x.unfold(d, 1, 1), lambda x: x.tile(2), lambda x: torch.tril(x),
        lambda x: torch.triu(x, 1), lambda x: x.diagonal(), lambda x: x.repeat_interleave(2, d), lambda x: x.unflatten(d, (1, -1)),
        lambda x: x.split([1, size - 1], d)[1], lambda x: torch.rot90(x), lambda x: x.unbind(d)[0],
    ])  # fmt: skip


def indexed(r: Draw, x: Tensor) -> Callable:
    d = dim(r, x)
    places = torch.tensor([r.randrange(x.shape[d]) for _ in range(r.randint(1, 4))])
    unique = torch.tensor(r.sample(range(x.shape[d]), r.randint(1, x.shape[d])))
    return r.choice([
        lambda x: x.index_select(d, places), lambda x: x.gather(d, torch.zeros_like(x, dtype=torch.int64)), lambda x: torch.take(x, places * 0),
        lambda x: x.index_fill(d, unique, 0.5), lambda x: x.index_add(d, unique, x.index_select(d, unique)), lambda x: x.masked_fill(x > 0.5, -1.0),
        lambda x: x.index_copy(d, unique, x.index_select(d, unique) * 2), lambda x: x[x.shape[0] - 1], lambda x: F.one_hot((x > 0).long(), 2),
        lambda x: x.scatter(d, torch.zeros_like(x, dtype=torch.int64).narrow(d, 0, 1), 3.0), lambda x: torch.take_along_dim(x, x.argsort(d, stable=True), d),
        lambda x: x.masked_scatter(x > 0, x * 2), lambda x: x.put(places * 0, torch.zeros(len(places), dtype=x.dtype), accumulate=True),
    ])  # fmt: skip


def product(r: Draw, x: Tensor) -> Callable:
    generator = torch.Generator().manual_seed(r.getrandbits(30))
    w = torch.randn(r.randint(1, 6), x.shape[-1], generator=generator)
    b = torch.randn(w.shape[0], generator=generator)
    return r.choice([
        lambda x: F.linear(x, w.to(x.dtype), b.to(x.dtype)), lambda x: x @ w.to(x.dtype).T, lambda x: x @ x.mT, lambda x: torch.einsum("...i,...j->...ij", x, x),
        lambda x: F.layer_norm(x, x.shape[-1:]), lambda x: F.rms_norm(x, x.shape[-1:]), lambda x: torch.cdist(x, x + 0.5), lambda x: torch.outer(x, x),
        lambda x: F.cosine_similarity(x, x + 1, dim=-1), lambda x: torch.baddbmm(x @ x.mT, x, x.mT, beta=0.5), lambda x: torch.tensordot(x, x, 1),
        lambda x: F.scaled_dot_product_attention(x, x, x), lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
        lambda x: F.bilinear(x, x, torch.ones(2, x.shape[-1], x.shape[-1], dtype=x.dtype)), lambda x: torch.cov(x), lambda x: torch.kron(x, x.narrow(0, 0, 1)),
    ])  # fmt: skip


def window(r: Draw, x: Tensor) -> Callable:
    generator = torch.Generator().manual_seed(r.getrandbits(30))
    count = x.ndim - 2
    if count not in (1, 2, 3):
        raise ValueError
    channels, size = x.shape[1], r.randint(1, 3)
    groups = r.choice([1, channels])
    w = torch.randn(channels * r.randint(1, 2), channels // groups, *[size] * count, generator=generator)
    t = torch.randn(channels, 2, *[size] * count, generator=generator)
    stride, padding = r.randint(1, 2), r.randint(0, size - 1)
    conv, turned, average, most, adaptive = (getattr(F, f"{name}{count}d") for name in ("conv", "conv_transpose", "avg_pool", "max_pool", "adaptive_avg_pool"))
    mode = r.choice(["reflect", "replicate", "circular"])
    resized = r.choice([{"mode": "nearest"}, {"mode": ("linear", "bilinear", "trilinear")[count - 1], "align_corners": r.random() < 0.5}])
    return r.choice([
        lambda x: conv(x, w.to(x.dtype), stride=stride, padding=padding, groups=groups), lambda x: turned(x, t.to(x.dtype), stride=stride),
        lambda x: average(x, size, stride, min(padding, size // 2)), lambda x: most(x, size, stride, min(padding, size // 2)), lambda x: adaptive(x, 2),
        lambda x: F.pad(x, [1, 1], mode), lambda x: F.pad(x, [1, -1, 2, 0]), lambda x: F.interpolate(x, scale_factor=2, **resized), lambda x: F.group_norm(x, 1),
        lambda x: F.instance_norm(x), lambda x: F.unfold(x, size), lambda x: F.pixel_unshuffle(x, 1), lambda x: F.local_response_norm(x, 2),
        lambda x: F.interpolate(x, size=[5] * count, **resized), lambda x: F.lp_pool2d(x.abs() + 0.1, 2.0, size), lambda x: F.channel_shuffle(x, channels),
    ])  # fmt: skip


def loss(r: Draw, x: Tensor) -> Callable:
    f = r.choice([F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.soft_margin_loss, F.poisson_nll_loss])
    kind = r.choice(["none", "mean", "sum"])
    return lambda x, y: f(x, y.sign() if f is F.soft_margin_loss else y, reduction=kind)


def typed(r: Draw, x: Tensor) -> Callable:
    return r.choice([
        lambda x: (x.clamp(-50, 50) * 3).to(torch.int32), lambda x: (x > 0).to(x.dtype), lambda x: x.round().clamp(-9, 9).long() % 3,
        lambda x: (x.clamp(-9, 9).long() & 5).to(x.dtype), lambda x: torch.bitwise_xor(x.clamp(-9, 9).long(), 3), lambda x: x.clamp(-9, 9).long() << 1,
    ])  # fmt: skip


STEPS: dict[str, tuple[Callable, int, int]] = {
    "unary": (unary, 1, 5), "activation": (activation, 1, 3), "binary": (binary, 2, 5), "compared": (compared, 2, 1), "reduced": (reduced, 1, 4),
    "running": (running, 1, 4), "view": (view, 1, 6), "indexed": (indexed, 1, 3), "product": (product, 1, 4), "window": (window, 1, 5),
    "loss": (loss, 2, 1), "typed": (typed, 1, 1),
}  # fmt: skip


class Chain(nn.Module):
    """Steps, each on values that came before; the last ones are the results."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.steps: list[tuple[Callable, list[int]]] = []
        self.results = count

    def forward(self, x0: Tensor, x1: Tensor, x2: Tensor) -> tuple[Tensor, ...]:
        """What the last steps give."""
        values = [x0, x1, x2]
        for step, operands in self.steps:
            values.append(step(*(values[i] for i in operands)))
        return tuple(values[-self.results :])


def program(seed: str, names: list[str]) -> tuple[Chain, list[Tensor], list[str]]:
    """A chain, its inputs and the names of its steps."""
    r = random.Random(seed)
    generator = torch.Generator().manual_seed(r.getrandbits(30))
    shape = [r.choice([1, 2, 3, 4, 5, 8, 17]) for _ in range(r.choice([1, 2, 3, 3, 4, 4, 5]))]
    inputs = [torch.randn(shape, generator=generator) for _ in range(3)]
    values, chain, taken = list(inputs), Chain(1), []
    weights = [STEPS[name][2] for name in names]
    wanted, tries = r.randint(2, 8), 0
    while len(chain.steps) < wanted and tries < 120:
        tries += 1
        name = r.choices(names, weights)[0]
        make, count, _ = STEPS[name]
        floats = [i for i, x in enumerate(values) if x.dtype == torch.float32]
        first = r.choice(floats[-4:])
        operands = [first] + [r.choice([i for i in floats if values[i].ndim == values[first].ndim]) for _ in range(count - 1)]
        try:
            step = make(r, values[first])
            result = step(*(values[i] for i in operands))
        except (RuntimeError, ValueError, IndexError, TypeError, AttributeError, NotImplementedError, AssertionError, ZeroDivisionError):
            continue
        usual = isinstance(result, Tensor) and 0 < result.numel() <= 20_000 and result.ndim <= 6
        if not usual or (result.is_floating_point() and not (result.abs() < 1e4).all()):
            continue
        values.append(result)
        taken.append(name)
        chain.steps.append((step, operands))
    chain.results = min(len(chain.steps), r.choice([1, 2, 3]))
    return chain, inputs, taken


def verdict(actual: np.ndarray, single: Tensor, double: Tensor) -> str:
    """Why a result is wrong; nothing where it is right."""
    wanted = single.numpy()
    if actual.shape != wanted.shape or actual.dtype != wanted.dtype:
        return f"{actual.dtype}{list(actual.shape)} instead of {wanted.dtype}{list(wanted.shape)}"
    if wanted.dtype.kind != "f":
        # What rounding decides is open.
        open_places = wanted != double.numpy().astype(wanted.dtype)
        bad = (actual != wanted) & ~open_places
    else:
        wide, other = double.numpy().astype(np.float64), wanted.astype(np.float64)
        finite = np.isfinite(wide)
        scale = np.abs(wide[finite]).max(initial=0)
        allowed = 16 * np.abs(other - wide) + 2e-5 * np.abs(wide) + 2e-6 * scale + 1e-7
        with np.errstate(invalid="ignore"):
            same = (actual == wanted) | (np.isnan(actual) & np.isnan(wanted)) | (np.abs(actual - wide) <= allowed)
        bad = ~same
    if not bad.any():
        return ""
    place = tuple(int(x[0]) for x in np.nonzero(np.atleast_1d(bad)))
    return f"{int(bad.sum())} of {bad.size} wrong, first {list(place)}: {np.atleast_1d(actual)[place]} instead of {np.atleast_1d(wanted)[place]}"


def check(arguments: argparse.Namespace, number: int, scratch: Path) -> tuple[str, str]:
    """What came of one program: agree, or what is wrong and with what."""
    torch.manual_seed(number)
    chain, inputs, taken = program(f"{arguments.seed}/{number}", arguments.steps)
    if not chain.steps:
        return "skipped", "no program"
    single = chain(*inputs)
    doubles = chain(*(x.double() for x in inputs))
    path = scratch / "p.pt2"
    try:
        exported = torch.export.export(chain, tuple(inputs), strict=False)
        torch.export.save(exported.run_decompositions() if number % 2 else exported, path)
    except Exception as error:  # torch.export refuses some of what runs
        return "skipped", f"torch.export: {str(error)[:80]}"
    targets = sorted({str(node.target) for node in exported.graph.nodes if node.op == "call_function"})
    for backend in arguments.backend:
        command = [arguments.lathe, "run", str(path), "--outputs", str(scratch / "out.npz"), "--backend", backend]
        for position, x in enumerate(inputs):
            np.save(scratch / f"{position}.npy", x.numpy())
            command += ["--input", f"x{position}={scratch / f'{position}.npy'}"]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=300)
        reason = ""
        if finished.returncode:
            lines = (finished.stderr or "nothing said").splitlines()
            reason = next((x for x in lines if "error" in x), lines[0])
            kind = "unsupported" if "not supported" in reason and finished.returncode == 1 else "refused"
        else:
            kind = "wrong"
            with np.load(scratch / "out.npz") as arrays:
                results = [arrays[name] for name in arrays.files]
            found = (verdict(a, s, d) for a, s, d in zip(results, single, doubles))
            reason = next(filter(None, found), "") if len(results) == len(single) else f"{len(results)} results"
        if reason:
            if arguments.keep:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, arguments.keep / f"{number}.pt2")
            return kind, f"{backend}: {reason} [{' '.join(targets)}]"
    return "agree", ""


def main() -> int:
    """Checks what the command line asks for; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lathe", required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, action="append")
    parser.add_argument("--backend", default="interpreter")
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    arguments.backend = arguments.backend.split(",")
    arguments.steps = arguments.steps.split(",")
    warnings.filterwarnings("ignore")
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="lathe-programs-") as name:
        for number in arguments.only or range(arguments.count):
            kind, message = check(arguments, number, Path(name))
            counts[kind] += 1
            if message and kind != "skipped":
                print(f"{number}: {kind}: {message[:500]}", flush=True)
    print("programs: " + ", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    return 1 if counts["wrong"] or counts["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
