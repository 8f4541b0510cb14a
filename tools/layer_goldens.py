"""Writes Tests/NNTests/Goldens/layers.npz: one forward and backward pass of every layer with options that are no defaults.

    .venv/bin/python tools/layer_goldens.py

Per case, as in the files of goldens.py, behind the case's name and a slash: input/I, param/NAME, buffer/NAME, output/I,
cotangent/I, grad/NAME and, of what a pass changes, after/NAME, computed in f64. Modules are in training mode.
"""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from goldens import flattened, normal, on_grid, randomize, stored


def image(*shape: int) -> list[Tensor]:
    return [normal(*shape)]


def pair(*shape: int) -> list[Tensor]:
    return [normal(*shape), normal(*shape)]


def signs(*shape: int) -> Tensor:
    return torch.where(torch.rand(shape) < 0.5, -1.0, 1.0)


def unit(*shape: int) -> Tensor:
    return on_grid(torch.rand(shape) * 0.8 + 0.1)


def weights(count: int) -> Tensor:
    return unit(count)


def classes(count: int, *shape: int) -> Tensor:
    return torch.randint(0, count, shape)


def pooled(spatial: int, *shape: int, size: int = 2, **options: int) -> list[Tensor]:
    """The elements and places that pooling finds."""
    pool = [nn.functional.max_pool1d, nn.functional.max_pool2d, nn.functional.max_pool3d][spatial - 1]
    values, places = pool(normal(*shape), size, **options, return_indices=True)
    return [values, places]


class WeightedBags(nn.EmbeddingBag):
    """A bag whose weights are the second input."""

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        return super().forward(x, per_sample_weights=weights)


class MaskedAttention(nn.MultiheadAttention):
    """Attention whose masks are inputs, and whose weights are by head."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(
            query, key, value, key_padding_mask=padding, attn_mask=mask, average_attn_weights=False)


Make = Callable[[], tuple[nn.Module, Sequence[Tensor]]]

CASES: dict[str, Make] = {
    "conv1d": lambda: (nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2, bias=False), image(2, 4, 9)),
    "conv2d": lambda: (nn.Conv2d(2, 3, (3, 2), padding=(1, 2), padding_mode="reflect"), image(2, 2, 5, 6)),
    "conv2d_same": lambda: (nn.Conv2d(2, 3, 3, padding="same", padding_mode="circular"), image(1, 2, 4, 5)),
    "conv3d": lambda: (nn.Conv3d(2, 2, 2, stride=(1, 2, 1), padding=1, padding_mode="replicate"), image(1, 2, 3, 4, 3)),
    "conv_transpose1d": lambda: (
        nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, bias=False), image(2, 4, 5)),
    "conv_transpose2d": lambda: (nn.ConvTranspose2d(2, 3, (3, 2), stride=2, dilation=(1, 2)), image(2, 2, 3, 4)),
    "conv_transpose3d": lambda: (nn.ConvTranspose3d(2, 2, 2, stride=2, padding=1), image(1, 2, 3, 3, 2)),
    "max_pool1d": lambda: (nn.MaxPool1d(3, stride=2, padding=1, dilation=2), image(2, 3, 9)),
    "max_pool2d": lambda: (nn.MaxPool2d((3, 2), stride=2, padding=1, ceil_mode=True), image(2, 2, 6, 5)),
    "max_pool3d": lambda: (nn.MaxPool3d(2, stride=(1, 2, 2)), image(1, 2, 3, 4, 4)),
    "avg_pool1d": lambda: (nn.AvgPool1d(3, stride=2, padding=1, count_include_pad=False), image(2, 3, 8)),
    "avg_pool2d": lambda: (nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, divisor_override=5), image(2, 2, 6, 6)),
    "avg_pool3d": lambda: (nn.AvgPool3d(2, stride=1, divisor_override=3), image(1, 2, 3, 3, 4)),
    "adaptive_max_pool1d": lambda: (nn.AdaptiveMaxPool1d(3), image(2, 2, 7)),
    "adaptive_max_pool2d": lambda: (nn.AdaptiveMaxPool2d((2, 3)), image(2, 2, 5, 7)),
    "adaptive_max_pool3d": lambda: (nn.AdaptiveMaxPool3d(2), image(1, 2, 3, 4, 5)),
    "adaptive_avg_pool1d": lambda: (nn.AdaptiveAvgPool1d(3), image(2, 2, 7)),
    "adaptive_avg_pool2d": lambda: (nn.AdaptiveAvgPool2d((2, 3)), image(2, 2, 5, 7)),
    "adaptive_avg_pool3d": lambda: (nn.AdaptiveAvgPool3d(2), image(1, 2, 3, 4, 5)),
    "lp_pool1d": lambda: (nn.LPPool1d(2, 3, stride=2), image(2, 2, 8)),
    "lp_pool2d": lambda: (nn.LPPool2d(1, 2, ceil_mode=True), image(1, 2, 5, 4)),
    "lp_pool3d": lambda: (nn.LPPool3d(2, 2, stride=1), image(1, 1, 3, 3, 4)),
    "max_unpool1d": lambda: (nn.MaxUnpool1d(2), pooled(1, 2, 2, 6)),
    "max_unpool2d": lambda: (nn.MaxUnpool2d(2, stride=2), pooled(2, 2, 2, 4, 6)),
    "max_unpool3d": lambda: (nn.MaxUnpool3d(2), pooled(3, 1, 2, 4, 2, 4)),
    "elu": lambda: (nn.ELU(0.5), image(3, 4)),
    "celu": lambda: (nn.CELU(0.5), image(3, 4)),
    "leaky_relu": lambda: (nn.LeakyReLU(0.2), image(3, 4)),
    "gelu": lambda: (nn.GELU("tanh"), image(3, 4)),
    "softplus": lambda: (nn.Softplus(2, 1), image(3, 4)),
    "softshrink": lambda: (nn.Softshrink(0.3), image(3, 4)),
    "hardshrink": lambda: (nn.Hardshrink(0.3), image(3, 4)),
    "hardtanh": lambda: (nn.Hardtanh(-0.5, 0.7), image(3, 4)),
    "threshold": lambda: (nn.Threshold(0.1, -2), image(3, 4)),
    "prelu": lambda: (nn.PReLU(4, init=0.3), image(3, 4)),
    "relu6": lambda: (nn.ReLU6(), image(3, 4)),
    "selu": lambda: (nn.SELU(), image(3, 4)),
    "silu": lambda: (nn.SiLU(), image(3, 4)),
    "mish": lambda: (nn.Mish(), image(3, 4)),
    "hardswish": lambda: (nn.Hardswish(), image(3, 4)),
    "hardsigmoid": lambda: (nn.Hardsigmoid(), image(3, 4)),
    "sigmoid": lambda: (nn.Sigmoid(), image(3, 4)),
    "tanh": lambda: (nn.Tanh(), image(3, 4)),
    "log_sigmoid": lambda: (nn.LogSigmoid(), image(3, 4)),
    "softsign": lambda: (nn.Softsign(), image(3, 4)),
    "tanhshrink": lambda: (nn.Tanhshrink(), image(3, 4)),
    "softmax": lambda: (nn.Softmax(0), image(3, 4)),
    "log_softmax": lambda: (nn.LogSoftmax(0), image(3, 4)),
    "softmin": lambda: (nn.Softmin(0), image(3, 4)),
    "glu": lambda: (nn.GLU(0), image(4, 3)),
    "pixel_shuffle": lambda: (nn.PixelShuffle(2), image(1, 8, 2, 3)),
    "pixel_unshuffle": lambda: (nn.PixelUnshuffle(2), image(1, 2, 4, 6)),
    "flatten": lambda: (nn.Flatten(0, 1), image(2, 3, 4)),
    "bilinear": lambda: (nn.Bilinear(3, 4, 2, bias=False), [normal(5, 3), normal(5, 4)]),
    "batch_norm1d": lambda: (nn.BatchNorm1d(3, eps=1e-3, momentum=0.3, track_running_stats=False), image(4, 3, 5)),
    "batch_norm2d": lambda: (nn.BatchNorm2d(3, eps=1e-3, momentum=None), image(2, 3, 4, 3)),
    "batch_norm3d": lambda: (nn.BatchNorm3d(2, affine=False), image(2, 2, 2, 3, 3)),
    "batch_norm_weight": lambda: (nn.BatchNorm1d(3, bias=False), image(4, 3)),
    "instance_norm1d": lambda: (nn.InstanceNorm1d(3, eps=1e-3, affine=True), image(2, 3, 5)),
    "instance_norm2d": lambda: (nn.InstanceNorm2d(2, affine=True), image(2, 2, 3, 4)),
    "instance_norm3d": lambda: (nn.InstanceNorm3d(2, eps=1e-2), image(1, 2, 2, 3, 3)),
    "layer_norm": lambda: (nn.LayerNorm((3, 4), eps=1e-3, bias=False), image(2, 3, 4)),
    "rms_norm": lambda: (nn.RMSNorm(4, eps=1e-3), image(3, 4)),
    "group_norm": lambda: (nn.GroupNorm(2, 6, eps=1e-3), image(2, 6, 3)),
    "group_norm_weight": lambda: (nn.GroupNorm(3, 6, bias=False), image(2, 6, 3)),
    "local_response_norm": lambda: (nn.LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2), image(2, 5, 4)),
    "lstm_projected": lambda: (nn.LSTM(3, 5, 2, bidirectional=True, proj_size=2), image(4, 2, 3)),
    "gru_bidirectional": lambda: (nn.GRU(3, 4, 2, bias=False, bidirectional=True), image(4, 2, 3)),
    "rnn_unbatched": lambda: (nn.RNN(3, 4, nonlinearity="relu", bias=False), image(5, 3)),
    "lstm_cell": lambda: (nn.LSTMCell(3, 4, bias=False), image(2, 3)),
    "gru_cell": lambda: (nn.GRUCell(3, 4), [normal(2, 3), normal(2, 4)]),
    "gru_cell_zeros": lambda: (nn.GRUCell(3, 4, bias=False), image(3)),
    "rnn_cell": lambda: (nn.RNNCell(3, 4, bias=False, nonlinearity="relu"), [normal(2, 3), normal(2, 4)]),
    "embedding": lambda: (nn.Embedding(6, 3, padding_idx=-2), [torch.tensor([[1, 4, 1], [0, 5, 4]])]),
    "upsample": lambda: (nn.Upsample(scale_factor=1.7, mode="bicubic", align_corners=True), image(1, 2, 3, 4)),
    "upsample_size": lambda: (nn.Upsample(size=7, mode="linear"), image(1, 2, 4)),
    "upsampling_nearest2d": lambda: (nn.UpsamplingNearest2d(scale_factor=2), image(1, 2, 2, 3)),
    "upsampling_bilinear2d": lambda: (nn.UpsamplingBilinear2d(size=(5, 4)), image(1, 2, 2, 3)),
    "pairwise_distance": lambda: (nn.PairwiseDistance(p=1, eps=1e-3, keepdim=True), pair(3, 4)),
    "cosine_similarity": lambda: (nn.CosineSimilarity(dim=0, eps=1e-3), pair(3, 4)),
    "l1_loss": lambda: (nn.L1Loss(reduction="sum"), pair(3, 4)),
    "mse_loss": lambda: (nn.MSELoss(reduction="none"), pair(3, 4)),
    "smooth_l1_loss": lambda: (nn.SmoothL1Loss(reduction="sum", beta=0.5), pair(3, 4)),
    "huber_loss": lambda: (nn.HuberLoss(reduction="none", delta=0.5), pair(3, 4)),
    "cross_entropy_loss": lambda: (
        nn.CrossEntropyLoss(weights(4), ignore_index=2, reduction="sum", label_smoothing=0.1),
        [normal(5, 4), torch.tensor([0, 2, 1, 3, 3])]),
    "nll_loss": lambda: (
        nn.NLLLoss(weights(4), ignore_index=1), [normal(5, 4), torch.tensor([0, 2, 1, 3, 3])]),
    "kl_div_loss": lambda: (nn.KLDivLoss(reduction="batchmean", log_target=True), pair(3, 4)),
    "bce_loss": lambda: (nn.BCELoss(weights(4), reduction="sum"), [unit(3, 4), unit(3, 4)]),
    "bce_with_logits_loss": lambda: (
        nn.BCEWithLogitsLoss(weights(4), reduction="sum", pos_weight=weights(4)), [normal(3, 4), unit(3, 4)]),
    "poisson_nll_loss": lambda: (
        nn.PoissonNLLLoss(log_input=False, full=True, eps=1e-3, reduction="sum"), [unit(3, 4), unit(3, 4)]),
    "gaussian_nll_loss": lambda: (
        nn.GaussianNLLLoss(full=True, eps=1e-3, reduction="sum"), [normal(3, 4), normal(3, 4), unit(3, 4)]),
    "margin_ranking_loss": lambda: (
        nn.MarginRankingLoss(0.5, reduction="sum"), [normal(5), normal(5), signs(5)]),
    "hinge_embedding_loss": lambda: (nn.HingeEmbeddingLoss(0.5, reduction="sum"), [normal(3, 4), signs(3, 4)]),
    "soft_margin_loss": lambda: (nn.SoftMarginLoss(reduction="sum"), [normal(3, 4), signs(3, 4)]),
    "cosine_embedding_loss": lambda: (
        nn.CosineEmbeddingLoss(0.2, reduction="sum"), [normal(5, 4), normal(5, 4), signs(5)]),
    "triplet_margin_loss": lambda: (
        nn.TripletMarginLoss(0.5, p=1.0, eps=1e-3, swap=True, reduction="sum"),
        [normal(3, 4), normal(3, 4), normal(3, 4)]),
    "multi_margin_loss": lambda: (
        nn.MultiMarginLoss(p=2, margin=0.5, weight=weights(4), reduction="sum"), [normal(5, 4), classes(4, 5)]),
    "multilabel_margin_loss": lambda: (
        nn.MultiLabelMarginLoss(reduction="sum"), [normal(2, 4), torch.tensor([[2, 0, -1, 1], [3, -1, 0, 0]])]),
    "multilabel_soft_margin_loss": lambda: (
        nn.MultiLabelSoftMarginLoss(weights(4), reduction="sum"), [normal(3, 4), (signs(3, 4) + 1) / 2]),
    "adaptive_log_softmax_bias": lambda: (
        nn.AdaptiveLogSoftmaxWithLoss(6, 10, [3, 6], div_value=2, head_bias=True), [normal(4, 6), classes(10, 4)]),
    "constant_pad1d": lambda: (nn.ConstantPad1d((2, -1), 3.5), image(2, 3, 5)),
    "constant_pad2d": lambda: (nn.ConstantPad2d(1, -0.5), image(2, 3, 4)),
    "constant_pad3d": lambda: (nn.ConstantPad3d((1, 0, 0, 2, 1, 1), 0.5), image(1, 2, 2, 3, 2)),
    "zero_pad1d": lambda: (nn.ZeroPad1d(2), image(2, 3, 4)),
    "zero_pad2d": lambda: (nn.ZeroPad2d((0, 1, 2, 0)), image(1, 2, 3, 3)),
    "zero_pad3d": lambda: (nn.ZeroPad3d(1), image(1, 2, 2, 2, 2)),
    "reflection_pad1d": lambda: (nn.ReflectionPad1d((2, 1)), image(3, 4)),
    "reflection_pad2d": lambda: (nn.ReflectionPad2d(1), image(1, 2, 3, 4)),
    "reflection_pad3d": lambda: (nn.ReflectionPad3d((1, 0, 1, 1, 0, 1)), image(1, 2, 2, 3, 3)),
    "replication_pad1d": lambda: (nn.ReplicationPad1d((3, 1)), image(3, 4)),
    "replication_pad2d": lambda: (nn.ReplicationPad2d(2), image(1, 2, 3, 4)),
    "replication_pad3d": lambda: (nn.ReplicationPad3d((1, 0, 1, 1, 0, 2)), image(1, 2, 2, 3, 3)),
    "circular_pad1d": lambda: (nn.CircularPad1d((3, 1)), image(2, 3, 4)),
    "circular_pad2d": lambda: (nn.CircularPad2d(2), image(1, 2, 3, 4)),
    "circular_pad3d": lambda: (nn.CircularPad3d((1, 0, 1, 1, 0, 2)), image(1, 2, 2, 3, 3)),
    "ctc_loss": lambda: (
        nn.CTCLoss(blank=2, reduction="sum", zero_infinity=True),
        [torch.log_softmax(normal(6, 2, 4), 2), torch.tensor([[1, 0, 3], [3, 3, 3]]), torch.tensor([6, 4]),
         torch.tensor([2, 3])]),
    "nll_loss_sum": lambda: (nn.NLLLoss(reduction="sum"), [normal(5, 4), classes(4, 5)]),
    "instance_norm_running": lambda: (
        nn.InstanceNorm1d(3, momentum=0.3, affine=True, track_running_stats=True, bias=False), image(2, 3, 5)),
    "instance_norm_unbatched": lambda: (nn.InstanceNorm2d(2, track_running_stats=True), image(2, 3, 4)),
    "layer_norm_plain": lambda: (nn.LayerNorm(4, elementwise_affine=False), image(3, 4)),
    "rms_norm_plain": lambda: (nn.RMSNorm((3, 4), elementwise_affine=False), image(2, 3, 4)),
    "group_norm_plain": lambda: (nn.GroupNorm(2, 4, affine=False), image(2, 4, 3)),
    "max_unpool1d_padded": lambda: (
        nn.MaxUnpool1d(2, stride=3, padding=1), pooled(1, 2, 2, 6, stride=3, padding=1)),
    "max_unpool3d_strided": lambda: (nn.MaxUnpool3d(2, stride=3), pooled(3, 1, 2, 5, 5, 8, stride=3)),
    "lstm_no_bias": lambda: (nn.LSTM(3, 4, bias=False, batch_first=True), image(2, 4, 3)),
    "gru_dropout": lambda: (nn.GRU(3, 4, 2, dropout=1.0), image(4, 2, 3)),
    "rnn_dropout": lambda: (nn.RNN(3, 4, 2, batch_first=True, dropout=1.0), image(2, 4, 3)),
    "upsample_recompute": lambda: (
        nn.Upsample(scale_factor=1.7, mode="linear", recompute_scale_factor=True), image(1, 2, 5)),
    "upsampling_nearest2d_size": lambda: (nn.UpsamplingNearest2d(size=(5, 7)), image(1, 2, 2, 3)),
    "upsampling_bilinear2d_factor": lambda: (nn.UpsamplingBilinear2d(scale_factor=1.5), image(1, 2, 3, 4)),
    "multihead_attention_no_bias": lambda: (nn.MultiheadAttention(4, 2, bias=False), [normal(3, 2, 4)] * 3),
    "multihead_attention_dropout": lambda: (nn.MultiheadAttention(4, 2, dropout=1.0), [normal(3, 2, 4)] * 3),
    "multihead_attention_sizes": lambda: (
        nn.MultiheadAttention(4, 2, kdim=3, vdim=5), [normal(3, 2, 4), normal(6, 2, 3), normal(6, 2, 5)]),
    "multihead_attention_added": lambda: (
        MaskedAttention(4, 2, add_bias_kv=True, add_zero_attn=True, batch_first=True), [normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 4), classes(2, 2, 5) > 0, classes(2, 3, 5) > 0]),
    "encoder_layer": lambda: (
        nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, layer_norm_eps=1e-3, bias=False), image(3, 2, 4)),
    "encoder": lambda: (
        nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), 2, norm=nn.LayerNorm(4), enable_nested_tensor=False),
        image(3, 2, 4)),
    "embedding_bag": lambda: (nn.EmbeddingBag(6, 3, padding_idx=1),
        [torch.tensor([[1, 4, 1], [0, 5, 4], [1, 1, 1]])]),
    "embedding_bag_offsets": lambda: (
        nn.EmbeddingBag(6, 3, mode="max", include_last_offset=True),
        [torch.tensor([1, 4, 2, 0, 5]), torch.tensor([0, 2, 2, 5])]),
    "embedding_bag_weights": lambda: (
        # Every row twice: PyTorch divides gradients by the number of another row's occurrences.
        WeightedBags(6, 3, mode="sum", max_norm=0.75, norm_type=1.0, scale_grad_by_freq=True),
        [torch.tensor([[1, 4, 1], [0, 4, 0]]), normal(2, 3)]),
    "rrelu": lambda: (nn.RReLU(0.25, 0.25), image(3, 4)),
    "embedding_max_norm": lambda: (
        nn.Embedding(6, 3, max_norm=0.75, norm_type=1.0, scale_grad_by_freq=True),
        [torch.tensor([[1, 4, 1], [0, 5, 4]])]),
}


def evaluate(module: nn.Module, inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """What a case stores."""
    is_loss = isinstance(module, nn.modules.loss._Loss)
    if not is_loss:
        randomize(module)
    inputs = [x.detach().requires_grad_(x.is_floating_point() and not (is_loss and i)) for i, x in enumerate(inputs)]
    result = {f"input/{i}": x for i, x in enumerate(inputs)}
    result |= {f"param/{name}": x.detach().clone() for name, x in module.named_parameters()}
    result |= {f"buffer/{name}": x.clone() for name, x in module.named_buffers()}
    outputs = flattened(module(*inputs))
    cotangents = [normal(*x.shape) for x in outputs]
    sum((x * y).sum() for x, y in zip(outputs, cotangents, strict=True)).backward()
    for i, (x, y) in enumerate(zip(outputs, cotangents, strict=True)):
        result |= {f"output/{i}": x, f"cotangent/{i}": y}
    for name, x in [*module.named_parameters(), *module.named_buffers()]:
        before = result[f"param/{name}" if f"param/{name}" in result else f"buffer/{name}"]
        if not torch.equal(before, x):
            result[f"after/{name}"] = x
    sources = {str(i): x for i, x in enumerate(inputs)} | dict(module.named_parameters())
    return result | {f"grad/{name}": x.grad for name, x in sources.items() if x.grad is not None}


def main() -> None:
    """Writes the file."""
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    tensors: dict[str, np.ndarray] = {}
    for name, make in CASES.items():
        torch.manual_seed(zlib.crc32(name.encode()))
        tensors |= {f"{name}/{key}": x for key, x in stored(evaluate(*make())).items()}
    np.savez_compressed(Path(__file__).resolve().parents[1] / "Tests/NNTests/Goldens/layers.npz", **tensors)


if __name__ == "__main__":
    main()
