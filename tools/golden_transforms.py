#!/usr/bin/env python3
"""What torchvision makes of images, for Tests/VisionTests/Goldens/transforms.npz.

Usage: tools/golden_transforms.py

The images are input/NAME; a result is called TRANSFORM/IMAGE, and of a random one TRANSFORM/IMAGE/SEED. Results for u8 are
those of processors with AVX2.
"""

import pathlib

import numpy as np
import torch

# PyPI's torchvision may be built for another PyTorch; its operators are not needed.
try:
    import torchvision  # noqa: F401
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F
from torchvision.utils import make_grid

MODES = {
    "nearest": InterpolationMode.NEAREST,
    "nearestExact": InterpolationMode.NEAREST_EXACT,
    "bilinear": InterpolationMode.BILINEAR,
    "bicubic": InterpolationMode.BICUBIC,
    "lanczos": InterpolationMode.LANCZOS,
}


def images() -> dict[str, torch.Tensor]:
    """Pictures with smooth parts, flat parts and noise."""
    random = torch.Generator().manual_seed(0)

    def picture(*shape: int) -> torch.Tensor:
        y, x = torch.meshgrid(torch.arange(shape[-2]), torch.arange(shape[-1]), indexing="ij")
        channel = torch.arange(shape[0]).reshape(-1, 1, 1)
        image = 0.5 + 0.3 * torch.sin(y / 2.5 + channel) + 0.25 * torch.cos(x / 1.7 - channel)
        image = image + 0.1 * torch.randn(shape, generator=random)
        image[:, 1:3, 1:4] = 0.5
        image[:, -1] = 0
        return image.clamp(0, 1)

    return {
        "rgb": (picture(3, 13, 17) * 255.999).to(torch.uint8),
        "gray": (picture(1, 9, 12) * 255.999).to(torch.uint8),
        "float": picture(3, 8, 11),
        "batch": torch.stack([picture(3, 5, 4) for _ in range(5)]),
    }


def fixed() -> dict[str, object]:
    """Transforms without chance."""
    found = {
        "hflip": F.hflip,
        "vflip": F.vflip,
        "crop": lambda x: F.crop(x, 2, 1, 5, 6),
        "cropOutside": lambda x: F.crop(x, -2, 3, 20, 4),
        "centerCrop": lambda x: F.center_crop(x, [6, 7]),
        "centerCropLarger": lambda x: F.center_crop(x, [16, 5]),
        "pad": lambda x: F.pad(x, [1, 2, 3, 4], fill=0.25 if x.is_floating_point() else 7),
        "padEdge": lambda x: F.pad(x, 3, padding_mode="edge"),
        "padReflect": lambda x: F.pad(x, [2, 1], padding_mode="reflect"),
        "padSymmetric": lambda x: F.pad(x, [1, 2, 3, 4], padding_mode="symmetric"),
        "padNegative": lambda x: F.pad(x, [-1, 2, 3, -2]),
        "toTensor": lambda x: x.to(torch.float32).div(255) if x.dtype == torch.uint8 else x,
        "f32": lambda x: F.to_dtype(x, torch.float32, scale=True),
        "u8": lambda x: F.to_dtype(x, torch.uint8, scale=True),
        "i16": lambda x: F.to_dtype(x, torch.int16, scale=True),
        "grayscale": lambda x: F.rgb_to_grayscale(x, 1),
        "grayscale3": lambda x: F.rgb_to_grayscale(x, 3),
        "invert": F.invert,
        "resizedCrop": lambda x: F.resized_crop(x, 1, 2, 6, 5, [9, 4]),
        "resizeShorter": lambda x: F.resize(x, [7]),
        "resizeMax": lambda x: F.resize(x, [7], max_size=8),
    }
    for name in ("nearest", "bilinear"):
        mode = MODES[name]
        for angle in (90, 180, -30, 117.5):
            found[f"rotate.{name}.{angle}"] = lambda x, mode=mode, angle=angle: F.rotate(x, angle, mode)
        found[f"rotateExpanded.{name}"] = lambda x, mode=mode: F.rotate(x, 25, mode, expand=True, fill=[0.5])
        found[f"rotateCenter.{name}"] = lambda x, mode=mode: F.rotate(x, 40, mode, center=[3, 2], fill=[0.25])
        found[f"affine.{name}"] = lambda x, mode=mode: F.affine(x, 20, [2, -1], 1.3, [10, -5], mode)
    for name, mode in MODES.items():
        for size in ([5, 8], [20, 9], [26, 34]):
            for antialias in (True, False):
                if antialias or name in ("bilinear", "bicubic"):
                    suffix = "" if antialias else "Aliased"
                    found[f"resize.{name}{suffix}.{size[0]}x{size[1]}"] = (
                        lambda x, mode=mode, size=size, antialias=antialias: F.resize(x, size, mode, antialias=antialias)
                    )
    for factor in (0, 0.4, 1.7):
        found[f"brightness.{factor}"] = lambda x, factor=factor: F.adjust_brightness(x, factor)
        found[f"contrast.{factor}"] = lambda x, factor=factor: F.adjust_contrast(x, factor)
        found[f"saturation.{factor}"] = lambda x, factor=factor: F.adjust_saturation(x, factor)
        found[f"sharpness.{factor}"] = lambda x, factor=factor: F.adjust_sharpness(x, factor)
        found[f"gamma.{factor}"] = lambda x, factor=factor: F.adjust_gamma(x, factor, 1.1)
    for factor in (-0.5, -0.2, 0.1, 0.5):
        found[f"hue.{factor}"] = lambda x, factor=factor: F.adjust_hue(x, factor)
    return found


def chance() -> dict[str, object]:
    """Random transforms."""
    flips = [v2.RandomHorizontalFlip(1), v2.RandomVerticalFlip(1)]
    return {
        "RandomCrop": v2.RandomCrop(7),
        "RandomCropPadded": v2.RandomCrop((8, 10), padding=(2, 3), padding_mode="edge"),
        "RandomCropLarger": v2.RandomCrop((15, 6), pad_if_needed=True),
        "RandomResizedCrop": v2.RandomResizedCrop(6),
        "RandomResizedCropWide": v2.RandomResizedCrop((5, 9), scale=(0.9, 1), ratio=(3, 4), antialias=False),
        "RandomHorizontalFlip": v2.RandomHorizontalFlip(),
        "RandomVerticalFlip": v2.RandomVerticalFlip(0.3),
        "RandomGrayscale": v2.RandomGrayscale(0.5),
        "RandomApply": v2.RandomApply(flips),
        "RandomChoice": v2.RandomChoice(flips, p=[1, 3]),
        "RandomOrder": v2.RandomOrder([v2.RandomCrop(6), v2.ColorJitter(brightness=0.5), v2.RandomHorizontalFlip()]),
        "ColorJitter": v2.ColorJitter(0.4, 0.5, 0.6, 0.2),
        "ColorJitterSome": v2.ColorJitter(contrast=(0.2, 0.9), hue=(-0.1, 0.4)),
        "RandomRotation": v2.RandomRotation(40, interpolation=InterpolationMode.BILINEAR),
        "RandomRotationExpanded": v2.RandomRotation((10, 100), expand=True, fill=0.5),
        "RandomAffine": v2.RandomAffine((-30, 60), (0.2, 0.1), (0.7, 1.5), 15, InterpolationMode.BILINEAR),
        "RandomAffineBoth": v2.RandomAffine(0, shear=(-20, 20, 0, 10)),
        "Compose": v2.Compose([v2.RandomCrop(8, padding=2), v2.RandomHorizontalFlip(), v2.ColorJitter(0.3)]),
    }


def main() -> None:
    """Writes the golden file."""
    assert torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
    torch.set_num_threads(1)
    inputs = images()
    found = {f"input/{name}": image for name, image in inputs.items()}
    single = {name: image for name, image in inputs.items() if name != "batch"}
    for name, transform in fixed().items():
        for kind, image in single.items():
            found[f"{name}/{kind}"] = transform(image)
    for name, transform in chance().items():
        for kind in ("rgb", "float"):
            for seed in range(5):
                torch.manual_seed(seed)
                found[f"{name}/{kind}/{seed}"] = transform(inputs[kind])
    found["normalize/float"] = F.normalize(inputs["float"], [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    batch = inputs["batch"]
    found["grid/batch"] = make_grid(batch, 3)
    found["gridPadded/batch"] = make_grid(batch * 3 - 1, 2, padding=1, normalize=True, pad_value=0.5)
    found["gridEach/batch"] = make_grid(batch * 3 - 1, 8, padding=0, normalize=True, scale_each=True)
    found["gridRange/batch"] = make_grid(batch, 5, normalize=True, value_range=(0.2, 0.7))
    found["gridGray/gray"] = make_grid(torch.stack([inputs["gray"]] * 3), 2, pad_value=9)
    found["gridOne/gray"] = make_grid(inputs["gray"])
    path = pathlib.Path(__file__).resolve().parents[1] / "Tests" / "VisionTests" / "Goldens" / "transforms.npz"
    np.savez_compressed(path, **{name: np.ascontiguousarray(x.numpy()) for name, x in found.items()})
    print(len(found), path.stat().st_size)


if __name__ == "__main__":
    main()
