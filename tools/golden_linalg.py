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
    yield from factors()
    yield from systems()
    yield from measures()


def factors() -> Iterator[Call]:
    """Packed factors and what is solved by them, whole singular vectors, reflectors."""
    for shape in ((3, 3), (2, 4, 4), (4, 2), (2, 4), (1, 1)):
        yield call("linalg.lu_factor", normal(*shape))
        yield call("lu_unpack", normal(*shape))
        yield call("linalg.svd", constant(normal(*shape)), full_matrices=True)
    yield call("linalg.lu_factor", constant(given([[1.0, 2.0], [2.0, 4.0]])))
    for left in (True, False):
        for adjoint in (True, False):
            yield call("linalg.lu_solve", normal(2, 3, 3), normal(2, 3, 3), left=left, adjoint=adjoint)
    yield call("linalg.lu_solve", normal(3, 3), normal(2, 3, 1))
    yield call("linalg.householder_product", normal(4, 3), normal(3))
    yield call("linalg.householder_product", normal(2, 3, 3), normal(2, 2))
    yield call("linalg.householder_product", normal(3, 2), normal(0))
    yield call("linalg.cholesky", given([[4.0, 9.0], [1.0, 3.0]]), upper=False)
    yield call("linalg.eigvals", normal(2, 3, 3))
    yield call("linalg.eigvals", normal(1, 1))
    yield call("linalg.eigvals", normal(2, 0, 0))
    yield call("linalg.eig", given([[3.0, 1.0, 0.0], [0.5, -1.0, 0.25], [0.0, 0.5, 1.0]]))
    for upper in (False, True):
        triangular = constant(given([[2.0, 0.0, 0.0], [0.5, 1.0, 0.0], [-1.0, 0.25, 1.5]]))
        if upper:
            triangular = constant(given([[2.0, 0.5, -1.0], [0.0, 1.0, 0.25], [0.0, 0.0, 1.5]]))
        yield call("cholesky_inverse", triangular, upper=upper)
        yield call("cholesky_solve", normal(3, 2), triangular, upper=upper)
        yield call("cholesky_solve", normal(2, 3, 1), triangular, upper=upper)


def systems() -> Iterator[Call]:
    """Triangular systems with every flag, least squares by every driver, systems of tensors."""
    full = given([[2.0, 1.0, -0.5], [7.0, 1.0, 0.25], [3.0, -7.0, 1.5]])
    for upper in (False, True):
        for left in (False, True):
            for unitriangular in (False, True):
                flags = {"upper": upper, "left": left, "unitriangular": unitriangular}
                yield call("linalg.solve_triangular", full, normal(2, 3, 3), **flags)
    deficient = constant(given([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]))
    graded = constant(given([[1.0, 0.0, 0.0], [0.0, 0.25, 0.0], [0.0, 0.0, 0.0625]]))
    for driver in ("gels", "gelsy", "gelsd", "gelss"):
        yield call("linalg.lstsq", constant(normal(2, 5, 3)), constant(normal(2, 5, 2)), driver=driver)
        yield call("linalg.lstsq", constant(normal(2, 4)), constant(normal(2, 1)), driver=driver)
        yield call("linalg.lstsq", constant(normal(3, 3)), constant(normal(3, 1)), driver=driver)
        if driver != "gels":
            yield call("linalg.lstsq", deficient, constant(normal(3, 2)), driver=driver)
            yield call("linalg.lstsq", graded, constant(normal(3, 1)), rcond=0.125, driver=driver)
    yield call("linalg.lstsq", normal(4, 2), normal(4, 2), driver="gels")
    yield call("linalg.lstsq", normal(2, 3), normal(2, 2), driver="gels")
    yield call("linalg.tensorsolve", normal(4, 2, 2), normal(4))
    yield call("linalg.tensorsolve", normal(2, 3, 2, 3), normal(2, 3))
    yield call("linalg.tensorinv", normal(4, 2, 2), ind=1)
    yield call("linalg.tensorinv", normal(2, 2, 4))
    yield call("inverse", normal(2, 3, 3))


def measures() -> Iterator[Call]:
    """Determinants, powers, norms, condition numbers and ranks with every argument; vectors."""
    singular = constant(given([[1.0, 2.0], [2.0, 4.0]]))
    several, negative = normal(2, 3, 3), given([[0.0, 2.0], [1.0, 0.5]])
    for function in ("det", "linalg.slogdet", "slogdet"):
        yield call(function, several)
        yield call(function, negative)
    yield call("logdet", given([[2.0, 1.0], [0.5, 1.0]]))
    yield call("logdet", constant(negative))
    yield call("logdet", singular)
    for power in (-1, -3, 2, 6):
        yield call("linalg.matrix_power", several, power)
    yield call("linalg.matrix_power", normal(1, 1), -2)
    yield call("linalg.matrix_power", normal(0, 0), 3)
    yield call("linalg.matrix_exp", given([[0.0, 3.0], [-3.0, 0.0]]))
    yield call("linalg.matrix_exp", given([[0.0, 1e-5], [0.0, 0.0]]))
    yield call("linalg.multi_dot", [normal(2, 5), normal(5, 3), normal(3, 4), normal(4, 1)])
    yield call("linalg.multi_dot", [normal(3), normal(3, 4)])
    yield call("linalg.multi_dot", [normal(3, 4), normal(4)])
    for p in (None, "fro", "nuc", 1, -1, 2, -2, INF, -INF):
        yield call("linalg.cond", constant(several), p)
    yield call("linalg.cond", constant(normal(4, 2)))
    yield call("linalg.cond", constant(normal(2, 4)), -2)
    ranks = constant(given([[1.0, 0.0, 0.0], [0.0, 0.25, 0.0], [0.0, 0.0, 0.0625]]))
    yield call("linalg.matrix_rank", ranks, atol=0.25)
    yield call("linalg.matrix_rank", ranks, rtol=0.125)
    yield call("linalg.matrix_rank", ranks, atol=0.03125, rtol=0.5)
    yield call("linalg.matrix_rank", constant(given([[0.0, 7.0], [-2.0, 0.0]])), hermitian=True)
    yield call("linalg.matrix_rank", constant(normal(2, 0, 3)))
    yield call("pinverse", normal(4, 2))
    yield call("pinverse", ranks, 0.125)
    yield call("linalg.pinv", ranks, atol=0.25)
    yield call("linalg.pinv", ranks, atol=0.03125, rtol=0.5)
    yield call("linalg.pinv", given([[2.0, 1.0], [1.0, -3.0]]), hermitian=True)
    yield call("linalg.pinv", given([[2.0, 5.0], [1.0, 0.5]]), hermitian=True)
    yield call("linalg.pinv", constant(normal(0, 3)))
    for order in (None, 1, 2, INF, -INF, 0.5):
        yield call("linalg.norm", normal(4), order)
    for order in (None, "fro", "nuc", 1, -2, INF):
        yield call("linalg.norm", normal(3, 4), order)
    yield call("linalg.norm", normal(2, 3, 4), 1, dim=(0, 2), keepdim=True)
    yield call("linalg.norm", normal(2, 3), None, dim=1)
    yield call("linalg.cross", normal(2, 3), normal(2, 3))
    yield call("linalg.cross", normal(3, 1, 2), normal(3, 4, 1), dim=0)
    yield call("cross", normal(1, 3), normal(2, 3), dim=-1)
    yield call("linalg.vecdot", normal(2, 3, 2), normal(3, 1), dim=1)
    yield call("linalg.diagonal", normal(2, 3, 4))
    yield call("linalg.diagonal", normal(2, 3, 4), offset=-1, dim1=0, dim2=2)
    yield call("linalg.vander", given([0.0, 2.0, -0.5]))
    yield call("linalg.vander", normal(2, 3), N=5)
    yield call("linalg.vander", normal(3), N=2)
    yield call("vander", constant(normal(3)))
    yield call("vander", constant(normal(3)), 4, increasing=True)


def signs(x: Tensor, dim: int) -> Tensor:
    """What makes the first of the large numbers of each vector positive, as Lathe's vectors are."""
    is_large = x.abs() >= 0.9 * x.abs().amax(dim, keepdim=True)
    return x.gather(dim, is_large.int().argmax(dim, keepdim=True)).sign().detach()


def eigh(a: Tensor, uplo: str = "L") -> tuple[Tensor, Tensor]:
    """torch.linalg.eigh with the signs of Lathe's vectors."""
    w, v = torch.linalg.eigh(a, uplo)
    return w, v * signs(v, -2)


def svd(a: Tensor, full_matrices: bool) -> tuple[Tensor, ...]:
    """torch.linalg.svd with the signs of Lathe's vectors."""
    u, s, vh = torch.linalg.svd(a, full_matrices=full_matrices)
    count = s.shape[-1]
    sign = signs(u[..., :count], -2)
    found = u[..., :count] * sign, s, vh[..., :count, :] * sign.mT
    # What completes the vectors is not unique, but the space that it spans is.
    return (*found, u @ u.mT - found[0] @ found[0].mT, vh.mT @ vh - found[2].mT @ found[2]) if full_matrices else found


def eigvals(a: Tensor) -> tuple[Tensor, Tensor]:
    """The moments of torch.linalg.eigvals, which do not depend on their order."""
    w = torch.linalg.eigvals(a)
    return w.real.square().sum(-1), w.imag.square().sum(-1)


def eig(a: Tensor) -> tuple[Tensor, ...]:
    """torch.linalg.eig of a matrix with real eigenvalues, with the signs of Lathe's vectors."""
    w, v = torch.linalg.eig(a)
    return w.real, v.real * signs(v.real, -2)


def lstsq(a: Tensor, b: Tensor, rcond: float | None = None, driver: str | None = None) -> Tensor | tuple[Tensor, ...]:
    """The solution of torch.linalg.lstsq, with a gradient at every rank; with a driver, all that it finds."""
    if driver is None:
        return torch.linalg.lstsq(a, b, driver="gelsd").solution if not a.requires_grad else torch.linalg.pinv(a) @ b
    found = torch.linalg.lstsq(a, b, rcond=rcond, driver=driver)
    residuals = found.residuals
    if a.shape[-2] > a.shape[-1] and driver != "gelsy" and residuals.numel() == 0:
        residuals = (a @ found.solution - b).square().sum(-2)  # PyTorch has none where the rank is not full
    return tuple(x for x in (found.solution, residuals, found.rank, found.singular_values) if x.numel() > 0)


def lu_factor(a: Tensor) -> tuple[Tensor, Tensor]:
    """torch.linalg.lu_factor, of singular matrices too."""
    lu, pivots, _ = torch.linalg.lu_factor_ex(a)
    return lu, pivots


def lu_unpack(a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """torch.lu_unpack of what torch.linalg.lu_factor finds."""
    return torch.lu_unpack(*torch.linalg.lu_factor(a))


def lu_solve(a: Tensor, b: Tensor, left: bool = True, adjoint: bool = False) -> Tensor:
    """torch.linalg.lu_solve by what torch.linalg.lu_factor finds."""
    return torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b, left=left, adjoint=adjoint)


# What is compared of results that are not unique.
UNIQUE: dict[str, Callable[..., Any]] = {
    "torch.linalg.eigh": eigh,
    "torch.linalg.svd": svd,
    "torch.linalg.eigvals": eigvals,
    "torch.linalg.eig": eig,
    "torch.linalg.lstsq": lstsq,
    "torch.linalg.lu_factor": lu_factor,
    "torch.lu_unpack": lu_unpack,
    "torch.linalg.lu_solve": lu_solve,
}
