"""The cases of linalg.npz: factorizations at their edges, with numbers in f64."""

import collections
from collections.abc import Callable, Iterator
from typing import Any

import torch
from golden_functions import Call, Case, Random, call, constant, given, normal
from torch import Tensor

INF = float("inf")


def linalg_cases() -> Iterator[Case]:
    """All cases, each named after its function and its place among that function's cases."""
    numbers: collections.Counter[str] = collections.Counter()
    for function, args, kwargs in calls():
        stem = "linalg_" + function.rpartition(".")[2]
        yield Case(f"{stem}_{numbers[stem]}", "torch." + function, args, kwargs)
        numbers[stem] += 1


def calls() -> Iterator[Call]:
    """Batches, wide and tall matrices, one number, none, ill-conditioned ones, equal eigenvalues."""
    one, several = normal(1, 1), normal(2, 4, 4)
    hilbert = given([[1 / (i + j + 1) for j in range(4)] for i in range(4)])
    nothing = normal(2, 0, 0)
    for function in ("linalg.inv", "linalg.det", "linalg.slogdet", "linalg.matrix_exp"):
        for a in (one, several, nothing):
            yield call(function, a)
    yield call("linalg.det", given([[1.0, 2.0], [2.0, 4.0]]))
    yield call("linalg.slogdet", constant(given([[1.0, 2.0], [2.0, 4.0]])))
    yield call("linalg.det", hilbert)
    yield call("linalg.matrix_exp", given([[20.0, 1.0], [0.5, -30.0]]))
    yield call("linalg.matrix_exp", given([[0.0, 0.0], [0.0, 0.0]]))
    for power in (-2, 0, 1, 5):
        yield call("linalg.matrix_power", several, power)
    for shape in ((4, 2), (2, 4), (2, 3, 3), (3, 1), (1, 3)):
        yield call("linalg.qr", normal(*shape))
        yield call("linalg.svd", normal(*shape), full_matrices=False)
        yield call("linalg.svdvals", normal(*shape))
        yield call("linalg.lu", normal(*shape))
        yield call("linalg.pinv", normal(*shape))
    yield call("linalg.qr", normal(2, 4), mode="complete")
    yield call("linalg.qr", constant(normal(2, 4, 2)), mode="r")
    yield call("linalg.qr", normal(3, 0))
    yield call("linalg.svdvals", constant(normal(3, 0)))
    yield call("linalg.pinv", given([[1.0, 0.0], [0.0, 1.0]]))
    yield call("linalg.pinv", given([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]))
    yield call("linalg.pinv", hilbert)
    for a in (one, several, given([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]), hilbert):
        yield call("linalg.eigvalsh", a)
    yield call("linalg.eigvalsh", several, "U")
    yield call("linalg.eigh", several)
    yield call("linalg.eigh", several, "U")
    yield call("linalg.eigvals", several)
    yield call("linalg.eigvals", given([[0.0, 1.0], [-1.0, 0.0]]))
    yield call("linalg.eig", given([[2.0, 1.0], [0.5, -1.0]]))
    yield call("linalg.solve", several, normal(2, 4))
    yield call("linalg.solve", normal(3, 3), normal(3))
    yield call("linalg.solve", normal(3, 3), normal(2, 3, 2))
    yield call("linalg.solve", normal(2, 1, 3, 3), normal(2, 3, 2))
    yield call("linalg.solve", several, normal(2, 3, 4), left=False)
    yield call("linalg.solve", hilbert, normal(4, 2))
    yield call("linalg.solve", nothing, normal(2, 0, 3))
    upper = given([[2.0, 1.0, -0.5], [7.0, 1.0, 0.25], [7.0, 7.0, 1.5]])
    yield call("linalg.solve_triangular", upper, normal(2, 3, 2), upper=True)
    yield call("linalg.solve_triangular", upper, normal(2, 3), upper=True, left=False)
    yield call("linalg.solve_triangular", upper, normal(3, 2), upper=True, unitriangular=True)
    yield call("linalg.lstsq", normal(4, 2), normal(4, 3))
    yield call("linalg.lstsq", normal(2, 4), normal(2, 3))
    yield call("linalg.lstsq", given([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]), normal(3, 1))
    for p in ("fro", "nuc", 1, -1, 2, -2, INF, -INF):
        # PyTorch overwrites the inverse that the other gradients need.
        yield call("linalg.cond", normal(3, 3) if p in (2, -2) else constant(normal(3, 3)), p)
    yield call("linalg.matrix_norm", normal(2, 3, 3), "nuc")
    yield call("linalg.matrix_norm", given([[1.0, 2.0], [2.0, 4.0]]), "nuc")
    yield call("linalg.matrix_rank", constant(given([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])))
    yield call("linalg.matrix_rank", constant(normal(2, 3, 3)))
    yield call("linalg.multi_dot", [normal(5), normal(5, 3), normal(3, 4), normal(4, 2)])
    yield call("linalg.tensorinv", normal(2, 3, 6), ind=2)
    yield call("linalg.tensorsolve", normal(2, 3, 6), normal(2, 3))


def signs(x: Tensor, dim: int) -> Tensor:
    """What makes the first of the large numbers of each vector positive, as Lathe's vectors are."""
    is_large = x.abs() >= 0.9 * x.abs().amax(dim, keepdim=True)
    return x.gather(dim, is_large.int().argmax(dim, keepdim=True)).sign().detach()


def eigh(a: Tensor, uplo: str = "L") -> tuple[Tensor, Tensor]:
    """torch.linalg.eigh with the signs of Lathe's vectors."""
    w, v = torch.linalg.eigh(a, uplo)
    return w, v * signs(v, -2)


def svd(a: Tensor, full_matrices: bool) -> tuple[Tensor, Tensor, Tensor]:
    """torch.linalg.svd with the signs of Lathe's vectors."""
    u, s, vh = torch.linalg.svd(a, full_matrices=full_matrices)
    sign = signs(u, -2)
    return u * sign, s, vh * sign.mT


def eigvals(a: Tensor) -> tuple[Tensor, Tensor]:
    """The moments of torch.linalg.eigvals, which do not depend on their order."""
    w = torch.linalg.eigvals(a)
    return w.real.square().sum(-1), w.imag.square().sum(-1)


def eig(a: Tensor) -> tuple[Tensor, ...]:
    """torch.linalg.eig of a matrix with real eigenvalues, with the signs of Lathe's vectors."""
    w, v = torch.linalg.eig(a)
    return w.real, v.real * signs(v.real, -2)


def lstsq(a: Tensor, b: Tensor) -> Tensor:
    """The solution of torch.linalg.lstsq, with a gradient at every rank."""
    return torch.linalg.lstsq(a, b, driver="gelsd").solution if not a.requires_grad else torch.linalg.pinv(a) @ b


# What is compared of results that are not unique.
UNIQUE: dict[str, Callable[..., Any]] = {
    "torch.linalg.eigh": eigh,
    "torch.linalg.svd": svd,
    "torch.linalg.eigvals": eigvals,
    "torch.linalg.eig": eig,
    "torch.linalg.lstsq": lstsq,
}
