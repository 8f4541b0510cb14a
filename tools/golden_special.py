"""The cases of special.npz: torch.special, torch.fft on pairs of real and imaginary parts, torch.distributions."""

import collections
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.special
import torch
from golden_functions import Call, Case, Random, call, constant, given, indices, normal, uniform
from torch import Tensor
from torch.distributions import kl_divergence

INF = float("inf")
NAN = float("nan")


def special_cases() -> Iterator[Case]:
    """All cases, each named after its function and its place among that function's cases."""
    numbers: collections.Counter[str] = collections.Counter()
    for group in (special, transforms, complex_numbers, distributions):
        for function, args, kwargs in group():
            stem = function.replace(".", "_")
            yield Case(f"{stem}_{numbers[stem]}", "torch." + function, args, kwargs)
            numbers[stem] += 1


def special() -> Iterator[Call]:
    """Both sides of what the approximations change at, edges, and products of gradients."""
    wide = given([-30.0, -12.5, -8.25, -7.5, -3.0, -0.25, 0.0, 0.25, 2.0, 7.75, 8.5, 30.0])
    for function in ("i0e", "i1e"):
        yield call(f"special.{function}", wide)
        yield call(f"special.{function}", constant(given([INF, NAN])))
    for function in ("i0", "i1"):
        yield call(f"special.{function}", given([-12.5, -8.25, -3.0, -0.25, 0.0, 0.25, 7.75, 8.5, 12.0]))
    for function in ("bessel_j0", "bessel_j1"):
        yield call(f"special.{function}", given([-20.0, -5.5, -4.75, -0.5, 0.0, 0.125, 4.5, 5.25, 11.0]))
    for function in ("bessel_y0", "bessel_y1"):
        yield call(f"special.{function}", given([0.125, 0.5, 2.0, 4.75, 5.25, 11.0]))
        yield call(f"special.{function}", constant(given([0.0, -1.0, NAN])))
    for function in ("k0", "k1"):
        for scaled in ("", "scaled_"):
            yield call(f"special.{scaled}modified_bessel_{function}", given([0.125, 0.5, 1.75, 2.25, 8.0]))
            yield call(f"special.{scaled}modified_bessel_{function}", constant(given([0.0, -1.0, NAN])))
    yield call("special.spherical_bessel_j0", given([-6.0, -0.625, -0.25, 0.0, 0.25, 0.75, 9.0]))
    yield call("special.spherical_bessel_j0", constant(given([INF, NAN])))
    yield call("special.airy_ai", given([-9.0, -3.0, -2.125, -2.0, 0.0, 1.0, 2.0, 2.125, 5.0]))
    yield call("special.erfcx", given([-3.0, -0.5, 0.0, 0.75, 1.25, 3.5, 4.5, 20.0]))
    yield call("special.erfcx", constant(given([INF, NAN, 100.0])))
    yield call("special.log_ndtr", given([-30.0, -6.0, -1.25, -0.75, 0.0, 2.0, 5.0]))
    yield call("special.ndtr", given([-6.0, -1.25, 0.0, 2.0]))
    yield call("special.ndtri", given([2.0**-10, 0.0625, 0.125, 0.25, 0.5, 0.75, 0.875, 0.9375]))
    yield call("special.ndtri", constant(given([0.0, 1.0, -0.5, 1.5, NAN, 1e-12])))
    yield call("special.entr", given([0.25, 1.0, 2.0]))
    yield call("special.entr", constant(given([-1.0, 0.0, INF, NAN])))
    yield call("special.multigammaln", uniform(2, 6, 5), 4)
    yield call("special.polygamma", 2, uniform(0.5, 4, 4))
    yield call("special.zeta", constant(given([1.5, 2.0, 3.5, 7.0, 20.0])), given([1.0, 0.5, 2.25, 12.0, 3.0]))
    yield call("special.zeta", given([1.5, 2.25, 3.5, 6.0]), given([1.0, 0.5, 2.25, 12.0]))
    yield call("special.zeta", constant(given([2.0, 3.0, 4.0, 2.0, 2.5, 1.0, 0.5])), constant(given([-0.5, -1.25, -2.5, -1.0, -0.5, 2.0, 2.0])))
    order = given([0.125, 0.5, 1.0, 3.0, 9.5, 20.0, 60.0, 99.0, 101.0, 150.0])
    for factor in (0.25, 0.9375, 1.125, 2.0):
        place = given([factor * max(x, 0.5) for x in order.values])
        for function in ("gammainc", "gammaincc"):
            yield call(f"special.{function}", order, place)
    edges = constant(given([0.0, 1.0, 0.0, 2.0, INF, -1.0, 1.0])), constant(given([1.0, 0.0, 0.0, INF, 1.0, 1.0, -1.0]))
    yield call("special.gammainc", *edges)
    yield call("special.gammaincc", *edges)
    for function in POLYNOMIALS:
        for degree in (0, 5):
            yield call(f"special.{function}", uniform(-0.9, 0.9, 4), degree)


POLYNOMIALS = [f"{shifted}chebyshev_polynomial_{kind}" for shifted in ("", "shifted_") for kind in "tuvw"] + [
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
]


def transforms() -> Iterator[Call]:
    """Lengths of every kind: one product, factors, a long prime; cut, continued, scaled; along every axis."""
    for function in ("fft", "ifft"):
        for size in (1, 2, 5, 8, 15):
            yield call(f"fft.{function}", normal(2, size, 2))
        for size in (96, 130, 257):
            yield call(f"fft.{function}", constant(normal(size, 2)))
        for norm in ("ortho", "forward"):
            yield call(f"fft.{function}", normal(6, 3, 2), dim=0, norm=norm)
        yield call(f"fft.{function}", normal(6, 2), n=4)
        yield call(f"fft.{function}", normal(6, 2), n=9)
    yield call("fft.fft", normal(269, 2))
    for function, pairs in (("rfft", False), ("irfft", True), ("hfft", True), ("ihfft", False)):
        last = (2,) if pairs else ()
        for size in (2, 5, 6, 72):
            yield call(f"fft.{function}", normal(2, size, *last))
        yield call(f"fft.{function}", normal(6, 3, *last), n=7, dim=0, norm="ortho")
        yield call(f"fft.{function}", normal(6, *last), n=4, norm="forward")
        yield call(f"fft.{function}", normal(4, *last), n=10)
    for function in ("fft2", "ifft2", "rfft2", "irfft2", "hfft2", "ihfft2"):
        last = () if function in ("rfft2", "ihfft2") else (2,)
        yield call(f"fft.{function}", normal(2, 4, 6, *last))
        yield call(f"fft.{function}", normal(4, 3, 5, *last), s=[3, 6], dim=[1, 0], norm="ortho")
    for function in ("fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn"):
        last = () if function in ("rfftn", "ihfftn") else (2,)
        yield call(f"fft.{function}", normal(2, 3, 4, *last))
        yield call(f"fft.{function}", normal(2, 3, 4, *last), s=[5, 6], norm="forward")
        yield call(f"fft.{function}", normal(2, 3, 4, *last), dim=[0])
    for n in (1, 6, 7):
        yield call("fft.fftfreq", n, d=0.5)
        yield call("fft.rfftfreq", n)
    for function in ("fftshift", "ifftshift"):
        yield call(f"fft.{function}", normal(4, 5))
        yield call(f"fft.{function}", normal(4, 5), dim=[1])


def complex_numbers() -> Iterator[Call]:
    """Parts and arithmetic of complex numbers."""
    z = normal(2, 3, 2)
    for function in ("real", "imag", "conj", "angle", "abs", "exp"):
        yield call(f"complex_pairs.{function}", z)
    yield call("complex_pairs.abs", given([[0.0, 0.0], [3.0, -4.0]]))
    for function in ("mul", "div", "matmul"):
        yield call(f"complex_pairs.{function}", normal(3, 3, 2), normal(3, 3, 2))
    yield call("complex", normal(2, 3), normal(2, 3))
    yield call("polar", uniform(0.5, 2, 2, 3), normal(2, 3))


def pairs(z: Any) -> Any:
    """A complex tensor as pairs; real ones stay."""
    return torch.view_as_real(z) if z.is_complex() else z


def on_pairs(function: Callable[..., Tensor], takes_pairs: bool = True) -> Callable[..., Tensor]:
    """A function of complex tensors as one of pairs."""

    def result(*args: Any, **kwargs: Any) -> Tensor:
        given = [torch.view_as_complex(x) if isinstance(x, Tensor) and takes_pairs else x for x in args]
        return pairs(function(*given, **kwargs).resolve_conj())

    return result


def known(value: Callable[..., np.ndarray], *derivatives: Callable[..., np.ndarray] | None) -> Callable[..., Tensor]:
    """A function of NumPy with its derivatives, for those that PyTorch has none of, or is less precise in."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, *inputs: Tensor) -> Tensor:
            context.save_for_backward(*inputs)
            return torch.from_numpy(np.asarray(value(*(x.detach().numpy() for x in inputs))))

        @staticmethod
        def backward(context: Any, gradient: Tensor) -> Any:
            arrays = [x.detach().numpy() for x in context.saved_tensors]
            return tuple(None if d is None else gradient * torch.from_numpy(d(*arrays)) for d in derivatives)

    return Function.apply


def numeric(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """The derivative by the first operand, by differences of fourth order."""

    def derivative(a: np.ndarray, *rest: np.ndarray) -> np.ndarray:
        h = 1e-3 * np.maximum(np.abs(a), 0.1)
        at = [function(a + step * h, *rest) for step in (-2, -1, 1, 2)]
        return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h)

    return derivative


def density(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The gamma distribution's density."""
    return np.exp((a - 1) * np.log(x) - x - scipy.special.gammaln(a))


S = scipy.special
# PyTorch's J and Y leave out the leading ones of Cephes's denominators: they are off by up to 6e-5.
SPECIAL: dict[str, Callable[..., Any]] = {
    "torch.special.bessel_j0": known(S.j0, lambda x: -S.j1(x)),
    "torch.special.bessel_j1": known(S.j1, lambda x: S.jvp(1, x)),
    "torch.special.bessel_y0": known(S.y0, lambda x: -S.y1(x)),
    "torch.special.bessel_y1": known(S.y1, lambda x: S.yvp(1, x)),
    "torch.special.modified_bessel_k0": known(S.k0, lambda x: -S.k1(x)),
    "torch.special.modified_bessel_k1": known(S.k1, lambda x: S.kvp(1, x)),
    "torch.special.scaled_modified_bessel_k0": known(S.k0e, lambda x: S.k0e(x) - S.k1e(x)),
    "torch.special.scaled_modified_bessel_k1": known(S.k1e, lambda x: S.k1e(x) - S.k0e(x) - S.k1e(x) / x),
    "torch.special.spherical_bessel_j0": known(
        lambda x: S.spherical_jn(0, x), lambda x: np.sign(x) * S.spherical_jn(0, np.abs(x), derivative=True)
    ),
    "torch.special.airy_ai": known(lambda x: S.airy(x)[0], lambda x: S.airy(x)[1]),
    "torch.special.zeta": lambda x, q: torch.special.zeta(x, q)
    if not (x.requires_grad or q.requires_grad)
    else known(S.zeta, numeric(S.zeta) if x.requires_grad else None, lambda x, q: -x * S.zeta(x + 1, q))(x, q),
    "torch.special.gammainc": known(S.gammainc, numeric(S.gammainc), density),
    "torch.special.gammaincc": known(S.gammaincc, numeric(S.gammaincc), lambda a, x: -density(a, x)),
    "torch.complex": lambda a, b: torch.view_as_real(torch.complex(a, b)),
    "torch.polar": lambda a, b: torch.view_as_real(torch.polar(a, b)),
}
SPECIAL |= {
    f"torch.fft.{name}": on_pairs(getattr(torch.fft, name), takes_pairs=name not in ("rfft", "rfft2", "rfftn", "ihfft", "ihfft2", "ihfftn", "fftshift", "ifftshift"))
    for name in (f"{form}{count}" for form in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft") for count in ("", "2", "n"))
}
SPECIAL |= {
    f"torch.complex_pairs.{name}": on_pairs(getattr(torch, name))
    for name in ("real", "imag", "conj", "angle", "abs", "exp", "mul", "div", "matmul")
}


def polynomial(name: str) -> Callable[..., Tensor]:
    """An orthogonal polynomial, whose derivative PyTorch lacks, by its coefficients."""

    def result(x: Tensor, degree: int) -> Tensor:
        places = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
        values = getattr(torch.special, name)(torch.from_numpy(places), degree).numpy()
        coefficients = np.polyfit(places, values, degree) if degree else values[:1]
        return sum(float(c) * x ** (degree - k) for k, c in enumerate(coefficients)) + 0 * x

    return result


SPECIAL |= {f"torch.special.{name}": polynomial(name) for name in POLYNOMIALS}

D = torch.distributions
# Each distribution with parameters of two, and a value.
MADE: dict[str, tuple[Callable[..., D.Distribution], list[Random], Random | None]] = {
    "Normal": (D.Normal, [normal(3), uniform(0.5, 2, 3)], normal(2, 3)),
    "LogNormal": (D.LogNormal, [normal(3), uniform(0.25, 1, 3)], uniform(0.25, 3, 2, 3)),
    "HalfNormal": (D.HalfNormal, [uniform(0.5, 2, 3)], uniform(0.1, 3, 2, 3)),
    "Uniform": (D.Uniform, [uniform(-2, -1, 3), uniform(1, 2, 3)], uniform(-0.9, 0.9, 2, 3)),
    "Exponential": (D.Exponential, [uniform(0.5, 2, 3)], uniform(0.1, 3, 2, 3)),
    "Laplace": (D.Laplace, [normal(3), uniform(0.5, 2, 3)], normal(2, 3)),
    "Gumbel": (D.Gumbel, [normal(3), uniform(0.5, 2, 3)], normal(2, 3)),
    "Cauchy": (D.Cauchy, [normal(3), uniform(0.5, 2, 3)], normal(2, 3)),
    "Gamma": (D.Gamma, [uniform(0.5, 3, 3), uniform(0.5, 2, 3)], uniform(0.25, 3, 2, 3)),
    "Chi2": (D.Chi2, [uniform(1, 5, 3)], uniform(0.25, 3, 2, 3)),
    "Beta": (D.Beta, [uniform(0.5, 3, 3), uniform(0.5, 3, 3)], uniform(0.125, 0.875, 2, 3)),
    "StudentT": (D.StudentT, [uniform(2.5, 6, 3), normal(3), uniform(0.5, 2, 3)], normal(2, 3)),
    "Dirichlet": (D.Dirichlet, [uniform(0.5, 3, 2, 3)], given([[0.125, 0.375, 0.5], [0.25, 0.5, 0.25]])),
    "MultivariateNormal": (
        lambda loc, tril: D.MultivariateNormal(loc, scale_tril=tril, validate_args=False),
        [normal(3), given([[1.0, 0.0, 0.0], [0.5, 0.75, 0.0], [-0.25, 0.5, 1.5]])],
        normal(2, 3),
    ),
    "Bernoulli": (lambda p: D.Bernoulli(probs=p), [uniform(0.125, 0.875, 3)], given([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])),
    "BernoulliLogits": (lambda p: D.Bernoulli(logits=p), [normal(3)], given([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])),
    "Categorical": (lambda p: D.Categorical(probs=p), [uniform(0.125, 0.875, 2, 3)], indices([0, 2])),
    "CategoricalLogits": (lambda p: D.Categorical(logits=p), [normal(2, 3)], indices([1, 2])),
    "OneHotCategorical": (
        lambda p: D.OneHotCategorical(logits=p),
        [normal(2, 3)],
        constant(given([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])),
    ),
    "Multinomial": (
        lambda p: D.Multinomial(4, logits=p),
        [normal(2, 3)],
        constant(given([[1.0, 2.0, 1.0], [4.0, 0.0, 0.0]])),
    ),
    "Poisson": (D.Poisson, [uniform(0.5, 4, 3)], constant(given([[0.0, 1.0, 5.0], [2.0, 3.0, 1.0]]))),
    "Binomial": (
        lambda p: D.Binomial(6, logits=p),
        [normal(3)],
        constant(given([[0.0, 1.0, 5.0], [6.0, 3.0, 1.0]])),
    ),
    "Geometric": (lambda p: D.Geometric(probs=p), [uniform(0.125, 0.875, 3)], constant(given([[0.0, 1.0, 5.0], [6.0, 3.0, 1.0]]))),
    "NegativeBinomial": (
        lambda n, p: D.NegativeBinomial(n, probs=p),
        [uniform(1, 4, 3), uniform(0.125, 0.875, 3)],
        constant(given([[0.0, 1.0, 5.0], [6.0, 3.0, 1.0]])),
    ),
    "Independent": (
        lambda loc, scale: D.Independent(D.Normal(loc, scale), 1),
        [normal(2, 3), uniform(0.5, 2, 2, 3)],
        normal(2, 3),
    ),
    "Mixture": (
        lambda logits, loc, scale: D.MixtureSameFamily(D.Categorical(logits=logits), D.Normal(loc, scale)),
        [normal(2, 3), normal(2, 3), uniform(0.5, 2, 2, 3)],
        normal(2),
    ),
    "Transformed": (
        lambda loc, scale: D.TransformedDistribution(
            D.Normal(loc, scale),
            [D.SigmoidTransform(), D.AffineTransform(1.0, -2.0), D.TanhTransform(), D.ExpTransform()],
            validate_args=False,
        ),
        [normal(3), uniform(0.5, 2, 3)],
        uniform(0.625, 1.75, 2, 3),
    ),
}
MOMENTS = {name for name in MADE if name not in ("Cauchy", "Categorical", "CategoricalLogits", "Transformed")}
ENTROPY = {name for name in MADE if name not in ("Poisson", "Binomial", "Multinomial", "NegativeBinomial", "Mixture", "Transformed")}
CDF = {"Normal", "LogNormal", "HalfNormal", "Uniform", "Exponential", "Laplace", "Gumbel", "Cauchy", "Gamma", "Chi2", "Mixture", "Transformed"}
ICDF = {"Normal", "LogNormal", "HalfNormal", "Uniform", "Exponential", "Laplace", "Gumbel", "Cauchy", "Transformed"}
KL = {"Normal", "LogNormal", "Uniform", "Exponential", "Laplace", "Gumbel", "Gamma", "Beta", "Dirichlet", "MultivariateNormal", "Bernoulli", "BernoulliLogits", "HalfNormal", "Chi2", "Categorical", "CategoricalLogits", "OneHotCategorical", "Poisson", "Binomial", "Geometric", "Independent"}


def distributions() -> Iterator[Call]:
    """The functions of every distribution, of its parameters and a value."""
    for name, (_, parameters, value) in MADE.items():
        yield call(f"distributions.{name}.log_prob", *parameters, value)
        if name in MOMENTS:
            yield call(f"distributions.{name}.mean", *parameters)
            yield call(f"distributions.{name}.variance", *parameters)
        if name in ENTROPY:
            yield call(f"distributions.{name}.entropy", *parameters)
        if name in CDF:
            yield call(f"distributions.{name}.cdf", *parameters, value)
        if name in ICDF:
            probability = uniform(0.125, 0.875, 2, 2 if name == "Mixture" else 3)
            yield call(f"distributions.{name}.icdf", *parameters, probability)
        if name in KL:
            others = parameters
            if name == "Uniform":
                others = [uniform(-3, -2.5, 3), uniform(2.5, 3, 3)]
            if name == "MultivariateNormal":
                others = [normal(3), given([[1.5, 0.0, 0.0], [0.25, 1.0, 0.0], [-0.5, 0.25, 0.75]])]
            yield call(f"distributions.{name}.kl", *parameters, *others)


def gamma_cdf(a: Tensor, rate: Tensor, x: Tensor) -> Tensor:
    """The share below, with the gradient by the order."""
    return SPECIAL["torch.special.gammainc"](*torch.broadcast_tensors(a, rate * x))


def method(name: str, function: str) -> Callable[..., Tensor]:
    """A function of a distribution's parameters, and of a value where it takes one."""
    make, parameters, _ = MADE[name]
    count = len(parameters)

    def result(*args: Tensor) -> Tensor:
        if function == "kl":
            return kl_divergence(make(*args[:count]), make(*args[count:]))
        if name == "Gamma" and function == "cdf":
            return gamma_cdf(args[0], args[1], args[2])
        if name == "Chi2" and function == "cdf":
            return gamma_cdf(args[0] / 2, torch.full_like(args[0], 0.5), args[1])
        member = getattr(make(*args[:count]), function)
        return member(*args[count:]) if callable(member) else member

    return result


SPECIAL |= {
    f"torch.distributions.{name}.{function}": method(name, function)
    for name in MADE
    for function in ("log_prob", "mean", "variance", "entropy", "cdf", "icdf", "kl")
}
