"""The cases of functions.npz: which functions of PyTorch are called, and with what arguments."""

import collections
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

INF = float("inf")
NAN = float("nan")


@dataclass(frozen=True)
class Random:
    """A tensor argument, yet to be made: its shape and distribution, or its values."""

    shape: tuple[int, ...]
    kind: str = "normal"
    low: float = 0.0
    high: float = 1.0
    dtype: torch.dtype = torch.int64
    values: Any = None
    differentiable: bool = True

    def tensor(self, generator: torch.Generator) -> Tensor:
        """The tensor; a case's name decides the generator's seed."""
        match self.kind:
            case "given":
                return torch.tensor(self.values, dtype=self.dtype)
            case "uniform":
                return torch.rand(self.shape, generator=generator) * (self.high - self.low) + self.low
            case "integers":
                return torch.randint(int(self.low), int(self.high), self.shape, generator=generator).to(self.dtype)
            case "booleans":
                return torch.rand(self.shape, generator=generator) < 0.5
            case "distinct":
                count = torch.Size(self.shape).numel()
                return (torch.randperm(count, generator=generator) - count // 2).reshape(self.shape) / 8
            case _:
                return torch.randn(self.shape, generator=generator)


def normal(*shape: int) -> Random:
    """Normally distributed numbers."""
    return Random(shape)


def uniform(low: float, high: float, *shape: int) -> Random:
    """Numbers from an interval."""
    return Random(shape, "uniform", low, high)


def distinct(*shape: int) -> Random:
    """Numbers no two of which are equal or near each other, in random order."""
    return Random(shape, "distinct")


def integers(low: int, high: int, *shape: int, dtype: torch.dtype = torch.int64) -> Random:
    """Integers, `high` excluded."""
    return Random(shape, "integers", low, high, dtype, differentiable=False)


def booleans(*shape: int) -> Random:
    """Random booleans."""
    return Random(shape, "booleans", differentiable=False)


def given(values: Any, dtype: torch.dtype = torch.float64) -> Random:
    """Given numbers."""
    return Random((), "given", dtype=dtype, values=values, differentiable=dtype.is_floating_point)


def indices(values: Any) -> Random:
    """Given integers."""
    return given(values, torch.int64)


def constant(x: Random) -> Random:
    """The same tensor, without a gradient."""
    return replace(x, differentiable=False)


@dataclass(frozen=True)
class Case:
    """One call of a function."""

    name: str
    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def cases() -> Iterator[Case]:
    """All cases, each named after its function and its place among that function's cases."""
    groups = (
        unary,
        special_values,
        binary,
        integer_arithmetic,
        comparisons,
        reductions,
        order,
        scans,
        shapes,
        joining,
        indexing,
        scattering,
        creation,
        matrices,
        factorizations,
        activations,
        losses,
        convolutions,
        pooling,
        normalization,
        images,
        padding,
        attention,
        distances,
        cells,
        kinks,
        norms,
        tables,
        alignments,
    )
    numbers: collections.Counter[str] = collections.Counter()
    for function, args, kwargs in itertools.chain.from_iterable(group() for group in groups):
        function = "torch." + function.replace("F.", "nn.functional.")
        stem = function.rpartition(".")[2].strip("_")
        yield Case(f"{stem}_{numbers[stem]}", function, args, kwargs)
        numbers[stem] += 1


Call = tuple[str, tuple[Any, ...], dict[str, Any]]


def call(function: str, *args: Any, **kwargs: Any) -> Call:
    """One call; `F.` stands for `torch.nn.functional.`, and `torch.` is left out."""
    return function, args, kwargs


def unary() -> Iterator[Call]:
    """Functions of one number."""
    everywhere = (
        "abs acos:unit acosh:above_one asin:unit asinh atan atanh:unit ceil cos cosh deg2rad digamma:positive erf erfc "
        "erfinv:unit exp exp2 expm1 floor frac lgamma:positive log:positive log10:positive log1p:positive "
        "log2:positive logit:fraction neg positive rad2deg reciprocal:positive round rsqrt:positive sigmoid sign sin "
        "sinc sinh sqrt:positive square tan:unit tanh trunc i0 special.i0e special.i1 special.i1e "
        "special.entr:positive special.ndtr special.log_ndtr special.ndtri:fraction special.erfcx special.expit "
        "special.gammaln:positive special.bessel_j0 special.bessel_j1"
    )
    domains = {
        "": normal(2, 5),
        "unit": uniform(-0.9, 0.9, 2, 5),
        "above_one": uniform(1.1, 4, 2, 5),
        "positive": uniform(0.1, 4, 2, 5),
        "fraction": uniform(0.05, 0.95, 2, 5),
    }
    for entry in everywhere.split():
        function, _, domain = entry.partition(":")
        yield call(function, domains[domain])
    yield call("logit", uniform(-0.2, 1.2, 2, 5), eps=0.1)
    yield call("round", normal(2, 5), decimals=2)
    yield call("nan_to_num", given([1.5, NAN, INF, -INF, 0.0]), nan=2.0, posinf=7.0, neginf=-7.0)
    yield call("polygamma", 1, uniform(0.5, 4, 2, 4))
    yield call("mvlgamma", uniform(2, 5, 2, 4), 3)
    yield call("clamp", normal(3, 5), -0.5, 0.75)
    yield call("clamp", normal(3, 5), min=0.25)
    yield call("clamp", normal(3, 5), max=0.25)
    yield call("clamp", normal(3, 5), uniform(-1, -0.2, 5), uniform(0.2, 1, 3, 1))
    yield call("logical_not", booleans(2, 3))
    yield call("signbit", normal(2, 5))
    yield call("lerp", normal(2, 3), normal(2, 3), 0.3)


def special_values() -> Iterator[Call]:
    """Edges of domains, ties and kinks, with the gradients that PyTorch gives there."""
    points = given([-INF, -2.0, -1.0, -0.0, 0.0, 1.0, 2.0, INF, NAN])
    for function in (
        "abs acos acosh asin atan atanh ceil cos cosh erf erfc exp expm1 floor log log1p log2 reciprocal round rsqrt "
        "sigmoid sign sin sinh sqrt tan tanh trunc isnan isinf isfinite isposinf isneginf F.relu F.softplus F.silu "
        "F.logsigmoid F.hardswish F.hardsigmoid F.hardtanh F.relu6 F.elu F.leaky_relu F.mish F.softsign"
    ).split():
        yield call(function, constant(points))
    yield call("exp", given([-110.0, -88.0, -87.5, 88.0, 88.75]))
    yield call("tanh", given([-20.0, -9.0, 0.0001220703125, 9.0, 20.0]))
    yield call("sigmoid", given([-100.0, -20.0, 20.0, 100.0]))
    yield call("log1p", given([2.0**-20, -(2.0**-20), 0.0]))
    yield call("expm1", given([2.0**-10, -(2.0**-10), 0.0]))
    yield call("sin", given([100.0, 1000.0, -31.5, 65536.0]))
    yield call("cos", given([100.0, 1000.0, -31.5, 65536.0]))
    yield call("round", given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]))
    for (
        function
    ) in "F.relu F.relu6 abs sign F.hardtanh F.hardswish F.hardsigmoid F.leaky_relu F.elu F.softshrink".split():
        yield call(function, given([-6.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0]))
    yield call("clamp", given([-1.0, -0.5, 0.0, 0.5, 1.0]), -0.5, 0.5)
    ties = given([[1.0, 3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    for function in (
        "amax",
        "amin",
        "max",
        "min",
        "argmax",
        "argmin",
        "cummax",
        "cummin",
        "median",
        "mode",
        "logsumexp",
    ):
        yield call(function, ties, 1)
    yield call("max", ties)
    yield call("maximum", given([1.0, 2.0, 3.0]), given([2.0, 2.0, 2.0]))
    yield call("minimum", given([1.0, 2.0, 3.0]), given([2.0, 2.0, 2.0]))
    yield call("fmax", constant(given([1.0, NAN, 3.0])), constant(given([2.0, 2.0, NAN])))
    yield call("maximum", constant(given([1.0, NAN, 3.0])), constant(given([2.0, 2.0, NAN])))
    yield call("amax", constant(given([[1.0, NAN], [2.0, 3.0]])), 1)
    yield call("argmax", constant(given([[1.0, NAN], [2.0, 3.0]])), 1)
    yield call(
        "pow", constant(given([-2.0, -2.0, 0.0, 0.0, INF, 1.0])), constant(given([3.0, 0.5, 0.0, -1.0, 0.0, NAN]))
    )
    yield call("pow", given([-2.0, 0.0, 3.0]), 0)
    yield call("pow", given([-2.0, 0.0, 3.0]), 2)
    yield call("F.softmax", given([[1000.0, 1001.0, 999.0], [-1000.0, 0.0, -999.0]]), -1)
    yield call("F.log_softmax", given([[1000.0, 1001.0, 999.0], [-1000.0, 0.0, -999.0]]), -1)
    yield call("F.softmax", constant(given([[-INF, 0.0, 1.0], [-INF, -INF, -INF]])), -1)
    yield call("logsumexp", constant(given([[-INF, -INF], [INF, 1.0]])), 1)
    yield call("F.softplus", given([-30.0, 19.5, 20.5, 40.0]))
    yield call("F.max_pool2d", given([[[[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]]]), 2)


def binary() -> Iterator[Call]:
    """Functions of two or three numbers, broadcast."""
    for function in (
        "add",
        "sub",
        "mul",
        "atan2",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "hypot",
        "logaddexp",
        "logaddexp2",
        "copysign",
    ):
        yield call(function, normal(2, 1, 4), normal(3, 1))
    yield call("div", normal(2, 1, 4), uniform(0.5, 2, 3, 1))
    yield call("div", normal(2, 5), uniform(0.25, 1, 5), rounding_mode="floor")
    yield call("div", normal(2, 5), uniform(0.25, 1, 5), rounding_mode="trunc")
    yield call("floor_divide", constant(normal(2, 5)), constant(uniform(0.25, 1, 5)))
    yield call("fmod", normal(2, 5), uniform(0.25, 1, 5))
    yield call("remainder", normal(2, 5), uniform(-1, -0.25, 5))
    yield call("remainder", normal(2, 5), 0.5)
    yield call("add", normal(2, 3), normal(3), alpha=2.5)
    yield call("sub", normal(2, 3), normal(3), alpha=2.5)
    yield call("rsub", normal(2, 3), 1.0, alpha=2)
    yield call("pow", uniform(0.2, 2, 2, 3), normal(3))
    for exponent in (2, 3, -1, 0.5, -0.5, 1.7):
        yield call("pow", uniform(0.2, 2, 5), exponent)
    yield call("pow", 2.0, normal(5))
    yield call("xlogy", given([0.0, 1.0, 2.0]), given([0.5, 0.5, 3.0]))
    yield call("special.xlog1py", given([0.0, 1.0, 2.0]), given([0.5, 0.5, 3.0]))
    yield call("lerp", normal(2, 3), normal(2, 3), uniform(0, 1, 3))
    yield call("addcmul", normal(2, 3), normal(3), normal(2, 1), value=0.5)
    yield call("addcdiv", normal(2, 3), normal(3), uniform(0.5, 2, 2, 1), value=0.5)
    yield call("heaviside", constant(given([-1.0, 0.0, 2.0])), constant(given([0.5])))
    yield call("ldexp", normal(4), indices([0, 1, -2, 5]))
    yield call("where", booleans(2, 3), normal(2, 3), normal(3))
    yield call("where", booleans(2, 3), normal(2, 1), 0.5)
    yield call("where", booleans(2, 3), normal(2, 1), integers(0, 3, 3))
    for exponent in (given([2.0, 0.0, 1.0, 3.0]), indices([2, 0, 1, 3])):
        yield call("pow", given([-1.5, 0.0, 0.0, 2.0]), exponent)
    yield call("pow", 0.0, given([0.0, 1.0, 2.0]))
    for function in ("div", "fmod", "remainder", "floor_divide"):
        yield call(function, constant(given([7.0, -7.0, 0.0, INF, NAN])), 2.5)
    for mode in ("floor", "trunc"):
        yield call("div", constant(given([1.0, -1.0, 7.0])), 0.1, rounding_mode=mode)
    yield call("clamp", constant(given([1.0, NAN, 3.0, -1.0])), constant(given([NAN, 0.0, 0.0, 0.0])), None)
    yield call("clamp", given([-1.0, 0.0, 0.5, 1.0]), given([0.0, 0.0, 0.0, 2.0]), given([0.5, 0.5, 0.5, 1.0]))
    yield call("clamp", integers(-4, 5, 6), -1, 2)
    yield call("clamp", integers(-4, 5, 6), max=1.5)
    yield call("mul", booleans(4), booleans(4))
    yield call("add", booleans(4), booleans(4))
    yield call("add", integers(0, 9, 3), 2.5)
    yield call("add", integers(0, 9, 3), 2, alpha=3)
    for function in ("add", "mul", "div"):
        yield call(function, normal(2, 0), normal(1))


def integer_arithmetic() -> Iterator[Call]:
    """Integers: division and remainder of negative numbers, bits, and the types of results."""
    signed, divisor = indices([-7, -6, -1, 0, 1, 6, 7]), indices([2, -4, 3, 5, -3, -4, 4])
    for function in ("add", "mul", "floor_divide", "fmod", "remainder", "div", "maximum", "gcd", "lcm"):
        yield call(function, signed, divisor)
    for mode in ("floor", "trunc"):
        yield call("div", signed, divisor, rounding_mode=mode)
    yield call("pow", signed, 3)
    yield call("abs", signed)
    yield call("sign", signed)
    for function in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        yield call(function, integers(-8, 8, 6), integers(-8, 8, 6))
        yield call(function, booleans(6), booleans(6))
    yield call("bitwise_not", integers(-8, 8, 6))
    yield call("bitwise_left_shift", integers(0, 8, 6), integers(0, 4, 6))
    yield call("bitwise_right_shift", integers(-32, 32, 6), integers(0, 4, 6))
    for function in ("logical_and", "logical_or", "logical_xor"):
        yield call(function, booleans(6), booleans(6))
    yield call("add", integers(0, 9, 3, dtype=torch.int32), integers(0, 9, 3))
    yield call("add", integers(100, 128, 4, dtype=torch.int8), integers(100, 128, 4, dtype=torch.int8))
    yield call("sum", integers(100, 128, 4, dtype=torch.int8))
    yield call("mul", booleans(3), normal(3))
    yield call("Tensor.to", normal(5), torch.int64)
    yield call("Tensor.to", given([0.0, -0.5, NAN]), torch.bool)
    yield call("Tensor.to", booleans(4), torch.float32)


def comparisons() -> Iterator[Call]:
    """Comparisons and predicates."""
    for function in ("eq", "ne", "lt", "le", "gt", "ge"):
        yield call(function, integers(0, 3, 2, 4), integers(0, 3, 4))
        yield call(function, normal(5), 0.25)
    yield call("isclose", given([1.0, 1.001, INF, NAN]), given([1.0, 1.0, INF, NAN]), rtol=1e-2)
    yield call("isclose", constant(given([NAN])), constant(given([NAN])), equal_nan=True)
    yield call("equal", indices([1, 2]), indices([1, 2]))
    yield call("equal", indices([1, 2]), indices([1, 3]))
    yield call("allclose", normal(4), normal(4))
    for function in ("all", "any"):
        yield call(function, booleans(3, 4))
        yield call(function, booleans(3, 4), 1)
        yield call(function, booleans(3, 4), 0, keepdim=True)
    yield call("count_nonzero", integers(0, 2, 3, 4), 1)
    yield call("isin", integers(0, 5, 2, 4), indices([1, 3]))


def reductions() -> Iterator[Call]:
    """Sums and their kin."""
    x = normal(2, 3, 4)
    for function in ("sum", "mean", "prod", "std", "var", "nansum", "nanmean", "amax", "amin", "norm"):
        yield call(function, x)
        yield call(function, x, dim=1)
        yield call(function, x, dim=-1, keepdim=True)
    for function in ("sum", "mean", "std", "var", "amax", "amin", "logsumexp", "nansum"):
        yield call(function, x, dim=(0, 2))
    yield call("logsumexp", x, dim=1)
    yield call("logsumexp", x, dim=1, keepdim=True)
    for function in ("sum", "prod", "mean"):
        yield call(function, integers(1, 5, 2, 3), dim=0, dtype=torch.float64)
        yield call(function, booleans(2, 3), dtype=torch.float64)
    for function in ("sum", "prod"):
        yield call(function, integers(1, 9, 2, 3), dim=-1, keepdim=True, dtype=torch.int32)
        yield call(function, integers(100, 120, 2, 3, dtype=torch.uint8), dtype=torch.uint8)
        yield call(function, constant(uniform(1, 4, 5)), dtype=torch.int64)
        yield call(function, normal(2, 0), 1)
        yield call(function, given(1.5), 0)
    for function in ("cumsum", "cumprod"):
        yield call(function, integers(1, 5, 2, 3), 1, dtype=torch.float64)
        yield call(function, booleans(4), 0)
        yield call(function, given(1.5), 0)
        yield call(function, normal(2, 0), -1)
    for function in ("std", "var"):
        yield call(function, given([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]]), dim=1)
        yield call(function, constant(normal(3, 1)), dim=1)
    for p in (0, 0.5, 1, 2, 3, INF, -INF):
        yield call("norm", given([[0.0, 0.0], [0.0, -2.0], [3.0, 4.0]]), p, dim=1)
        if p != 0:
            yield call("dist", given([1.0, 2.0, 4.0]), given([1.0, 3.0, 1.0]), p)
    yield call("dist", normal(2, 3), normal(3))
    yield call("sum", integers(0, 9, 2, 3), dim=0)
    yield call("sum", booleans(2, 3))
    yield call("prod", given([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]]), dim=1)
    for correction in (0, 2):
        yield call("var", x, dim=1, correction=correction)
        yield call("std", x, dim=(0, 1), correction=correction, keepdim=True)
    yield call("var_mean", x, dim=2)
    yield call("std_mean", x, dim=2, correction=0)
    for p in (0, 1, 2, 3, INF, -INF, 0.5):
        yield call("linalg.vector_norm", x, p, dim=1)
    for p in ("fro", "nuc", 1, -1, 2, -2, INF):
        yield call("linalg.matrix_norm", normal(4, 3), p)
    yield call("norm", normal(3, 4), "fro", dim=(0, 1))
    yield call("norm", normal(3, 4), 1, dim=0)
    yield call("nansum", given([[1.0, NAN], [2.0, 3.0]]), dim=1)
    yield call("nanmean", given([[1.0, NAN], [2.0, 3.0]]), dim=1)
    yield call("median", distinct(3, 5))
    yield call("median", distinct(3, 4))
    yield call("median", distinct(3, 4), dim=1)
    yield call("nanmedian", given([1.0, NAN, 3.0, 2.0]))
    for q in (0.0, 0.3, 0.5, 1.0):
        yield call("quantile", distinct(3, 4), q, dim=1)
    yield call("quantile", distinct(3, 4), given([0.25, 0.75]), dim=0, interpolation="nearest")
    yield call("aminmax", distinct(3, 4), dim=1)
    yield call("cov", normal(3, 6))
    yield call("corrcoef", normal(3, 6))
    yield call("trace", normal(3, 4))


def order() -> Iterator[Call]:
    """Maxima with their places, sorting and searching."""
    x = distinct(3, 5)
    for function in ("max", "min"):
        yield call(function, x)
        yield call(function, x, 1)
        yield call(function, x, 0, keepdim=True)
        yield call(function, normal(2, 3), normal(3))
    for function in ("argmax", "argmin"):
        yield call(function, x)
        yield call(function, x, dim=1)
        yield call(function, x, dim=0, keepdim=True)
    yield call("sort", x)
    yield call("sort", x, dim=0, descending=True)
    yield call("sort", integers(0, 3, 2, 8), stable=True)
    yield call("sort", integers(0, 3, 2, 8), stable=True, descending=True)
    yield call("argsort", x, dim=0)
    yield call("topk", x, 2)
    yield call("topk", x, 2, dim=0, largest=False)
    yield call("kthvalue", x, 2)
    yield call("kthvalue", x, 3, dim=0, keepdim=True)
    yield call("mode", integers(0, 3, 3, 7))
    yield call("searchsorted", given([1.0, 3.0, 5.0, 7.0]), given([[0.0, 3.0], [5.5, 9.0]]))
    yield call("searchsorted", given([1.0, 3.0, 5.0, 7.0]), given([[0.0, 3.0], [5.5, 9.0]]), right=True)
    yield call("bucketize", given([0.5, 1.0, 2.5]), given([1.0, 2.0]))
    special = constant(given([[NAN, 1.0, -INF, 0.0], [-0.0, INF, NAN, 0.0], [2.0, 2.0, 1.0, 2.0]]))
    for descending in (False, True):
        yield call("sort", special, stable=True, descending=descending)
        yield call("argsort", special, dim=0, descending=descending, stable=True)
        yield call("sort", integers(0, 4, 3, 33, dtype=torch.uint8), dim=-1, descending=descending, stable=True)
        yield call("sort", booleans(2, 7), stable=True, descending=descending)
    yield call("sort", normal(2, 1), -1)
    yield call("sort", normal(0, 3), 0)
    yield call("sort", given(1.5), -1)
    yield call("sort", distinct(2, 3, 5), -2, True)
    yield call("msort", distinct(5, 2))
    yield call("topk", constant(given([[NAN, 1.0, -INF, 0.0], [2.0, INF, NAN, 0.0]])), 2)
    yield call("topk", distinct(4, 7), 7, -2 + 1)
    yield call("topk", distinct(4, 7), 0)
    yield call("topk", integers(0, 100, 1, 9), 9, largest=False)
    yield call("kthvalue", special, 4)
    yield call("kthvalue", distinct(2, 1, 3), 1, 1)
    yield call("kthvalue", given(1.5), 1)
    yield call("median", given([[1.0, 2.0, 2.0], [2.0, 3.0, 0.0]]))
    yield call("median", special, 1)
    yield call("median", special)
    yield call("median", integers(0, 50, 9), 0, True)
    yield call("median", distinct(2, 4, 3), dim=-2, keepdim=True)
    yield call("nanmedian", constant(given([[NAN, 1.0, 3.0, 2.0], [5.0, NAN, NAN, NAN]])), 1)
    yield call("nanmedian", given([[5.0, 1.0, 3.0, 2.0], [0.0, -1.0, 4.0, 8.0]]), 1, keepdim=True)
    yield call("nanmedian", constant(given([NAN, NAN])))
    yield call("mode", given([[1.0, 2.0, 2.0, 1.0], [3.0, 3.0, 3.0, 0.0]]), 1)
    yield call("mode", given([[1.0, 2.0], [1.0, 3.0], [0.0, 3.0]]), 0, True)
    yield call("mode", given([[1.5], [0.5]]))
    for how in ("lower", "higher", "midpoint", "nearest"):
        yield call("quantile", distinct(3, 6), 0.3, interpolation=how)
    yield call("quantile", distinct(2, 3, 4), given([0.0, 0.4, 1.0]), dim=-2, keepdim=True)
    yield call("quantile", constant(given([[NAN, 1.0], [2.0, 3.0]])), 0.5, dim=1)
    yield call("nanquantile", constant(given([[NAN, 1.0, 5.0], [2.0, 3.0, 8.0]])), 0.5, dim=1)
    yield call("nanquantile", given([[1.0, 2.0, 8.0]]), given([0.25, 0.5]), keepdim=True)
    rows = constant(given([[1.0, 2.0, 2.0, 4.0], [0.0, 0.5, 8.0, 9.0]]))
    for right in (False, True):
        yield call("searchsorted", rows, constant(given([[2.0, 5.0, NAN], [-1.0, 9.0, 8.0]])), right=right)
        yield call("bucketize", constant(given([[1.0, 2.0, 0.0], [3.0, NAN, INF]])), constant(given([1.0, 2.0])), right=right)
    yield call("searchsorted", constant(given([3.0, 1.0, 2.0])), constant(given([2.5, 0.0])), sorter=indices([1, 2, 0]))
    yield call("searchsorted", indices([1, 3, 5]), indices([[3], [4]]))
    yield call("searchsorted", constant(normal(0)), constant(normal(3)))
    yield call("bucketize", constant(uniform(0, 20, 50)), constant(given([float(i) for i in range(1, 20)])))
    yield call("isin", integers(0, 5, 2, 4), indices([1, 3]), invert=True)


def scans() -> Iterator[Call]:
    """Cumulative functions."""
    for function in ("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"):
        yield call(function, distinct(3, 4), 1)
        yield call(function, distinct(3, 4), 0)
    yield call("cumsum", integers(0, 9, 5), 0)
    yield call("cumprod", given([2.0, 0.0, 3.0, 0.0, 4.0]), 0)
    yield call("diff", normal(2, 5))
    yield call("diff", normal(4, 3), n=2, dim=0)
    yield call("trapezoid", normal(2, 5), dx=0.5)
    yield call("cumulative_trapezoid", normal(2, 5))


def shapes() -> Iterator[Call]:
    """Views and rearrangements."""
    x = normal(2, 3, 4)
    yield call("reshape", x, (4, -1))
    yield call("Tensor.view", x, 6, 4)
    yield call("flatten", x)
    yield call("flatten", x, 1)
    yield call("unflatten", normal(2, 6), 1, (2, 3))
    yield call("squeeze", normal(1, 3, 1))
    yield call("squeeze", normal(1, 3, 1), 0)
    yield call("squeeze", normal(1, 3, 1, 2), (0, 2))
    yield call("unsqueeze", x, 1)
    yield call("unsqueeze", x, -1)
    yield call("t", normal(2, 3))
    yield call("transpose", x, 0, -1)
    yield call("permute", x, (2, 0, 1))
    yield call("movedim", x, 0, 2)
    yield call("movedim", x, (0, 1), (2, 0))
    yield call("swapaxes", x, 0, 1)
    yield call("Tensor.expand", normal(3, 1), 2, 3, 4)
    yield call("Tensor.expand", normal(3, 1), -1, 4)
    yield call("broadcast_to", normal(3, 1), (2, 3, 4))
    yield call("Tensor.repeat", normal(2, 3), 2, 1, 2)
    yield call("tile", normal(2, 3), (2, 2))
    yield call("repeat_interleave", normal(2, 3), 2)
    yield call("repeat_interleave", normal(2, 3), 2, dim=1)
    yield call("repeat_interleave", normal(3, 2), indices([1, 0, 2]), dim=0)
    yield call("roll", x, 1)
    yield call("roll", x, (1, -2), (0, 2))
    yield call("rot90", x, 1, (0, 2))
    yield call("flip", x, (0, 2))
    yield call("fliplr", normal(2, 3))
    yield call("flipud", normal(2, 3))
    yield call("narrow", x, 2, 1, 2)
    yield call("select", x, 1, 2)
    yield call("unbind", x, 1)
    yield call("chunk", normal(5, 2), 3)
    yield call("split", normal(5, 2), 2)
    yield call("split", normal(2, 6), (1, 2, 3), dim=1)
    yield call("tensor_split", normal(5, 2), 3)
    yield call("tensor_split", normal(5, 2), (1, 4))
    yield call("hsplit", normal(2, 4), 2)
    yield call("Tensor.unfold", normal(2, 7), 1, 3, 2)
    yield call("as_strided", normal(10), (3, 2), (2, 1), 1)
    yield call("ravel", x)
    yield call("atleast_2d", normal(3))
    yield call("Tensor.contiguous", x)
    yield call("clone", x)
    for offset in (0, 1, -1):
        yield call("diag", normal(4), offset)
        yield call("diag", normal(3, 4), offset)
        yield call("diagonal", normal(3, 4, 2), offset, 0, 1)
        yield call("diag_embed", normal(2, 3), offset)
        yield call("tril", normal(2, 3, 4), offset)
        yield call("triu", normal(2, 3, 4), offset)


def joining() -> Iterator[Call]:
    """Several tensors into one."""
    yield call("cat", [normal(2, 3), normal(1, 3)])
    yield call("cat", [normal(2, 3), normal(2, 1), normal(2, 2)], dim=-1)
    yield call("cat", [integers(0, 5, 2), normal(2)])
    yield call("concat", [normal(1), normal(0), normal(2)])
    yield call("stack", [normal(2, 3), normal(2, 3)])
    yield call("stack", [normal(2, 3), normal(2, 3)], dim=-1)
    for function in ("hstack", "vstack", "dstack", "column_stack"):
        yield call(function, [normal(2, 3), normal(2, 3)])
    yield call("block_diag", normal(2, 3), normal(1, 2))
    yield call("meshgrid", normal(2), normal(3), indexing="ij")
    yield call("meshgrid", normal(2), normal(3), indexing="xy")
    yield call("cartesian_prod", normal(2), normal(3))
    yield call("combinations", normal(4), 2)
    yield call("broadcast_tensors", normal(3, 1), normal(1, 4))


def indexing() -> Iterator[Call]:
    """Reading elements by their places."""
    x = normal(3, 4)
    yield call("index_select", x, 0, indices([2, 0, 2]))
    yield call("index_select", x, 1, indices([3, 3]))
    yield call("gather", x, 1, integers(0, 4, 3, 2))
    yield call("gather", x, 0, integers(0, 3, 2, 4))
    yield call("take", x, indices([[0, 11], [5, 5]]))
    yield call("take_along_dim", x, integers(0, 4, 3, 2), dim=1)
    yield call("F.embedding", integers(0, 5, 2, 3), normal(5, 4))
    yield call("F.embedding", indices([[0, 1, 1], [2, 0, 4]]), normal(5, 4), padding_idx=1)
    yield call("F.embedding", indices([1, 1, 3]), normal(5, 4), scale_grad_by_freq=True)
    for mode in ("sum", "mean", "max"):
        yield call("F.embedding_bag", integers(0, 5, 7), normal(5, 4), indices([0, 3]), mode=mode)
    yield call("F.embedding_bag", integers(0, 5, 2, 3), normal(5, 4), mode="sum", per_sample_weights=normal(2, 3))
    yield call("F.one_hot", integers(0, 5, 2, 3), 5)
    yield call("Tensor.__getitem__", x, 1)
    yield call("Tensor.__getitem__", x, indices([2, 0]))
    yield call("Tensor.__getitem__", x, (indices([2, 0, 1]), indices([1, 1, 3])))


def scattering() -> Iterator[Call]:
    """Writing elements by their places."""
    x, index = normal(3, 4), indices([[0, 1, 2, 0], [2, 0, 1, 1]])
    yield call("scatter", x, 0, index, normal(2, 4))
    yield call("scatter", x, 0, index, 0.5)
    yield call("scatter", constant(x), 0, indices([[0, 0, 1, 2]]), constant(normal(1, 4)), reduce="add")
    yield call("scatter", constant(x), 0, indices([[0, 0, 1, 2]]), constant(normal(1, 4)), reduce="multiply")
    yield call("scatter_add", x, 1, integers(0, 4, 3, 6), normal(3, 6))
    for reduce in ("sum", "mean", "prod", "amax", "amin"):
        for include_self in (True, False):
            yield call("scatter_reduce", x, 1, integers(0, 4, 3, 5), distinct(3, 5), reduce, include_self=include_self)
    for reduce in ("prod", "mean", "amax", "amin"):
        for include_self in (True, False):
            yield call("index_reduce", x, 0, indices([0, 2, 0]), distinct(3, 4), reduce, include_self=include_self)
    ties = indices([[0, 0, 1, 1]])
    for reduce in ("prod", "amax", "amin"):
        yield call("scatter_reduce", given([[2.0, 0.0, 5.0]]), 1, ties, given([[2.0, 1.0, 0.0, 0.0]]), reduce)
    yield call("scatter_reduce", given([[2.0, 3.0, 5.0]]), 1, ties, given([[2.0, 0.0, 4.0, 3.0]]), "prod")
    yield call("index_add", x, 0, indices([0, 2, 0]), normal(3, 4), alpha=0.5)
    yield call("index_copy", x, 0, indices([2, 0]), normal(2, 4))
    yield call("index_fill", x, 1, indices([1, 3]), 0.5)
    yield call("index_put", x, (indices([0, 2]), indices([1, 3])), normal(2))
    yield call("index_put", x, (indices([0, 0]), indices([1, 1])), normal(2), accumulate=True)
    yield call("masked_fill", x, booleans(3, 4), -1.5)
    yield call("masked_fill", x, booleans(4), -1.5)
    yield call("masked_scatter", x, booleans(3, 4), normal(12))
    yield call("select_scatter", x, normal(4), 0, 1)
    yield call("slice_scatter", x, normal(3, 2), 1, 1, 3)
    yield call("slice_scatter", x, normal(3, 2), 1, 0, 4, 2)
    yield call("diagonal_scatter", x, normal(3))


def creation() -> Iterator[Call]:
    """Tensors from nothing."""
    yield call("eye", 3)
    yield call("eye", 2, 4)
    yield call("zeros", 2, 3)
    yield call("ones", (2, 3))
    yield call("full", (2, 3), 1.5)
    yield call("arange", 5)
    yield call("arange", 1, 9, 3)
    yield call("arange", 1.0, 2.5, 0.5)
    yield call("arange", 5, -2, -2)
    yield call("linspace", -1, 2, 5)
    yield call("linspace", 3, 3, 1)
    yield call("logspace", -1, 2, 4)
    yield call("logspace", 0, 3, 4, base=2.0)
    yield call("zeros_like", normal(2, 3))
    yield call("ones_like", integers(0, 5, 2, 3))
    yield call("full_like", normal(2, 3), 2.5)
    yield call("tril_indices", 3, 4, 1)
    yield call("triu_indices", 3, 4)
    yield call("vander", constant(normal(4)), 3)
    for function in ("hann_window", "hamming_window", "blackman_window", "bartlett_window"):
        yield call(function, 6)
        yield call(function, 6, periodic=False)


def matrices() -> Iterator[Call]:
    """Products."""
    yield call("mm", normal(3, 4), normal(4, 2))
    yield call("bmm", normal(2, 3, 4), normal(2, 4, 2))
    yield call("mv", normal(3, 4), normal(4))
    yield call("dot", normal(5), normal(5))
    yield call("vdot", normal(5), normal(5))
    yield call("inner", normal(2, 4), normal(3, 4))
    yield call("outer", normal(3), normal(4))
    for left, right in (
        ((4,), (4,)),
        ((4,), (4, 2)),
        ((3, 4), (4,)),
        ((2, 3, 4), (4,)),
        ((4,), (2, 4, 3)),
        ((2, 3, 4), (4, 2)),
        ((2, 1, 3, 4), (3, 4, 2)),
        ((3, 4), (2, 4, 2)),
    ):
        yield call("matmul", normal(*left), normal(*right))
    yield call("matmul", integers(-4, 5, 2, 3), integers(-4, 5, 3, 2))
    yield call("addmm", normal(3, 2), normal(3, 4), normal(4, 2))
    yield call("addmm", normal(2), normal(3, 4), normal(4, 2), beta=0.5, alpha=2.0)
    yield call("addmv", normal(3), normal(3, 4), normal(4), beta=0.5, alpha=2)
    yield call("addr", normal(3, 4), normal(3), normal(4), beta=0.5, alpha=2)
    yield call("addbmm", normal(3, 2), normal(2, 3, 4), normal(2, 4, 2), beta=0.5, alpha=2)
    yield call("baddbmm", normal(2, 3, 2), normal(2, 3, 4), normal(2, 4, 2), beta=0.5, alpha=2)
    yield call("linalg.multi_dot", [normal(2, 5), normal(5, 3), normal(3, 4)])
    yield call("linalg.matrix_power", normal(3, 3), 3)
    yield call("cross", normal(2, 3), normal(2, 3), dim=1)
    yield call("linalg.cross", normal(2, 3), normal(1, 3))
    yield call("linalg.vecdot", normal(2, 3), normal(2, 3))
    yield call("kron", normal(2, 3), normal(2, 2))
    yield call("tensordot", normal(2, 3, 4), normal(3, 4, 2), dims=2)
    yield call("tensordot", normal(2, 3, 4), normal(4, 2, 3), dims=[[1, 2], [2, 0]])
    for equation, *shapes_ in (
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
        ("ij->ji", (2, 3)),
        ("ii->i", (3, 3)),
        ("ii", (3, 3)),
        ("ij->", (2, 3)),
        ("i,j->ij", (2,), (3,)),
        ("bhqd,bhkd->bhqk", (1, 2, 3, 4), (1, 2, 2, 4)),
        ("...ij,...jk->...ik", (2, 1, 2, 3), (2, 3, 2)),
        ("ijk,jl,kl->il", (2, 3, 4), (3, 2), (4, 2)),
        ("ij,ij->i", (2, 3), (2, 3)),
        ("bn,anm,bm->ba", (2, 3), (4, 3, 2), (2, 2)),
        ("ij,kl->ijkl", (2, 2), (1, 3)),
    ):
        yield call("einsum", equation, *(normal(*shape) for shape in shapes_))
    yield call("F.linear", normal(2, 3, 4), normal(5, 4), normal(5))
    yield call("F.linear", normal(4), normal(5, 4))
    yield call("F.bilinear", normal(3, 4), normal(3, 2), normal(5, 4, 2), normal(5))


def factorizations() -> Iterator[Call]:
    """Linear algebra beyond products."""
    square, positive = normal(2, 3, 3), given([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]])
    triangular = given([[2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-1.0, 0.25, 1.5]])
    for function in ("inverse", "linalg.inv", "linalg.det", "det", "linalg.slogdet", "linalg.matrix_exp"):
        yield call(function, square)
    yield call("logdet", positive)
    yield call("linalg.cholesky", positive)
    yield call("linalg.cholesky", positive, upper=True)
    yield call("cholesky_inverse", triangular)
    yield call("cholesky_solve", normal(3, 2), triangular)
    yield call("linalg.solve", square, normal(2, 3, 2))
    yield call("linalg.solve_triangular", triangular, normal(3, 2), upper=False)
    yield call("linalg.eigvalsh", positive)
    yield call("linalg.svdvals", normal(4, 3))
    yield call("linalg.pinv", normal(4, 3))
    yield call("linalg.cond", constant(positive))
    yield call("linalg.matrix_rank", constant(normal(4, 3)))
    yield call("linalg.qr", normal(4, 3))


def activations() -> Iterator[Call]:
    """Functions of torch.nn.functional of one tensor."""
    x = normal(3, 6)
    for function in (
        "relu relu6 elu selu celu gelu silu mish leaky_relu hardtanh hardsigmoid hardswish hardshrink softshrink "
        "tanhshrink softplus softsign logsigmoid"
    ).split():
        yield call(f"F.{function}", x)
    yield call("F.elu", x, alpha=0.5)
    yield call("F.celu", x, alpha=0.5)
    yield call("F.gelu", x, approximate="tanh")
    yield call("F.leaky_relu", x, 0.2)
    yield call("F.rrelu", x, 0.1, 0.3)
    yield call("F.hardtanh", x, -0.5, 0.75)
    yield call("F.hardshrink", x, 0.25)
    yield call("F.softshrink", x, 0.25)
    yield call("F.softplus", x, beta=2.0, threshold=1.5)
    yield call("F.threshold", x, 0.25, -2.0)
    yield call("F.prelu", x, given([0.25]))
    yield call("F.prelu", normal(2, 3, 2), normal(3))
    yield call("F.glu", x)
    yield call("F.glu", normal(4, 3), 0)
    for function in ("softmax", "log_softmax", "softmin"):
        for dim in (0, -1):
            yield call(f"F.{function}", x, dim)
    yield call("F.normalize", x)
    yield call("F.normalize", x, p=1.0, dim=0)
    yield call("F.dropout", x, 0.5, training=False)
    yield call("F.dropout", x, 0.0)


def losses() -> Iterator[Call]:
    """Losses with every reduction, and their options."""
    reductions_ = ("none", "mean", "sum")
    x, y = normal(4, 5), normal(4, 5)
    classes, signs = integers(0, 5, 4), indices([1, -1, -1, 1])
    fractions, bits = uniform(0.05, 0.95, 4, 5), constant(given([[0.0, 1.0, 1.0, 0.0, 1.0]] * 4))
    log_probabilities = uniform(-3, -0.1, 4, 5)
    for reduction in reductions_:
        for function in ("l1_loss", "mse_loss", "smooth_l1_loss", "huber_loss"):
            yield call(f"F.{function}", x, y, reduction=reduction)
        yield call("F.cross_entropy", x, classes, reduction=reduction)
        yield call("F.cross_entropy", x, classes, weight=constant(uniform(0.5, 2, 5)), reduction=reduction)
        yield call("F.cross_entropy", x, classes, label_smoothing=0.1, reduction=reduction)
        yield call("F.cross_entropy", x, indices([1, -100, 4, 0]), reduction=reduction)
        yield call(
            "F.cross_entropy",
            x,
            indices([1, 2, 4, 0]),
            weight=constant(uniform(0.5, 2, 5)),
            ignore_index=2,
            label_smoothing=0.2,
            reduction=reduction,
        )
        yield call("F.cross_entropy", x, constant(uniform(0, 0.4, 4, 5)), reduction=reduction)
        yield call(
            "F.cross_entropy",
            x,
            uniform(0, 0.4, 4, 5),
            weight=constant(uniform(0.5, 2, 5)),
            label_smoothing=0.1,
            reduction=reduction,
        )
        yield call("F.cross_entropy", normal(2, 3, 2, 2), integers(0, 3, 2, 2, 2), reduction=reduction)
        yield call("F.nll_loss", log_probabilities, classes, reduction=reduction)
        yield call(
            "F.nll_loss",
            log_probabilities,
            indices([0, 1, 4, 1]),
            weight=constant(uniform(0.5, 2, 5)),
            ignore_index=1,
            reduction=reduction,
        )
        yield call("F.nll_loss", normal(2, 3, 2, 2), integers(0, 3, 2, 2, 2), reduction=reduction)
        yield call("F.binary_cross_entropy", fractions, bits, reduction=reduction)
        yield call("F.binary_cross_entropy", fractions, bits, weight=constant(uniform(0.5, 2, 5)), reduction=reduction)
        yield call("F.binary_cross_entropy_with_logits", x, bits, reduction=reduction)
        yield call(
            "F.binary_cross_entropy_with_logits",
            x,
            bits,
            weight=constant(uniform(0.5, 2, 4, 1)),
            pos_weight=constant(uniform(0.5, 2, 5)),
            reduction=reduction,
        )
        yield call("F.kl_div", log_probabilities, fractions, reduction=reduction)
        yield call("F.kl_div", log_probabilities, log_probabilities, reduction=reduction, log_target=True)
        yield call("F.margin_ranking_loss", normal(4), normal(4), signs, margin=0.5, reduction=reduction)
        yield call("F.hinge_embedding_loss", normal(4), signs, margin=0.75, reduction=reduction)
        yield call("F.soft_margin_loss", normal(4), signs, reduction=reduction)
        yield call("F.cosine_embedding_loss", x, y, signs, margin=0.25, reduction=reduction)
        yield call(
            "F.multilabel_margin_loss", x, indices([[3, 0, -1, 1, 1], [0, -1, 2, 2, 2]] * 2), reduction=reduction
        )
        yield call("F.multilabel_soft_margin_loss", x, bits, weight=constant(uniform(0.5, 2, 5)), reduction=reduction)
        yield call("F.multi_margin_loss", x, classes, reduction=reduction)
        yield call(
            "F.multi_margin_loss",
            x,
            classes,
            p=2,
            margin=0.5,
            weight=constant(uniform(0.5, 2, 5)),
            reduction=reduction,
        )
        yield call("F.triplet_margin_loss", x, y, normal(4, 5), reduction=reduction)
        yield call("F.poisson_nll_loss", x, uniform(0, 4, 4, 5), reduction=reduction)
        yield call("F.gaussian_nll_loss", x, y, uniform(0.5, 2, 4, 5), reduction=reduction)
        yield call(
            "F.ctc_loss",
            log_probabilities_over_time(),
            indices([[1, 2, 2], [3, 1, 0]]),
            (6, 5),
            (3, 2),
            reduction=reduction,
        )
    yield call("F.kl_div", log_probabilities, fractions, reduction="batchmean")
    yield call("F.smooth_l1_loss", x, y, beta=0.5)
    yield call("F.smooth_l1_loss", x, y, beta=0.0)
    yield call("F.huber_loss", x, y, delta=0.5)
    yield call("F.triplet_margin_loss", x, y, normal(4, 5), margin=0.5, p=1.0, swap=True)
    yield call("F.poisson_nll_loss", uniform(0.1, 3, 4, 5), constant(integers(0, 5, 4, 5)), log_input=False, full=True)
    yield call("F.gaussian_nll_loss", x, y, uniform(0.5, 2, 4, 1), full=True)
    yield call("F.cross_entropy", normal(5), indices(3))


def log_probabilities_over_time() -> Random:
    """Scores of four symbols over six steps for a batch of two."""
    return uniform(-3, -0.5, 6, 2, 4)


def convolutions() -> Iterator[Call]:
    """Convolutions and transposed convolutions in one to three dimensions."""
    yield call("F.conv1d", normal(2, 3, 8), normal(4, 3, 3))
    yield call("F.conv1d", normal(2, 4, 9), normal(6, 2, 3), normal(6), stride=2, padding=2, dilation=2, groups=2)
    yield call("F.conv1d", normal(3, 8), normal(4, 3, 4), padding="same")
    yield call("F.conv2d", normal(2, 3, 5, 4), normal(4, 3, 3, 2), normal(4))
    yield call("F.conv2d", normal(1, 2, 6, 7), normal(3, 2, 3, 3), stride=2, padding=1)
    yield call("F.conv2d", normal(1, 2, 6, 7), normal(3, 2, 3, 2), stride=(2, 1), padding=(0, 1), dilation=(1, 2))
    yield call("F.conv2d", normal(1, 4, 5, 5), normal(4, 1, 3, 3), normal(4), padding=1, groups=4)
    yield call("F.conv2d", normal(1, 4, 5, 5), normal(8, 1, 3, 3), stride=2, groups=4)
    yield call("F.conv2d", normal(1, 4, 4, 4), normal(6, 2, 1, 1), normal(6), groups=2)
    yield call("F.conv2d", normal(1, 2, 5, 6), normal(3, 2, 2, 3), padding="same", dilation=2)
    yield call("F.conv2d", normal(1, 2, 5, 6), normal(3, 2, 2, 3), padding="valid")
    yield call("F.conv2d", normal(2, 4, 5), normal(3, 2, 3, 3))
    yield call("F.conv3d", normal(1, 2, 3, 4, 4), normal(3, 2, 2, 3, 3), normal(3))
    yield call(
        "F.conv3d",
        normal(1, 2, 3, 5, 4),
        normal(2, 1, 2, 3, 2),
        stride=(1, 2, 1),
        padding=1,
        dilation=(2, 1, 1),
        groups=2,
    )
    yield call("F.conv_transpose1d", normal(2, 3, 5), normal(3, 4, 3))
    yield call(
        "F.conv_transpose1d",
        normal(2, 4, 5),
        normal(4, 2, 3),
        normal(4),
        stride=3,
        padding=1,
        output_padding=2,
        groups=2,
        dilation=2,
    )
    yield call("F.conv_transpose2d", normal(1, 3, 4, 3), normal(3, 2, 3, 2), normal(2))
    yield call("F.conv_transpose2d", normal(1, 2, 4, 4), normal(2, 3, 3, 3), stride=2, padding=1, output_padding=1)
    yield call(
        "F.conv_transpose2d",
        normal(1, 4, 3, 4),
        normal(4, 2, 2, 3),
        stride=(2, 1),
        padding=(1, 0),
        groups=2,
        dilation=(1, 2),
    )
    yield call("F.conv_transpose2d", normal(1, 4, 3, 3), normal(4, 1, 4, 4), stride=2, padding=1, groups=4)
    yield call(
        "F.conv_transpose3d",
        normal(1, 2, 2, 3, 3),
        normal(2, 2, 2, 2, 3),
        normal(2),
        stride=2,
        padding=1,
        output_padding=(1, 0, 1),
    )


def pooling() -> Iterator[Call]:
    """Pooling in one to three dimensions."""
    line, image, volume = distinct(2, 3, 9), distinct(1, 2, 6, 7), distinct(1, 2, 4, 5, 4)
    yield call("F.max_pool1d", line, 3)
    yield call("F.max_pool1d", line, 3, 2, 1, dilation=2)
    yield call("F.max_pool2d", image, 2)
    yield call("F.max_pool2d", image, 3, 2, 1)
    yield call("F.max_pool2d", image, (3, 2), (2, 1), (1, 0), (1, 2))
    yield call("F.max_pool2d", image, 3, 2, ceil_mode=True)
    yield call("F.max_pool2d", image, 3, 2, 1, ceil_mode=True)
    yield call("F.max_pool2d", image, 2, return_indices=True)
    yield call("F.max_pool2d", distinct(2, 5, 5), 2)
    yield call("F.max_pool3d", volume, 2)
    yield call("F.max_pool3d", volume, (2, 3, 2), 2, (1, 1, 0), ceil_mode=True)
    yield call("F.avg_pool1d", line, 3)
    yield call("F.avg_pool1d", line, 3, 2, 1, ceil_mode=True, count_include_pad=False)
    for ceil_mode in (False, True):
        for count_include_pad in (False, True):
            yield call("F.avg_pool2d", image, 3, 2, 1, ceil_mode, count_include_pad)
    yield call("F.avg_pool2d", image, (2, 3))
    yield call("F.avg_pool2d", image, 3, 2, 1, divisor_override=5)
    yield call("F.avg_pool3d", volume, 2)
    yield call("F.avg_pool3d", volume, (2, 3, 2), 2, (1, 1, 0), ceil_mode=True, count_include_pad=False)
    yield call("F.lp_pool1d", uniform(0.1, 2, 2, 3, 9), 2.0, 3)
    yield call("F.lp_pool2d", uniform(0.1, 2, 1, 2, 6, 7), 2.0, 2)
    yield call("F.lp_pool2d", uniform(0.1, 2, 1, 2, 6, 7), 1.0, (3, 2), 2, ceil_mode=True)
    for kind in ("avg", "max"):
        yield call(f"F.adaptive_{kind}_pool1d", line, 4)
        yield call(f"F.adaptive_{kind}_pool2d", image, 1)
        yield call(f"F.adaptive_{kind}_pool2d", image, (4, 3))
        yield call(f"F.adaptive_{kind}_pool2d", image, (None, 5))
        yield call(f"F.adaptive_{kind}_pool3d", volume, (2, 3, 3))
    yield call("F.adaptive_max_pool2d", image, 2, return_indices=True)
    yield call("F.max_unpool1d", normal(1, 2, 3), indices([[[1, 2, 5], [0, 3, 4]]]), 2)
    yield call("F.max_unpool2d", normal(1, 1, 2, 2), indices([[[[0, 3], [9, 14]]]]), 2)
    yield call("F.max_unpool2d", normal(1, 1, 2, 2), indices([[[[0, 3], [11, 19]]]]), 2, output_size=(4, 5))
    yield call("F.max_unpool3d", normal(1, 1, 1, 2, 2), indices([[[[[0, 7], [12, 31]]]]]), 2)
    yield call(
        "F.fractional_max_pool2d",
        distinct(1, 2, 7, 7),
        2,
        output_size=(3, 4),
        _random_samples=constant(uniform(0.1, 0.9, 1, 2, 2)),
    )


def normalization() -> Iterator[Call]:
    """Normalization layers as functions."""
    for shape in ((4, 3), (3, 3, 4), (2, 3, 3, 2), (2, 3, 2, 2, 2)):
        for training in (True, False):
            statistics = constant(normal(3)), constant(uniform(0.5, 2, 3))
            yield call(
                "F.batch_norm", normal(*shape), *statistics, uniform(0.5, 1.5, 3), normal(3), training, 0.1, 1e-5
            )
    yield call("F.batch_norm", normal(4, 3), None, None, training=True, eps=1e-3)
    yield call(
        "F.batch_norm", normal(4, 3), constant(normal(3)), constant(uniform(0.5, 2, 3)), training=True, momentum=0.7
    )
    yield call("F.layer_norm", normal(2, 3, 4), (4,))
    yield call("F.layer_norm", normal(2, 3, 4), (3, 4), uniform(0.5, 1.5, 3, 4), normal(3, 4), 1e-3)
    yield call("F.rms_norm", normal(2, 3, 4), (4,), uniform(0.5, 1.5, 4))
    yield call("F.rms_norm", normal(2, 3, 4), (4,), eps=1e-3)
    yield call("F.group_norm", normal(2, 6, 3, 2), 3)
    yield call("F.group_norm", normal(2, 4, 5), 2, uniform(0.5, 1.5, 4), normal(4), 1e-3)
    yield call("F.instance_norm", normal(2, 3, 4, 2))
    yield call("F.instance_norm", normal(2, 3, 5), weight=uniform(0.5, 1.5, 3), bias=normal(3))
    yield call(
        "F.instance_norm",
        normal(2, 3, 5),
        constant(normal(3)),
        constant(uniform(0.5, 2, 3)),
        use_input_stats=False,
    )
    yield call("F.local_response_norm", normal(2, 5, 3, 2), 3)
    yield call("F.local_response_norm", normal(2, 5, 3, 2), 2, alpha=0.1, beta=0.5, k=2.0)


def images() -> Iterator[Call]:
    """Resizing, sampling and rearranging of images."""
    image = normal(1, 2, 4, 5)
    for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area"):
        yield call("F.interpolate", image, size=(7, 3), mode=mode)
        yield call("F.interpolate", image, scale_factor=2.0, mode=mode)
    for mode in ("bilinear", "bicubic"):
        yield call("F.interpolate", image, size=(7, 3), mode=mode, align_corners=True)
        yield call("F.interpolate", image, size=(3, 2), mode=mode, antialias=True)
    yield call("F.interpolate", image, scale_factor=(1.3, 0.7), mode="bilinear")
    yield call("F.interpolate", image, scale_factor=(1.3, 0.7), mode="bilinear", recompute_scale_factor=True)
    yield call("F.interpolate", image, scale_factor=1.6, mode="nearest")
    yield call("F.interpolate", normal(2, 3, 5), size=8, mode="linear")
    yield call("F.interpolate", normal(2, 3, 5), size=8, mode="linear", align_corners=True)
    yield call("F.interpolate", normal(2, 3, 5), scale_factor=2, mode="nearest")
    yield call("F.interpolate", normal(1, 2, 2, 3, 3), size=(3, 5, 4), mode="trilinear")
    yield call("F.interpolate", normal(1, 2, 2, 3, 3), size=(3, 5, 4), mode="nearest")
    yield call("F.upsample_nearest", image, scale_factor=2)
    yield call("F.upsample_bilinear", image, scale_factor=2)
    yield call("F.pixel_shuffle", normal(1, 8, 2, 3), 2)
    yield call("F.pixel_unshuffle", normal(1, 2, 4, 6), 2)
    yield call("F.channel_shuffle", normal(1, 6, 2, 2), 3)
    yield call("F.unfold", normal(1, 2, 4, 5), 2)
    yield call("F.unfold", normal(1, 2, 5, 5), (3, 2), dilation=(1, 2), padding=1, stride=2)
    yield call("F.fold", normal(1, 8, 6), (3, 4), 2)
    yield call("F.fold", normal(1, 8, 9), (4, 4), 2, padding=1, stride=2)
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding_mode in ("zeros", "border", "reflection"):
            for align_corners in (False, True):
                grid = uniform(-1.3, 1.3, 1, 3, 4, 2)
                yield call("F.grid_sample", image, grid, mode, padding_mode, align_corners)
    for align_corners in (False, True):
        yield call("F.affine_grid", normal(1, 2, 3), (1, 2, 3, 4), align_corners)


def padding() -> Iterator[Call]:
    """Padding of every mode."""
    image = normal(1, 2, 4, 5)
    yield call("F.pad", image, (1, 2))
    yield call("F.pad", image, (1, 2, 0, 3), "constant", 0.5)
    yield call("F.pad", image, (-1, 2, 1, -2))
    yield call("F.pad", normal(1, 2, 3, 3), (0, 1, 1, 0, 2, 1, 1, 0))
    for mode in ("reflect", "replicate", "circular"):
        yield call("F.pad", image, (1, 2, 3, 1), mode)
        yield call("F.pad", normal(1, 2, 5), (2, 3), mode)
    yield call("F.pad", normal(1, 1, 3, 3, 4), (1, 2, 1, 0, 0, 2), "replicate")
    yield call("F.pad", normal(1, 1, 3, 3, 4), (1, 2, 1, 0, 0, 2), "reflect")


def attention() -> Iterator[Call]:
    """Scaled dot-product attention."""
    q, k, v = normal(1, 2, 3, 4), normal(1, 2, 5, 4), normal(1, 2, 5, 3)
    yield call("F.scaled_dot_product_attention", q, k, v)
    yield call("F.scaled_dot_product_attention", q, k, v, scale=0.25)
    yield call("F.scaled_dot_product_attention", q, k, v, normal(3, 5))
    yield call("F.scaled_dot_product_attention", q, k, v, given([[True, False, True, True, True]] * 3, torch.bool))
    yield call("F.scaled_dot_product_attention", q, k, v, is_causal=True)
    yield call(
        "F.scaled_dot_product_attention",
        normal(1, 4, 3, 4),
        k,
        v,
        enable_gqa=True,
    )


def distances() -> Iterator[Call]:
    """Distances and similarities."""
    x, y = normal(3, 4), normal(3, 4)
    yield call("F.pairwise_distance", x, y)
    yield call("F.pairwise_distance", x, y, p=1.0, eps=1e-3, keepdim=True)
    yield call("F.cosine_similarity", x, y)
    yield call("F.cosine_similarity", x, y, dim=0, eps=1e-3)
    yield call("dist", constant(x), constant(y), 0)
    for p in (1, 2, 3, INF):
        yield call("dist", x, y, p)
    for p in (0.0, 1.0, 2.0, 3.0, INF):
        yield call("cdist", normal(3, 4), normal(2, 4), p)
    yield call("F.pdist", x)


def cells() -> Iterator[Call]:
    """One step of a recurrent network."""
    for function, gates in (("rnn_tanh_cell", 1), ("rnn_relu_cell", 1), ("gru_cell", 3), ("lstm_cell", 4)):
        state = (normal(2, 4), normal(2, 4)) if function == "lstm_cell" else normal(2, 4)
        weights = normal(4 * gates, 3), normal(4 * gates, 4)
        yield call(function, normal(2, 3), state, *weights, normal(4 * gates), normal(4 * gates))
        yield call(function, normal(2, 3), state, *weights)


def kinks() -> Iterator[Call]:
    """Elements right at a kink, a hinge or a tie, with the gradients that PyTorch gives there."""
    x = given([-1.0, -0.5, 0.0, 0.5, 1.0])
    yield call("clamp", x, min=-0.5)
    yield call("clamp", x, max=0.5)
    yield call("clamp", x, 0.5, 0.5)
    yield call("clamp", x, 0.5, -0.5)
    for function in ("F.celu", "F.selu", "F.hardshrink", "F.tanhshrink", "F.relu", "F.gelu", "abs", "sign", "F.softsign"):
        yield call(function, x)
    yield call("F.hardtanh", x, -0.5, 0.5)
    yield call("F.threshold", x, 0.5, 7.0)
    yield call("F.softplus", x, 2, 1)
    yield call("F.prelu", x, given([0.25]))
    zeros = given([0.0, 0.0, 0.0, 0.0, 0.0])
    yield call("F.l1_loss", x, zeros, reduction="none")
    yield call("F.smooth_l1_loss", x, zeros, beta=0.5, reduction="none")
    yield call("F.huber_loss", x, zeros, delta=0.5, reduction="none")
    yield call("F.huber_loss", x, zeros, delta=0.5, weight=constant(given([1.0, 2.0, 3.0, 0.5, 0.0])))
    target = constant(given([1.0, -1.0, 1.0, -1.0, -1.0]))
    yield call("F.margin_ranking_loss", x, zeros, target, margin=0.5, reduction="none")
    yield call("F.hinge_embedding_loss", x, target, margin=0.5, reduction="none")
    rows, columns = given([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]]), given([[0.0, 1.0], [0.0, 1.0], [4.0, -3.0]])
    yield call("F.cosine_embedding_loss", rows, columns, constant(given([-1.0, -1.0, 1.0])), reduction="none")
    far = given([[3.0, 0.0], [0.0, 3.0], [9.0, 4.0]])
    yield call("F.triplet_margin_loss", rows, columns, far, margin=1.0, p=1, eps=0.0, reduction="none")
    scores = given([[0.0, 1.0, 0.5, -0.5], [0.5, 0.5, -0.5, 1.5]])
    for p in (1, 2):
        yield call("F.multi_margin_loss", scores, indices([1, 3]), p=p, reduction="none")
    yield call("F.multilabel_margin_loss", scores, indices([[1, -1, 0, 0], [3, 0, -1, 2]]), reduction="none")
    ties = given([[1.0, 3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0], [2.0, 1.0, 2.0, 1.0]])
    for function in ("amax", "amin", "max", "min", "cummax", "cummin", "aminmax"):
        yield call(function, ties, **({"dim": 0} if function == "aminmax" else {"dim": 1}))
    for function in ("max", "min", "median", "nanmedian"):
        yield call(function, ties)
    yield call("sort", ties, dim=1, stable=True)
    yield call("sort", ties, dim=1, descending=True, stable=True)
    yield call("minimum", ties, given([2.0, 3.0, 3.0, 2.0]))
    yield call("F.max_pool1d", given([[[2.0, 2.0, 1.0, 1.0, 1.0, 3.0]]]), 3, stride=1)
    yield call("F.adaptive_max_pool1d", given([[[2.0, 2.0, 1.0, 1.0, 1.0]]]), 2)
    yield call("F.max_pool1d", normal(1, 2, 9), 2, padding=1, dilation=2)
    yield call("F.lp_pool1d", given([[[0.0, 0.0, 0.0, 3.0, 4.0, 0.0]]]), 2.0, 2)


def norms() -> Iterator[Call]:
    """Norms of every kind, also where they are 0."""
    x, nothing = normal(2, 3, 4), given([[0.0, 0.0, 0.0], [0.0, -2.0, 1.0]])
    for p in ("fro", 0, 1, 1.5, 2, -1, -2, INF, -INF):
        yield call("norm", x, p)
        yield call("norm", x, p, dim=(0, 2), keepdim=True)
    yield call("norm", x, "nuc", dim=(2, 0))
    yield call("norm", normal(3, 2), "nuc")
    yield call("norm", constant(normal(2, 3)), 2, dtype=torch.float64)
    for p in (0.5, 1, 1.5, 2, 3, INF, -INF):
        yield call("linalg.vector_norm", nothing, p, dim=1)
    yield call("linalg.vector_norm", constant(normal(2, 3)), 1, dim=0, keepdim=True, dtype=torch.float64)
    yield call("linalg.matrix_norm", given([[0.0, 0.0], [0.0, 0.0]]))
    yield call("linalg.matrix_norm", x, 1, dim=(0, 2), keepdim=True)
    yield call("linalg.matrix_norm", x, "nuc", dim=(2, 0), keepdim=True)
    yield call("linalg.norm", x)
    yield call("linalg.norm", x, dim=1)
    yield call("linalg.norm", normal(5), INF)
    yield call("linalg.norm", normal(3, 4), INF)
    yield call("linalg.norm", normal(3, 4), "nuc")
    yield call("linalg.norm", x, "fro", dim=(0, 1))
    yield call("linalg.norm", x, 3, dim=-1, keepdim=True)
    yield call("linalg.norm", x, -2, dim=(1, 2))
    yield call("F.normalize", nothing, dim=1)
    yield call("F.pairwise_distance", nothing, given([[0.0, 0.0, 0.0], [1.0, -2.0, 1.0]]), eps=0.0)
    yield call("F.cosine_similarity", nothing, normal(2, 3))
    yield call("cdist", nothing, given([[0.0, 0.0, 0.0], [0.0, -2.0, 1.0]]))
    yield call("dist", nothing, given([[0.0, 0.0, 0.0], [0.0, -2.0, 1.0]]))


def tables() -> Iterator[Call]:
    """Rows of tables that are shortened, or trained by how often they are taken; types that are asked for."""
    places = indices([[1, 4, 1], [0, 1, 4]])
    yield call("F.embedding", places, normal(6, 3), max_norm=0.75)
    yield call("F.embedding", places, normal(6, 3), padding_idx=-2, max_norm=0.5, norm_type=1.0)
    yield call("F.embedding", places, normal(6, 3), max_norm=0.5, norm_type=INF, scale_grad_by_freq=True)
    yield call("F.embedding", places, normal(6, 3), padding_idx=0, scale_grad_by_freq=True)
    for function in ("F.softmax", "F.log_softmax", "F.softmin"):
        yield call(function, constant(integers(-3, 4, 2, 3)), dim=1, dtype=torch.float64)
    yield call("nansum", constant(given([[1.5, NAN], [2.0, 3.0]])), dim=1, dtype=torch.float64)
    for stats in (True, False):
        yield call(
            "F.instance_norm",
            normal(2, 3, 4),
            constant(normal(3)),
            constant(uniform(0.5, 1.5, 3)),
            normal(3),
            normal(3),
            use_input_stats=stats,
            momentum=0.3,
            eps=1e-3,
        )


def alignments() -> Iterator[Call]:
    """Frames that spell targets: repeated symbols, sequences of any length, impossible ones, targets in one row."""
    frames = log_probabilities_over_time()
    repeated = indices([[1, 1, 3], [2, 2, 2]])
    for reduction in ("none", "mean", "sum"):
        yield call("F.ctc_loss", frames, repeated, [6, 6], [3, 2], reduction=reduction)
    yield call("F.ctc_loss", frames, repeated, [6, 4], [3, 3], reduction="none", zero_infinity=True)
    yield call("F.ctc_loss", frames, indices([3, 0, 1, 0, 3]), [6, 5], [2, 3], blank=2)
    yield call("F.ctc_loss", frames, indices([[1, 2, 3], [2, 1, 1]]), [6, 3], [0, 1], reduction="none")
    yield call("F.ctc_loss", uniform(-3, -0.5, 5, 3), indices([1, 2]), indices(5), indices(2))
