#!/usr/bin/env python3
"""Exports networks as .pt2 programs, and compares what Lathe makes of them with PyTorch.

    .venv/bin/python tools/models/pt2.py FOLDER [NETWORK...]                    small networks, for Tests/PT2Tests/Programs
    .venv/bin/python tools/models/pt2.py FOLDER --torchvision [NETWORK...] --lathe .build/release/lathe
    .venv/bin/python tools/models/pt2.py FOLDER --timm --transformers [NETWORK...] --lathe .build/release/lathe

Of each network FOLDER gets NAME.pt2, the training dialect, and for some NAME-aten.pt2, decomposed; and NAME.pt with the
inputs, the outputs, and where it has changed the state. With --lathe every program is run, and the outputs compared; of
archives of 50 MB and more the line also says how long `lathe info` takes, which imports them and counts.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from families import timm_networks, transformers_networks
from networks import TINY, Network, images, torchvision_models, torchvision_networks
from torch import Tensor, nn

DECOMPOSED = (
    "tiny_resnet", "tiny_mobilenet", "tiny_encoder", "tiny_gpt_sdpa", "tiny_vit", "tiny_training",
    "tiny_special", "tiny_algebra", "tiny_statistics", "tiny_fourier", "tiny_signals", "tiny_numbers", "tiny_writes",
)


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


class TinySpecial(nn.Module):
    """`torch.special`."""

    def forward(self, x: Tensor, y: Tensor, p: Tensor) -> tuple[Tensor, ...]:
        """One result of each, of any numbers, of positive ones and of shares of one."""
        special = torch.special
        unary = [
            special.erfc, special.erfcx, special.ndtr, special.log_ndtr, special.exp2, special.expit, special.i0,
            special.i0e, special.i1, special.i1e, special.bessel_j0, special.bessel_j1, special.modified_bessel_i0,
            special.modified_bessel_i1, special.spherical_bessel_j0, special.airy_ai, special.sinc, special.round,
            torch.isposinf, torch.isneginf, torch.fix, torch.absolute, torch.negative, torch.arctan, torch.arcsinh, torch.sgn,
        ]
        positive = [
            special.bessel_y0, special.bessel_y1, special.modified_bessel_k0, special.modified_bessel_k1,
            special.scaled_modified_bessel_k0, special.scaled_modified_bessel_k1, special.psi, special.digamma,
            special.gammaln, special.log1p, special.entr, torch.arccosh,
        ]
        polynomials = [
            special.chebyshev_polynomial_t, special.chebyshev_polynomial_u, special.chebyshev_polynomial_v,
            special.chebyshev_polynomial_w, special.hermite_polynomial_h, special.hermite_polynomial_he,
            special.laguerre_polynomial_l, special.legendre_polynomial_p, special.shifted_chebyshev_polynomial_t,
            special.shifted_chebyshev_polynomial_u, special.shifted_chebyshev_polynomial_v,
            special.shifted_chebyshev_polynomial_w,
        ]
        return (
            *(function(x) for function in unary), *(function(y + 1) for function in positive),
            *(function(p, 3) for function in polynomials), special.ndtri(p), special.erfinv(p), special.logit(p, 0.2),
            torch.arccos(p), torch.arcsin(p), torch.arctanh(p),
            special.polygamma(2, y), torch.polygamma(1, y), special.multigammaln(y + 3, 2), torch.mvlgamma(y + 3, 3),
            special.zeta(y + 1, p + 1), special.zeta(y + 1, 2.0), special.zeta(3.0, y), special.xlog1py(x, y),
            special.xlogy(x, y), special.xlog1py(x, 2.0), special.gammainc(y, p), special.gammaincc(y, p),
            torch.igamma(y, p), torch.igammac(y, p), special.logsumexp(x, -1), special.softmax(x, -1),
            special.log_softmax(x, -1), torch.heaviside(x, y), torch.ldexp(x, torch.tensor([1, 2, 3])),
            torch.float_power(y, 3), torch.arctan2(x, y), torch.isclose(x, x + p * 1e-5), torch.isin(x, x[1]),
            torch.clip(x, -0.5, 0.5), torch.divide(x, y), torch.subtract(x, y), x.greater(y), x.less_equal(0.1),
            x.not_equal(y),
        )


class TinyAlgebra(nn.Module):
    """`torch.linalg`, and products."""

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        """One result of each, of f32[2,3,3] and f32[2,3,2]."""
        linalg = torch.linalg
        spd = a @ a.mT + torch.eye(3)
        lower = linalg.cholesky(spd)
        values, vectors = linalg.eigh(spd)
        u, s, v = linalg.svd(b, full_matrices=False)
        q, r = linalg.qr(b)
        lu, pivots = linalg.lu_factor(spd)
        return (
            lower, lower @ lower.mT, values, vectors.abs(), s, u @ torch.diag_embed(s) @ v, q @ r, *linalg.slogdet(spd),
            linalg.eigvalsh(spd), linalg.svdvals(b), linalg.det(a), torch.logdet(spd), linalg.inv(spd), torch.inverse(spd),
            linalg.pinv(b), linalg.solve(spd, b), linalg.solve_triangular(lower, b, upper=False), torch.cholesky_solve(b, lower),
            torch.cholesky_inverse(lower), lu, linalg.lu_solve(lu, pivots, b), *linalg.lu(spd)[1:],
            linalg.matrix_exp(a), linalg.matrix_power(a, 3), linalg.multi_dot([a[0], a[1], b[0]]), linalg.matrix_norm(a),
            linalg.matrix_norm(a, "nuc"), linalg.matrix_norm(a, 1), linalg.norm(a), linalg.norm(a, 2, dim=(1, 2)),
            linalg.cond(spd), linalg.matrix_rank(b), linalg.vecdot(a, a), linalg.vander(b[0]), linalg.diagonal(a),
            linalg.tensorinv(a.reshape(2, 9)[:, :2], 1), linalg.tensorsolve(spd[0], b[0, :, 0]),
            linalg.householder_product(b, s),
            torch.tensordot(a, b, dims=([1], [1])), torch.vdot(a[0, 0], a[1, 0]), torch.addr(a[0], a[1, 0], b[1, :, 0]),
            torch.ger(a[0, 0], b[0, 0]), torch.block_diag(a[0], b[0]), torch.chain_matmul(a[0], b[0]), torch.dist(a, a + 1, 3),
        )


class TinyStatistics(nn.Module):
    """Statistics, orders, places and distances."""

    def forward(self, x: Tensor, y: Tensor, places: Tensor) -> tuple[Tensor, ...]:
        """One result of each, of f32[3,4], f32[3,4] and i64[3,4] in 0..<4."""
        edges = torch.tensor([-1.0, 0.0, 1.0])
        weights = torch.zeros(1)
        signs = x.sign()
        return (
            torch.trapezoid(x), torch.trapz(x, dx=2.0), torch.cumulative_trapezoid(x, dim=0),
            torch.quantile(x, 0.3, 1), torch.quantile(x, torch.tensor([0.1, 0.9]), interpolation="lower"),
            torch.nanquantile(x, 0.5, 0, keepdim=True), torch.nanmedian(x), *torch.nanmedian(x, 1), *torch.mode(places, 1),
            torch.msort(x), torch.bucketize(x, edges), torch.searchsorted(edges, x, right=True), torch.take(x, places),
            torch.vander(x[0], 3, True), torch.argwhere(places > 10), torch.atleast_3d(x), torch.atleast_1d(x.sum()),
            torch.fliplr(x), torch.flipud(x), *torch.hsplit(x, 2), *torch.vsplit(x, 3), torch.diagflat(x[0]),
            torch.diagonal_scatter(x, y[:, 0]), x.clone().fill_diagonal_(2.0), torch.renorm(x, 2, 0, 0.5),
            torch.cartesian_prod(x[0], y[0, :2]), torch.moveaxis(x, 0, 1), torch.ravel(x),
            x.index_reduce(0, places[:, 0] % 3, y, "mean"), torch.logspace(0, 1, 4) + x[0], torch.row_stack([x, y]),
            torch.fake_quantize_per_tensor_affine(x, 0.1, 3, -8, 7),
            torch.fake_quantize_per_channel_affine(x, torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 1, 2], dtype=torch.int32), 0, -8, 7),
            F.kl_div(x.log_softmax(1), y.softmax(1), reduction="batchmean"), F.kl_div(x.log_softmax(1), y.log_softmax(1), reduction="sum", log_target=True),
            F.poisson_nll_loss(x, y.abs()), F.hinge_embedding_loss(x, signs), F.margin_ranking_loss(x, y, signs, 0.1),
            F.multi_margin_loss(x, places[:, 0]), F.multilabel_margin_loss(x, places), F.soft_margin_loss(x, signs),
            F.triplet_margin_loss(x, y, x * y), F.cosine_embedding_loss(x, y, signs[:, 0], 0.2), F.pairwise_distance(x, y, keepdim=True),
            F.pdist(x),
            F.embedding_bag(places, y.T.reshape(4, 3), mode="mean"), F.embedding_bag(places.flatten(), y.T.reshape(4, 3), torch.tensor([0, 5]), mode="sum"),
            torch.lstm_cell(x, (x[:, :2], y[:, :2]), weights.new_ones(8, 4) * 0.1, weights.new_ones(8, 2) * 0.2)[0],
            torch.gru_cell(x, y[:, :2], weights.new_ones(6, 4) * 0.1, weights.new_ones(6, 2) * 0.2),
            torch.rnn_tanh_cell(x, y[:, :2], weights.new_ones(2, 4) * 0.1, weights.new_ones(2, 2) * 0.2),
            *torch.unique_consecutive(places.sort().values[0] // 2, return_counts=True),
            F.adaptive_max_pool3d(x.reshape(1, 1, 3, 2, 2), (2, 1, 2)), F.grid_sample(x.reshape(1, 1, 3, 2, 2), y.reshape(1, 2, 2, 1, 3), align_corners=False),
            torch.column_stack([x[:, 0], y]),
        )


class TinyFourier(nn.Module):
    """Complex numbers, and their transforms."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 5, dtype=torch.complex64))
        self.register_buffer("turns", torch.polar(torch.ones(6, 2), torch.arange(12.0).reshape(6, 2)))

    def forward(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        """One result of each, of f32[4,8], f32[4,8] and complex64[4,5]."""
        fft = torch.fft
        filtered = fft.irfft(fft.rfft(x, norm="ortho") * self.weight, n=8, norm="ortho")
        # A rotary embedding.
        pairs = torch.view_as_complex(x.reshape(2, 2, 4, 2)[:, :, :2])
        turned = torch.view_as_real(pairs * self.turns[:2].unsqueeze(0)).flatten(2)
        c = torch.complex(x, y)
        mixed = torch.einsum("ik,kj->ij", z, self.weight.T)
        shifted = fft.fftshift(fft.fft2(x), dim=(0, 1))
        return (
            filtered, turned, fft.fft(c, dim=0).real, fft.ifft(c, n=10).imag, fft.fftn(c).abs(), fft.ifftn(c).angle(),
            fft.ifft2(c).real, fft.hfft(z, 8), torch.view_as_real(fft.ihfft(x).resolve_conj()), fft.irfft2(fft.rfft2(x), s=(4, 8)),
            fft.irfftn(fft.rfftn(x)), fft.fftfreq(8) + x, fft.rfftfreq(8) + z.real, mixed, shifted.abs(),
            fft.ifft2(fft.ifftshift(shifted)).real, fft.fft2(x.reshape(2, 4, 4), dim=(1, 2)).real.sum(1), z,
            z * 2 + 1, z - x[:, :5], z / (self.weight + 3), z.conj().resolve_conj(), -z, z.exp(), z @ self.weight.mT.conj(),
            torch.cat([z, self.weight], 1)[:, 1:7:2].transpose(0, 1), z.sum(1), z.mean(0), (z * 1j).reshape(2, 10), z.abs() ** 2,
            x.to(torch.complex64) * z[:, :1], z.unsqueeze(0).expand(2, 4, 5)[1], torch.stack([z, z.flip(1)]), z.square(), z.real.atan2(z.imag),
            torch.stft(x, 4, 2, window=y[0, :4], return_complex=True).abs(),
        )


class TinySignals(nn.Module):
    """Windows, transforms of what they cut out, functions of complex numbers."""

    def forward(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        """One result of each, of f32[2,24], f32[4,5] and complex64[4,5]."""
        hann, hamming = torch.hann_window(8), torch.hamming_window(6, periodic=False)
        spectrum = torch.stft(x, 8, 2, window=hann, return_complex=True)
        short = torch.stft(x, 8, 4, 6, window=hamming, center=False, normalized=True, return_complex=True)
        both = torch.stft(x[0], 8, onesided=False, return_complex=True)
        w = torch.complex(y, y.flip(1))
        return (
            spectrum, short, both, torch.view_as_real(spectrum), torch.istft(spectrum * 2, 8, 2, window=hann),
            torch.istft(spectrum, 8, 2, window=hann, length=20), torch.istft(both, 8, onesided=False),
            torch.blackman_window(7) + x[0, :7], torch.bartlett_window(5) + x[0, :5], torch.kaiser_window(6, False, 4.0) + x[0, :6],
            torch.hamming_window(5, True, 0.6, 0.4) + x[0, :5], torch.hann_window(1) + x[0, :1],
            z.log(), z.sqrt(), z.sin(), z.cos(), z.sinh(), z.cosh(), z.tanh(), z.reciprocal(), z**3, z**-1.5, z ** (0.5 + 1j), z**w,
            torch.einsum("ij,ij,kj->ik", z, w, y * (1 + 0j)), torch.einsum("ij->ji", z),
        )


class TinyNumbers(nn.Module):
    """Whole numbers, mantissas, slices that differ, places of what was pooled, and old names of linear algebra."""

    def forward(self, x: Tensor, y: Tensor, places: Tensor) -> tuple[Tensor, ...]:
        """One result of each, of f32[3,4], f32[3,4] and i64[3,4] in 0..<4."""
        numbers, others = places * 6 - 6, places.flip(1) * 4
        positive = (x @ x.T) + 3 * torch.eye(3)
        image = torch.cat([x, y], 0).reshape(1, 2, 3, 4).repeat(1, 1, 2, 1)
        pooled, where = F.max_pool2d(image, 2, return_indices=True)
        cube, there = F.max_pool3d(image.reshape(1, 2, 3, 4, 2), 2, 1, return_indices=True)
        fractional, seen = torch.ops.aten.fractional_max_pool2d(image, [2, 2], [3, 2], torch.full((1, 2, 2), 0.4))
        rows = torch.tensor([[1, 2], [1, 2], [3, 1], [1, 2]]) + places[:1, :1] * 0
        return (
            torch.gcd(numbers, others), torch.lcm(numbers, others), *torch.frexp(x * 100), torch.frexp(x.double() * 1e-310)[0].float(),
            torch.trapezoid(y, x), torch.trapezoid(y, x[0]), torch.cumulative_trapezoid(y, x, dim=0), torch.trapezoid(y, x[:, 0], dim=0),
            *torch.unique_consecutive(rows, return_inverse=True, return_counts=True, dim=0),
            x.clone().put_(torch.tensor([1, 5]), y[0, :2]), x.put(torch.tensor([[0], [0]]), y[:2, :1], accumulate=True),
            torch.cross(x.T, y.T), F.max_unpool2d(pooled, where, 2), F.max_unpool3d(cube, there, 2, 1), fractional, seen,
            torch.triangular_solve(x[:, :2], positive)[0], torch.linalg.solve_ex(positive, x)[0],
            torch.nuclear_norm(x), torch.frobenius_norm(x, [0, 1]), torch.lu_solve(x, *torch.linalg.lu_factor(positive)),
            torch.svd(x, some=True)[1], torch.qr(positive)[1].abs(),
        )


class TinyTypes(nn.Module):
    """Integers that stay integers, bytes, negative places, masks and amounts that are larger or smaller than is common."""

    def forward(self, x: Tensor, n: Tensor, image: Tensor) -> tuple[Tensor, ...]:
        """One result of each, of f32[3,4], i32[3] and u8[1,2,4,5]."""
        bytes_, rows = n.to(torch.uint8), n.reshape(3, 1)
        places = torch.tensor([-1, 0, -2])
        return (
            torch.addcmul(n, n, n, value=-2), torch.addmm(rows, rows, rows[:1], beta=3, alpha=-2), torch.addbmm(rows, rows[None], rows[None, :1]),
            torch.addmv(n, n.outer(n), n, alpha=2), bytes_.index_add(0, torch.tensor([0, 2]), bytes_[:2], alpha=-1),
            bytes_.any(), bytes_.all(0), (n - 1).all(), torch.full((2,), True) & (n[:2] > 0), torch.scalar_tensor(3) + x[0],
            F.interpolate(image, scale_factor=1.7, mode="bilinear"), F.interpolate(image, (3, 2), mode="bicubic", align_corners=True),
            F.interpolate(image, (3, 2), mode="bilinear", antialias=True), F.interpolate(image, (4, 7), mode="bilinear"),
            torch.take(x, places), torch.take_along_dim(x, places[None, :2], 1), torch.take_along_dim(x, places + 3),
            x.index_fill(1, places[:2], x[0, 0]), x[0].masked_fill(x > 0, 2.0), x[1].masked_fill(x > 0, x[0, 0]),
            torch.diff(x, 0, prepend=x[:, :1]), F.pad(x, (-1, 2), mode="replicate"), F.pad(x[None], (-1, 2), mode="circular"),
            F.pad(x[None], (2, -1), mode="reflect"), F.cosine_similarity(x[:1, :3], x[:, :1], 0),
            F.embedding_bag(torch.tensor([0, 2, 1, 2]), x, torch.tensor([0, 2]), mode="sum", padding_idx=-1),
            torch.linalg.solve_triangular(x[:, :3], x[:, :0], upper=True), torch.linalg.solve(x[:, :3] + 3 * torch.eye(3), x[:, :0]),
        )


class TinyWrites(nn.Module):
    """Writes to complex memory, transforms of complex signals, counts of numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(4, dtype=torch.complex64))

    def forward(self, x: Tensor, z: Tensor, numbers: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
        """Of f32[3,4], complex64[3,40], i64[6] and f32[2,4,4]."""
        y = torch.zeros_like(z)
        y.copy_(z * 2)
        y[0] = z[1]
        y[:, 1] = 2
        y[1, 2:6].mul_(1j)
        y.index_put_((torch.tensor([1]), torch.tensor([0])), z[0, 0])
        y.real[2].add_(1)
        torch.view_as_real(y)[0, 3:5].zero_()
        turned = z.T.clone()
        turned.T[0].fill_(3)
        self.seen += z[0, :4]
        window = torch.hann_window(8)
        spectrum = torch.stft(z, 8, 4, window=window, return_complex=True)
        signal = torch.istft(spectrum, 8, 4, window=window, return_complex=True, onesided=False)
        chosen = torch.where(x[:, :1] > 0, z, torch.full_like(z, 1 - 2j))
        return (
            y, turned, spectrum, signal, chosen, z.masked_fill(x[:, :1] > 0, 2.0), F.bilinear(x, x + 1, weight),
            torch.bincount(numbers), torch.bincount(numbers, numbers * 0.5, minlength=7),
        )


class TinyItems(nn.Module):
    """Numbers that data decides, as numbers and as sizes."""

    def forward(self, x: Tensor, count: Tensor) -> tuple[Tensor, ...]:
        """Of f32[3] and i64[]."""
        number, slope = count.item(), x[1].item()
        torch._check(number >= 0)
        torch._check(number <= 8)
        return torch.zeros(number), torch.arange(number) * 2 + 1, x * number, x + slope, (count - 9).item() + x


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


class TinySlices(nn.Module):
    """Slices and tensors of sizes that data decides, one of them without a bound."""

    def forward(self, x, first, second):
        n, m = first.item(), second.item()
        torch._check(m >= 0)
        front, behind = x[:, :n], x[:, n:]
        steps = torch.arange(m) + torch.zeros(m)
        return front * 2, behind.softmax(1), front.sum(1), x[:, -3:n].sum(1), x[:, n::2], steps


class TinyAssertions(nn.Module):
    """What a program asserts of its data: two sizes that are equal, their ranges, a sum."""

    def forward(self, x: Tensor, first: Tensor, second: Tensor, row: Tensor) -> tuple[Tensor, ...]:
        """Of f32[8], three i64[] and f32[3]."""
        n, m = first.item(), second.item()
        torch._check(n >= 0)
        torch._check(n <= 8)
        torch._check(m >= 0)
        torch._check(m <= 8)
        torch._check(n == m)
        torch._assert_async(row.sum() > 0, "the row has a sum")
        return x[:n] + x[8 - m:], x * n, row + 1


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
    Network("tiny_special", TinySpecial, lambda: (torch.randn(2, 3), torch.rand(2, 3) + 0.2, torch.rand(2, 3) * 0.8 + 0.1)),
    Network("tiny_algebra", TinyAlgebra, lambda: (torch.randn(2, 3, 3), torch.randn(2, 3, 2))),
    Network("tiny_statistics", TinyStatistics, lambda: (torch.randn(3, 4), torch.randn(3, 4), torch.randint(0, 4, (3, 4)))),
    Network("tiny_fourier", TinyFourier, lambda: (torch.randn(4, 8), torch.randn(4, 8), torch.randn(4, 5, dtype=torch.complex64))),
    Network("tiny_signals", TinySignals, lambda: (torch.randn(2, 24), torch.randn(4, 5), torch.randn(4, 5, dtype=torch.complex64))),
    Network("tiny_numbers", TinyNumbers, lambda: (torch.randn(3, 4), torch.randn(3, 4), torch.randint(0, 4, (3, 4)))),
    Network(
        "tiny_types", TinyTypes,
        lambda: (torch.randn(3, 4), torch.tensor([5, -7, 2], dtype=torch.int32), torch.randint(0, 256, (1, 2, 4, 5), dtype=torch.uint8))),
    Network(
        "tiny_writes", TinyWrites,
        lambda: (
            torch.randn(3, 4), torch.randn(3, 40, dtype=torch.complex64), torch.tensor([0, 2, 5, 2, 4, 0]), torch.randn(2, 4, 4),
        )),
    Network("tiny_items", TinyItems, lambda: (torch.randn(3), torch.tensor(5))),
    Network(
        "tiny_assertions",
        TinyAssertions,
        lambda: (torch.randn(8), torch.tensor(5), torch.tensor(5), torch.tensor([1.0, 2.0, 3.0])),
    ),
    Network("tiny_slices", TinySlices, lambda: (torch.randn(2, 6), torch.tensor(2), torch.tensor(4))),
    Network("tiny_control", TinyControl, lambda: (torch.randn(3, 3), torch.randn(4, 3))),
    Network("tiny_memory", TinyMemory, lambda: (torch.randn(4, 3),)),
]


def pairs(x: Tensor) -> Tensor:
    """Complex numbers as the pairs that they are to Lathe."""
    return torch.view_as_real(x.resolve_conj()) if x.is_complex() else x


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
    state = {key: pairs(value) for key, value in state.values() if not torch.equal(value, module.state_dict()[key])}
    shapes = None
    if network.batch:
        shapes = tuple({0: torch.export.Dim("batch", min=1, max=1024)} for _ in inputs)
    program = torch.export.export(module, inputs, dynamic_shapes=shapes)
    flat = torch.utils._pytree.tree_leaves(outputs)
    torch.save({"inputs": [pairs(x) for x in inputs], "outputs": [pairs(x) for x in flat], "state": state}, folder / f"{network.name}.pt")
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


def import_time(lathe: str, path: Path) -> str:
    """The least of three times of a large program's import, for its line."""
    size = path.stat().st_size / 1e6
    if size < 50:
        return ""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([lathe, "info", path], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return f", {size:.0f} MB imported in {min(times):.2f} s"


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
    arguments = parser.parse_intermixed_args()
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
                seconds = import_time(arguments.lathe, path) if result.startswith("ok") else ""
                print(f"{path.stem}: {result}{seconds}", flush=True)
                if arguments.gradients:
                    result = compare_gradients(arguments.lathe, path, arguments.backend)
                    failed += not result.startswith("ok")
                    print(f"{path.stem}: gradients {result}", flush=True)
                if zoo and not arguments.keep and result.startswith("ok"):
                    path.unlink()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
