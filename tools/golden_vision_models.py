#!/usr/bin/env python3
"""What torchvision's models are and give, for Tests/VisionTests/Goldens/models.json.

- `models`: for every model that Lathe has, how many numbers its parameters have, and a checksum of the names and shapes
  of its state;
- `outputs`: the scores that small models of every family give for two images, their weights and the images made by a
  formula (`filled`), which the tests have as well;
- `first_weights`: after `manual_seed(3)`, the first two numbers of every parameter and the sum of all magnitudes;
- `training`: the losses of three steps of two families in f64, and magnitudes of what they leave.
"""

import json
import pathlib
import sys
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(pathlib.Path(__file__).parent / "models"))
from networks import torchvision_models

models = torchvision_models()
EfficientNet = models.EfficientNet
FusedMBConvConfig, MBConvConfig = models.efficientnet.FusedMBConvConfig, models.efficientnet.MBConvConfig

FOLDER = pathlib.Path(__file__).parent.parent / "Tests/VisionTests/Goldens"
NAMES = sorted(name for name in models.list_models(module=models) if name.split("_")[0] in {
    "alexnet", "efficientnet", "googlenet", "inception", "mobilenet", "shufflenet", "vit", "wide"}
    or name.startswith(("densenet", "resnet", "resnext", "squeezenet", "vgg")))


def table() -> np.ndarray:
    """4093 numbers in -1 ..< 1."""
    state, numbers = 1, []
    for _ in range(4093):
        state = (state * 1664525 + 1013904223) % 2**32
        numbers.append(np.float32(state / 2**31 - 1))
    return np.array(numbers, np.float32)


TABLE = table()


def fnv(text: str) -> int:
    """The hash of a text, 32 bits."""
    hash = 0x811C9DC5
    for byte in text.encode():
        hash = (hash ^ byte) * 0x01000193 % 2**32
    return hash


def filled(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The content of a tensor: the table over and over, from where the name says, scaled to keep variances."""
    count = int(np.prod(shape))
    numbers = np.resize(np.roll(TABLE, -(fnv(name) % len(TABLE))), count)
    if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
        numbers = numbers * np.float32(0.5) + np.float32(1)
    elif len(shape) > 1 and name != "image":
        numbers = numbers * np.float32(np.sqrt(6 / np.prod(shape[1:])))
    elif len(shape) == 1:
        numbers = numbers * np.float32(0.125)
    return numbers.reshape(shape)


def fill(model: nn.Module) -> nn.Module:
    """Fills all that a model has, save counters."""
    state = {name: torch.from_numpy(filled(name, tuple(tensor.shape))) if tensor.dtype == torch.float32 else tensor
             for name, tensor in model.state_dict().items()}
    model.load_state_dict(state)
    return model


def shortened(model: nn.Module, features: int) -> nn.Module:
    """The model with one small linear layer in place of its large ones."""
    model.classifier = nn.Sequential(nn.Linear(features, 10))
    return model


def vit(**options: object) -> nn.Module:
    return models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=48, num_classes=10, **options)


def efficientnet(**options: object) -> nn.Module:
    stages = [FusedMBConvConfig(1, 3, 1, 8, 8, 1), FusedMBConvConfig(4, 3, 2, 8, 16, 2), MBConvConfig(6, 5, 2, 16, 24, 2)]
    return EfficientNet(stages, 0.0, num_classes=10, last_channel=64, **options)


def shufflenet() -> nn.Module:
    return models.ShuffleNetV2([1, 2, 1], [8, 16, 32, 64, 64], num_classes=10)


def densenet() -> nn.Module:
    return models.DenseNet(8, (2, 3), 16, num_classes=10)


def mobilenet_v3() -> nn.Module:
    return models.mobilenet_v3_small(width_mult=0.25, reduced_tail=True, num_classes=10)


def resnet(block: type, **options: object) -> nn.Module:
    return models.ResNet(block, [1, 2, 1, 1], num_classes=10, **options)


BASIC, BOTTLENECK = models.resnet.BasicBlock, models.resnet.Bottleneck
OUTPUTS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "alexnet": (lambda: shortened(models.alexnet(num_classes=10), 256 * 36), 64),
    "vgg11": (lambda: shortened(models.vgg11(num_classes=10, init_weights=False), 512 * 49), 32),
    "vgg13_bn": (lambda: shortened(models.vgg13_bn(num_classes=10, init_weights=False), 512 * 49), 32),
    "resnet_basic": (lambda: resnet(BASIC), 64),
    "resnet_bottleneck": (lambda: resnet(BOTTLENECK, groups=4, width_per_group=8), 64),
    "resnet_dilated": (lambda: resnet(
        BOTTLENECK, width_per_group=16, replace_stride_with_dilation=[False, True, True]), 64),
    "squeezenet1_0": (lambda: models.squeezenet1_0(num_classes=10), 64),
    "squeezenet1_1": (lambda: models.squeezenet1_1(num_classes=10), 64),
    "densenet": (densenet, 64),
    "inception_v3": (lambda: models.inception_v3(num_classes=10, transform_input=True, init_weights=False), 75),
    "googlenet": (lambda: models.googlenet(num_classes=10, aux_logits=False, init_weights=False), 64),
    "mobilenet_v2": (lambda: models.mobilenet_v2(width_mult=0.25, num_classes=10), 64),
    "mobilenet_v3_small": (mobilenet_v3, 64),
    "mobilenet_v3_large": (lambda: models.mobilenet_v3_large(width_mult=0.25, dilated=True, num_classes=10), 64),
    "shufflenet": (shufflenet, 64),
    "efficientnet": (efficientnet, 64),
    "efficientnet_b0": (lambda: models.efficientnet_b0(num_classes=10), 32),
    "vit": (vit, 32),
    "vit_represented": (lambda: vit(representation_size=24), 32),
}
FIRST_WEIGHTS: dict[str, Callable[[], nn.Module]] = {
    "squeezenet1_1": lambda: models.squeezenet1_1(num_classes=10), "densenet": densenet, "vit": vit,
    "vit_represented": lambda: vit(representation_size=24),
    "mobilenet_v2": lambda: models.mobilenet_v2(width_mult=0.25, num_classes=10), "mobilenet_v3_small": mobilenet_v3,
    "shufflenet": shufflenet, "efficientnet": efficientnet,
}
TRAINING: dict[str, Callable[[], nn.Module]] = {
    "shufflenet": shufflenet, "efficientnet": lambda: efficientnet(stochastic_depth_prob=0.0)}


def described(model: nn.Module) -> dict[str, int]:
    lines = sorted(f"{name} {list(tensor.shape)}" for name, tensor in model.state_dict().items())
    return {"numbers": sum(p.numel() for p in model.parameters()), "checksum": fnv("\n".join(lines))}


def trained(model: nn.Module) -> dict[str, object]:
    model = fill(model).double().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    image = torch.from_numpy(filled("image", (4, 3, 32, 32))).double()
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(image), torch.tensor([1, 7, 3, 0]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "state": {
        name: tensor.double().abs().sum().item() for name, tensor in model.state_dict().items()}}


def main() -> None:
    with torch.device("meta"):
        shapes = {name: described(models.get_model(
            name, **({"init_weights": False} if name in ("googlenet", "inception_v3") else {}))) for name in NAMES}
    outputs = {}
    for name, (make, size) in OUTPUTS.items():
        model = fill(make()).eval()
        with torch.no_grad():
            scores: Tensor = model(torch.from_numpy(filled("image", (2, 3, size, size))))
        outputs[name] = {"size": size, "scores": scores.flatten().tolist()}
        print(f"{name}: {scores.abs().max():.3g}, differing by {(scores[0] - scores[1]).abs().max():.3g}")
    first = {}
    for name, make in FIRST_WEIGHTS.items():
        torch.manual_seed(3)
        first[name] = {key: [*tensor.flatten()[:2].tolist(), tensor.double().abs().sum().item()]
                       for key, tensor in make().named_parameters()}
    training = {name: trained(make()) for name, make in TRAINING.items()}
    for name, result in training.items():
        print(name, result["losses"])
    golden = {"models": shapes, "outputs": outputs, "first_weights": first, "training": training}
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "models.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
