"""The networks that Lathe must support, as PyTorch modules with their inputs.

`NETWORKS` lists the full-size ones, `TINY` the small ones whose files are committed with the tests. Weights are random
but seeded, and scaled so that activations neither vanish nor explode.
"""

import itertools
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Network:
    """How to make one network and its inputs, and what to call them in the file."""

    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[], tuple[Tensor, ...]]
    input_names: Sequence[str] = ("input",)
    output_names: Sequence[str] = ("output",)
    exporters: Sequence[str] = ("ts", "dynamo", "raw")
    lowest_opset: int = 11
    """The first opset that the older exporter can write this network in."""
    batch: str | None = None
    """The symbol of the first dimension of every input and output, where it is left open."""
    prepare: Callable[[nn.Module, tuple[Tensor, ...]], None] | None = None
    """What gives the parameters their values, if not `randomize_norms`."""

    def make(self) -> tuple[nn.Module, tuple[Tensor, ...]]:
        """The module in evaluation mode and its inputs, the same on every call."""
        torch.manual_seed(zlib.crc32(self.name.encode()))
        module = self.build()
        inputs = self.inputs()
        (self.prepare or randomize_norms)(module, inputs)
        return module.eval(), inputs


def randomize_norms(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Gives every normalization layer random factors, and every batch norm the statistics of a random batch."""
    batch_norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    with torch.no_grad():
        for m in module.modules():
            if isinstance(m, (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)) and m.weight is not None:
                m.weight.uniform_(0.5, 1.5)
                m.bias.normal_(std=0.1)
        if batch_norms:
            for m in batch_norms:
                m.momentum = 1.0
            module.train()(*(torch.randn(4, *x.shape[1:]) for x in inputs))


class LeNet(nn.Module):
    """The LeNet of the design page."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), kernel_size=2)
        x = F.max_pool2d(F.relu(self.conv2(x)), kernel_size=2)
        x = x.flatten(start_dim=1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers of the given widths with ReLU between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def torchvision_models() -> ModuleType:
    """`torchvision.models`."""
    try:
        import torchvision
    except RuntimeError:
        # PyPI's wheel has its compiled operators linked to CUDA; without them the import lacks only these declarations.
        for operator in ("nms", "qnms"):
            torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float threshold) -> Tensor")
        import torchvision
    return torchvision.models


def torchvision_model(name: str, **settings: object) -> nn.Module:
    """A torchvision network with random weights."""
    return torchvision_models().get_model(name, weights=None, **settings)


def torchvision_networks() -> list["Network"]:
    """Every classification and segmentation network of torchvision, on images as small as it allows."""
    models = torchvision_models()
    return [
        *(classification(name) for name in models.list_models(module=models)),
        *(segmentation(name) for name in models.list_models(module=models.segmentation)),
    ]


def classification(name: str) -> "Network":
    """A classifier; transformers have their own size, and the oldest networks a pooling that only fits one."""
    families = {"alexnet": 224, "vgg": 224, "vit_": 224, "maxvit": 224, "inception": 160}
    size = next((size for family, size in families.items() if name.startswith(family)), 128)
    inputs = images(1, 3, size, size)
    return Network(name, lambda: torchvision_model(name), inputs, output_names=("logits",), prepare=enliven)


def segmentation(name: str) -> "Network":
    """A network that gives scores for every pixel."""
    inputs = images(1, 3, 128, 128)
    return Network(name, lambda: Scores(torchvision_model(name, weights_backbone=None)), inputs, prepare=enliven)


class Scores(nn.Module):
    """The scores among what torchvision's segmentation networks give."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)["out"]


def enliven(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Gives a network that is not trained results that depend on everything in it, and not on its rounding errors.

    Parameters that start as zeros or as one small number get random values; every layer's results have variance 1 on a
    random batch, whose statistics the batch norms get. As in trained networks, a batch norm's results are small beside
    what they are added to, and most of them positive: otherwise deep networks multiply errors by a thousand.
    """
    torch.backends.mha.set_fastpath_enabled(False)
    module.eval()
    hooks = []

    def scale(layer: nn.Module, _: tuple[Tensor, ...], y: Tensor) -> Tensor:
        factor = 1 / y.std()
        layer.weight *= factor
        if layer.bias is not None:
            layer.bias *= factor
        return y * factor

    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.min() == parameter.max() and parameter.abs().max() != 1:
                if name.endswith("layer_scale"):
                    parameter.uniform_(0.3, 0.7)
                else:
                    parameter.normal_(std=parameter[0].numel() ** -0.5 if parameter.dim() == 2 else 0.1)
        for layer in module.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                hooks.append(layer.register_forward_hook(scale))
            elif isinstance(layer, nn.BatchNorm2d):
                layer.weight.uniform_(0.2, 0.4)
                layer.bias.normal_(0.3, 0.1)
                layer.momentum = 1.0
                layer.train()
            elif isinstance(layer, (nn.LayerNorm, nn.GroupNorm)):
                layer.weight.uniform_(0.5, 1.5)
                layer.bias.normal_(std=0.1)
        module(*(torch.randn(4, *x.shape[1:]) for x in inputs))
    for hook in hooks:
        hook.remove()


class Attention(nn.Module):
    """Multi-head self-attention, spelt out as the BERT and GPT-2 implementations do, or by PyTorch's one function."""

    def __init__(self, width: int, heads: int, fused: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.fused = fused
        self.query = transformer_linear(width, width)
        self.key = transformer_linear(width, width)
        self.value = transformer_linear(width, width)
        self.output = transformer_linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
            y = torch.matmul(torch.softmax(scores + bias, dim=-1), v)
        return self.output(y.transpose(1, 2).reshape(x.shape))


def transformer_linear(fan_in: int, fan_out: int) -> nn.Linear:
    """A linear layer that keeps the variance, so that attention is not nearly uniform."""
    linear = nn.Linear(fan_in, fan_out)
    nn.init.normal_(linear.weight, std=fan_in**-0.5)
    nn.init.normal_(linear.bias, std=0.1)
    return linear


class BertLayer(nn.Module):
    """Attention and feed-forward, each followed by a residual sum and a layer norm."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.intermediate = transformer_linear(width, hidden)
        self.output = transformer_linear(hidden, width)
        self.output_norm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = self.attention_norm(x + self.attention(x, bias))
        return self.output_norm(x + self.output(F.gelu(self.intermediate(x))))


class Bert(nn.Module):
    """A BERT-like encoder: token ids and an attention mask to hidden states and a pooled vector."""

    def __init__(self, layers: int, width: int, heads: int, hidden: int, length: int, vocabulary: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(BertLayer(width, heads, hidden) for _ in range(layers))
        self.pooler = transformer_linear(width, width)
        self.register_buffer("position_ids", torch.arange(length).unsqueeze(0))

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(self.words(ids) + self.positions(self.position_ids[:, : ids.shape[1]]))
        bias = (1.0 - mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.layers:
            x = layer(x, bias)
        return x, torch.tanh(self.pooler(x[:, 0]))


def bert_inputs(length: int, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Random token ids, the last quarter of them masked."""
    mask = torch.ones(1, length, dtype=torch.int64)
    mask[:, 3 * length // 4 :] = 0
    return torch.randint(vocabulary, (1, length)), mask


class GptBlock(nn.Module):
    """Layer norm before causal attention and before the feed-forward part, each with a residual sum."""

    def __init__(self, width: int, heads: int, length: int, fused: bool) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, fused)
        self.ln_2 = nn.LayerNorm(width)
        self.c_fc = transformer_linear(width, 4 * width)
        self.c_proj = transformer_linear(4 * width, width)
        bias = torch.full((length, length), torch.finfo(torch.float32).min).triu(1)
        self.register_buffer("bias", None if fused else bias)

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias[: x.shape[1], : x.shape[1]]
        x = x + self.attn(self.ln_1(x), bias)
        return x + self.c_proj(F.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class Gpt(nn.Module):
    """A GPT-2-like decoder: token ids to logits, the output layer tied to the embedding."""

    def __init__(self, layers: int, width: int, heads: int, length: int, vocabulary: int, fused: bool = False) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(GptBlock(width, heads, length, fused) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.wte.weight, std=width**-0.5)
        self.head.weight = self.wte.weight

    def forward(self, ids: Tensor) -> Tensor:
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.ln_f(x))


class BasicBlock(nn.Module):
    """The residual block of ResNet-18."""

    def __init__(self, fan_in: int, fan_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, fan_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(fan_out)
        self.conv2 = nn.Conv2d(fan_out, fan_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(fan_out)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(fan_in, fan_out, 1, stride, bias=False), nn.BatchNorm2d(fan_out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A ResNet of basic blocks, its parameters named as torchvision's are, of any width and depth."""

    def __init__(self, width: int, blocks: Sequence[int], classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.stages = [f"layer{i + 1}" for i in range(len(blocks))]
        for i, (name, count) in enumerate(zip(self.stages, blocks)):
            first = BasicBlock(width, width, 1) if i == 0 else BasicBlock(width << i - 1, width << i, 2)
            rest = (BasicBlock(width << i, width << i, 1) for _ in range(count - 1))
            self.add_module(name, nn.Sequential(first, *rest))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(width << len(blocks) - 1, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        for name in self.stages:
            x = getattr(self, name)(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class TinyMobileNet(nn.Module):
    """Depthwise-separable blocks as in MobileNet 2 (ReLU6) and 3 (hard swish, squeeze and excitation)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.expand = nn.Sequential(nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU6())
        self.depthwise = nn.Sequential(
            nn.Conv2d(24, 24, 3, 1, 1, groups=24, bias=False), nn.BatchNorm2d(24), nn.ReLU6()
        )
        self.project = nn.Sequential(nn.Conv2d(24, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.strided = nn.Sequential(nn.Conv2d(8, 8, 5, 2, 2, groups=8, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.squeeze = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.Hardsigmoid()
        )
        self.fc = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.project(self.depthwise(self.expand(x)))
        x = self.strided(x)
        x = x * self.squeeze(x)
        return self.fc(x.mean([2, 3]))


class TinyShuffleNet(nn.Module):
    """ShuffleNet 1's grouped convolutions with a channel shuffle, then ShuffleNet 2's channel split."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.grouped = nn.Sequential(nn.Conv2d(12, 12, 1, groups=3, bias=False), nn.BatchNorm2d(12), nn.ReLU())
        self.depthwise = nn.Sequential(nn.Conv2d(12, 12, 3, 1, 1, groups=12, bias=False), nn.BatchNorm2d(12))
        self.branch = nn.Sequential(nn.Conv2d(6, 6, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU())
        self.pool = nn.AvgPool2d(3, 2, 1)
        self.fc = nn.Linear(24, 10)

    @staticmethod
    def shuffle(x: Tensor, groups: int) -> Tensor:
        batch, channels, height, width = x.shape
        x = x.view(batch, groups, channels // groups, height, width)
        return torch.transpose(x, 1, 2).contiguous().view(batch, channels, height, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = F.relu(x + self.depthwise(self.shuffle(self.grouped(x), 3)))
        kept, changed = x.chunk(2, dim=1)
        x = self.shuffle(torch.cat((kept, self.branch(changed)), dim=1), 2)
        x = torch.cat((self.pool(x), F.max_pool2d(x, 3, 2, 1)), dim=1)
        return self.fc(x.mean([2, 3]))


class TinyDecoder(nn.Module):
    """Ways of making an image larger: transposed convolution, interpolation, pixel shuffle; group and instance norm."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, 2, padding=1, padding_mode="reflect")
        self.group_norm = nn.GroupNorm(2, 8)
        self.up = nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1)
        self.instance_norm = nn.InstanceNorm2d(6, affine=True)
        self.grouped = nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1, groups=2)
        self.nearest = nn.Upsample(scale_factor=2, mode="nearest")
        self.bilinear = nn.Upsample(size=(16, 16), mode="bilinear", align_corners=False)
        self.aligned = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.shuffle = nn.PixelShuffle(2)
        self.merge = nn.Conv2d(4 + 3 + 2 + 3 + 3, 3, 3, padding=2, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        y = F.leaky_relu(self.group_norm(self.down(x)), 0.2)
        grown = self.grouped(F.elu(self.instance_norm(self.up(y))))
        parts = (grown, self.nearest(x), self.shuffle(self.nearest(y)), self.bilinear(x), self.aligned(x))
        return torch.sigmoid(self.merge(torch.cat(parts, dim=1)))


class TinyLoop(nn.Module):
    """A loop and a branch, which the older exporter writes as Loop and If when they are scripted."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Linear(4, 4)

    def forward(self, x: Tensor, count: Tensor) -> Tensor:
        for _ in range(int(count)):
            x = torch.tanh(self.cell(x))
        if bool(x.sum() > 0):
            x = x * 2.0
        else:
            x = x - 1.0
        return x


class TinyCond(nn.Module):
    """A branch in the form that the newer exporter writes as If."""

    def __init__(self) -> None:
        super().__init__()
        self.positive = nn.Linear(4, 3)
        self.negative = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cond(x.sum() > 0, lambda x: self.positive(x).relu(), lambda x: self.negative(x).sigmoid(), (x,))


def encoder_layer(norm_first: bool) -> nn.Module:
    """PyTorch's own encoder layer by its ordinary path; the wrapper hides arguments that the exporters would trace."""
    torch.backends.mha.set_fastpath_enabled(False)
    layer = nn.TransformerEncoderLayer(32, 4, 64, 0.0, "gelu", batch_first=True, norm_first=norm_first)
    return nn.Sequential(layer)


def images(*shape: int) -> Callable[[], tuple[Tensor, ...]]:
    """Inputs: one normally distributed tensor."""
    return lambda: (torch.randn(shape),)


def vision(name: str, network: str) -> Network:
    """A torchvision classifier of one 224 x 224 image."""
    return Network(name, lambda: torchvision_model(network), images(1, 3, 224, 224), output_names=("logits",))


LSTM_OUTPUTS = ("output", "h_n", "c_n")

NETWORKS = [
    Network("lenet", LeNet, images(1, 1, 32, 32), output_names=("logits",)),
    Network("mlp", lambda: mlp(784, 512, 512, 10), images(1, 784), output_names=("logits",)),
    Network("mlp64", lambda: mlp(784, 512, 512, 10), images(64, 784), output_names=("logits",)),
    vision("resnet18", "resnet18"),
    vision("resnet50", "resnet50"),
    vision("mobilenet_v2", "mobilenet_v2"),
    vision("vgg11_bn", "vgg11_bn"),
    Network(
        "bert4",
        lambda: Bert(4, 768, 12, 3072, 128, 8000),
        lambda: bert_inputs(128, 8000),
        ("input_ids", "attention_mask"),
        ("last_hidden_state", "pooler_output"),
    ),
    Network(
        "gpt2_4",
        lambda: Gpt(4, 768, 12, 64, 8000),
        lambda: (torch.randint(8000, (1, 64)),),
        ("input_ids",),
        ("logits",),
    ),
    Network(
        "gpt2_4_sdpa",
        lambda: Gpt(4, 768, 12, 64, 8000, fused=True),
        lambda: (torch.randint(8000, (1, 64)),),
        ("input_ids",),
        ("logits",),
        lowest_opset=14,
    ),
    Network("lstm", lambda: nn.LSTM(64, 128, 2, batch_first=True), images(1, 50, 64), output_names=LSTM_OUTPUTS),
]

TINY = [
    Network("tiny_mlp_batch", lambda: mlp(12, 16, 5), images(3, 12), output_names=("logits",), batch="N"),
    Network("tiny_resnet", lambda: ResNet(8, (1, 1), 10), images(1, 3, 32, 32), output_names=("logits",)),
    Network("tiny_mobilenet", TinyMobileNet, images(1, 3, 16, 16), output_names=("logits",)),
    Network("tiny_shufflenet", TinyShuffleNet, images(1, 3, 16, 16), output_names=("logits",)),
    Network("tiny_decoder", TinyDecoder, images(1, 3, 8, 8)),
    Network(
        "tiny_bert",
        lambda: Bert(1, 32, 4, 64, 8, 40),
        lambda: bert_inputs(8, 40),
        ("input_ids", "attention_mask"),
        ("last_hidden_state", "pooler_output"),
    ),
    Network("tiny_encoder", lambda: encoder_layer(norm_first=False), images(2, 6, 32), lowest_opset=14),
    Network("tiny_encoder_pre", lambda: encoder_layer(norm_first=True), images(2, 6, 32), lowest_opset=14),
    Network(
        "tiny_gpt", lambda: Gpt(1, 16, 2, 8, 40), lambda: (torch.randint(40, (2, 8)),), ("input_ids",), ("logits",)
    ),
    Network(
        "tiny_gpt_batch",
        lambda: Gpt(1, 16, 2, 8, 40),
        lambda: (torch.randint(40, (3, 8)),),
        ("input_ids",),
        ("logits",),
        batch="N",
    ),
    Network(
        "tiny_gpt_sdpa",
        lambda: Gpt(1, 16, 2, 8, 40, fused=True),
        lambda: (torch.randint(40, (2, 8)),),
        ("input_ids",),
        ("logits",),
        lowest_opset=14,
    ),
    Network("tiny_lstm", lambda: nn.LSTM(5, 6, 2, batch_first=True), images(3, 7, 5), output_names=LSTM_OUTPUTS),
    Network(
        "tiny_lstm_bidirectional",
        lambda: nn.LSTM(5, 6, bidirectional=True),
        images(7, 3, 5),
        output_names=LSTM_OUTPUTS,
    ),
    Network("tiny_gru", lambda: nn.GRU(5, 6, 2, batch_first=True), images(3, 7, 5), output_names=("output", "h_n")),
    Network("tiny_rnn", lambda: nn.RNN(5, 6, bidirectional=True), images(7, 3, 5), output_names=("output", "h_n")),
    Network(
        "tiny_loop",
        lambda: torch.jit.script(TinyLoop()),
        lambda: (torch.randn(2, 4), torch.tensor(3)),
        ("input", "count"),
        exporters=("ts",),
    ),
    Network("tiny_cond", TinyCond, images(2, 4), exporters=("dynamo",)),
]
