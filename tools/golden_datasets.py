#!/usr/bin/env python3
"""Tiny datasets in torchvision's forms for Tests/VisionTests/Fixtures, and what torchvision reads from them.

Usage: tools/golden_datasets.py         takes torchvision, lmdb and pycocotools

expected.npz has an image as CASE/NUMBER, and the numbers of the classes as CASE/targets.
"""

import gzip
import json
import os
import pathlib
import shutil
import struct
import tempfile

import lmdb
import numpy as np
import torch

# PyPI's torchvision may be built for another PyTorch; its operators are not needed.
try:
    import torchvision  # noqa: F401
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from PIL import Image
from torchvision import datasets

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "Tests" / "VisionTests" / "Fixtures"


def pattern(count: int, *shape: int) -> np.ndarray:
    """Bytes that are unlike at all places near each other, and pack well."""
    size = int(np.prod(shape))
    return ((np.arange(count * size) // 5 + np.arange(count * size) // size * 40) % 251).astype(np.uint8).reshape(count, *shape)


def idx(folder: pathlib.Path, prefix: str, labels: list[int], packed: bool) -> None:
    """Images and labels in MNIST's form."""
    folder.mkdir(parents=True, exist_ok=True)
    images = pattern(len(labels), 5, 4)
    contents = {
        "images-idx3": struct.pack(">iiii", 0x803, *images.shape) + images.tobytes(),
        "labels-idx1": struct.pack(">ii", 0x801, len(labels)) + bytes(labels),
    }
    for name, content in contents.items():
        path = folder / f"{prefix}-{name}-ubyte"
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, mtime=0))
        else:
            path.write_bytes(content)


def pickled(fields: dict[str, object]) -> bytes:
    """A pickle as Python 2 wrote CIFAR's, of protocol 2."""

    def text(data: bytes) -> bytes:
        return b"U" + bytes([len(data)]) + data if len(data) < 256 else b"T" + struct.pack("<i", len(data)) + data

    def number(value: int) -> bytes:
        return b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)

    def value(x: object) -> bytes:
        if isinstance(x, str):
            return text(x.encode())
        if isinstance(x, int):
            return number(x)
        if isinstance(x, list):
            return b"](" + b"".join(map(value, x)) + b"e"
        assert isinstance(x, np.ndarray)
        reconstruct = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + number(0) + b"\x85" + text(b"b") + b"\x87R"
        dtype = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
        dtype += b"(" + number(3) + text(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + number(0) + b"tb"
        sizes = number(x.shape[0]) + number(x.shape[1]) + b"\x86"
        return reconstruct + b"(" + number(1) + sizes + dtype + b"\x89" + text(x.tobytes()) + b"tb"

    return b"\x80\x02}(" + b"".join(value(key) + value(x) for key, x in fields.items()) + b"u."


def cifar() -> None:
    """CIFAR in both forms."""
    for name in ("cifar-10-batches-py", "cifar-10-batches-bin", "cifar-100-python", "cifar-100-binary"):
        (FOLDER / name).mkdir(parents=True)
    names = ["airplane", "automobile", "bird"]
    (FOLDER / "cifar-10-batches-py/batches.meta").write_bytes(pickled({"num_vis": 3072, "label_names": names}))
    (FOLDER / "cifar-10-batches-bin/batches.meta.txt").write_text("\n".join(names) + "\n\n")
    for number, name in enumerate([f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]):
        data, labels = (pattern(1, 3072) + number).astype(np.uint8), [number % 3]
        batch = {"batch_label": name, "labels": labels, "data": data, "filenames": ["x.png"]}
        (FOLDER / "cifar-10-batches-py" / name).write_bytes(pickled(batch))
        (FOLDER / "cifar-10-batches-bin" / f"{name}.bin").write_bytes(bytes(labels) + data.tobytes())
    fine, coarse = ["apple", "bear", "castle"], ["fruit", "large"]
    (FOLDER / "cifar-100-python/meta").write_bytes(pickled({"fine_label_names": fine, "coarse_label_names": coarse}))
    for kind, texts in (("fine", fine), ("coarse", coarse)):
        (FOLDER / f"cifar-100-binary/{kind}_label_names.txt").write_text("\n".join(texts) + "\n")
    for name, labels in (("train", [2, 1]), ("test", [0])):
        data = pattern(len(labels), 3072)
        batch = {"fine_labels": labels, "coarse_labels": [x % 2 for x in labels], "data": data}
        (FOLDER / "cifar-100-python" / name).write_bytes(pickled(batch))
        rows = b"".join(bytes([x % 2, x]) + row.tobytes() for x, row in zip(labels, data))
        (FOLDER / "cifar-100-binary" / f"{name}.bin").write_bytes(rows)


def stl10() -> None:
    """STL-10."""
    folder = FOLDER / "stl10_binary"
    folder.mkdir()
    for name, count in (("train", 2), ("test", 1), ("unlabeled", 1)):
        (folder / f"{name}_X.bin").write_bytes(pattern(count, 3, 96, 96).tobytes())
        if name != "unlabeled":
            (folder / f"{name}_y.bin").write_bytes(bytes(range(4, 4 + count)))
    (folder / "fold_indices.txt").write_text("1 \n" + "0 1 \n" * 9)
    (folder / "class_names.txt").write_text("airplane\nbird\ncar\n")


def photos() -> None:
    """Images in folders, databases and with annotations."""
    folder = FOLDER / "folder"
    for number, name in enumerate(["cat/b.png", "cat/a.JPG", "cat/deep/c.png", "Zebra/x.jpeg", "dog/notes.txt", "dog/y.png"]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("txt"):
            path.write_text("none")
        else:
            image = Image.fromarray(pattern(1, 6 + number, 9, 3)[0])
            (image if number != 5 else image.convert("L")).save(path, "PNG" if name.endswith("png") else "JPEG")
    files = sorted(folder.rglob("*.png")) + sorted(folder.rglob("*.jpeg"))
    (FOLDER / "lsun").mkdir()
    for name, count in (("bedroom_train", 3), ("tower_train", 40)):
        with lmdb.open(str(FOLDER / f"lsun/{name}_lmdb"), map_size=1 << 20, subdir=True) as database:
            with database.begin(write=True) as transaction:
                for number in range(count):
                    content = files[number % len(files)].read_bytes()
                    # Long values have pages of their own.
                    content += bytes(3000) if number == 1 else b""
                    transaction.put(f"{name}{number * 7 % 40:04}".encode(), content)
        (FOLDER / f"lsun/{name}_lmdb/lock.mdb").unlink()
    images = [{"id": 7, "file_name": "cat/b.png"}, {"id": 3, "file_name": "dog/y.png"}]
    objects = [
        {"id": 1, "image_id": 7, "category_id": 18, "bbox": [1, 2, 3.5, 4], "area": 12.5, "iscrowd": 0,
         "segmentation": [[1, 2, 4.5, 2, 4, 6]]},
        {"id": 2, "image_id": 3, "category_id": 1, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 1,
         "segmentation": {"counts": [0, 4, 95], "size": [11, 9]}},
        {"id": 3, "image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0,
         "segmentation": {"counts": "a0b1", "size": [6, 9]}},
    ]
    captions = [{"id": i, "image_id": 7 if i else 3, "caption": f"caption {i}"} for i in range(3)]
    (FOLDER / "instances.json").write_text(json.dumps({"images": images, "annotations": objects, "categories": []}))
    (FOLDER / "captions.json").write_text(json.dumps({"images": images, "annotations": captions}))


def expected(root: pathlib.Path) -> dict[str, np.ndarray]:
    """What torchvision reads."""
    for module in (datasets.cifar, datasets.stl10):
        module.check_integrity = lambda *_: True
    for path in list(root.rglob("*.gz")):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    cases = {
        "mnist": datasets.MNIST(root),
        "mnist-test": datasets.MNIST(root, train=False),
        "fashion": datasets.FashionMNIST(root),
        "kmnist": datasets.KMNIST(root, train=False),
        "emnist": datasets.EMNIST(root, "letters"),
        "cifar10": datasets.CIFAR10(root),
        "cifar10-test": datasets.CIFAR10(root, train=False),
        "cifar100": datasets.CIFAR100(root),
        "cifar100-test": datasets.CIFAR100(root, train=False),
        "stl10": datasets.STL10(root),
        "stl10-fold": datasets.STL10(root, folds=0),
        "stl10-test": datasets.STL10(root, "test"),
        "stl10-all": datasets.STL10(root, "train+unlabeled"),
        "folder": datasets.ImageFolder(root / "folder"),
        "lsun": datasets.LSUN(root / "lsun", ["bedroom_train", "tower_train"]),
    }
    found = {}
    for name, dataset in cases.items():
        found[f"{name}/targets"] = np.array([dataset[i][1] for i in range(len(dataset))])
        for i in range(min(len(dataset), 8)):
            image = np.asarray(dataset[i][0])
            found[f"{name}/{i}"] = image[None] if image.ndim == 2 else np.ascontiguousarray(image.transpose(2, 0, 1))
        print(name, len(dataset), found[f"{name}/0"].shape, getattr(dataset, "classes", None))
    detection = datasets.CocoDetection(root / "folder", root / "instances.json")
    captions = datasets.CocoCaptions(root / "folder", root / "captions.json")
    for i in range(2):
        found[f"coco/{i}"] = np.ascontiguousarray(np.asarray(detection[i][0]).transpose(2, 0, 1))
        found[f"coco/{i}/objects"] = np.array([x["id"] for x in detection[i][1]])
        print(detection.ids, captions[i][1])
    print(cases["folder"].samples)
    return found


def main() -> None:
    """Writes the files and the arrays."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, labels, packed in (("train", [3, 9, 0], False), ("t10k", [7, 1], True)):
        idx(FOLDER / "MNIST/raw", name, labels, packed)
    idx(FOLDER / "FashionMNIST/raw", "train", [2], True)
    idx(FOLDER / "KMNIST/raw", "t10k", [5, 5], False)
    idx(FOLDER / "EMNIST/raw", "emnist-letters-train", [26, 1], True)
    cifar()
    stl10()
    photos()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "data"
        # LSUN leaves files where it is run.
        os.chdir(folder)
        shutil.copytree(FOLDER, root)
        for name in ("FashionMNIST", "KMNIST"):
            for half in ("train", "t10k"):
                idx(root / name / "raw", half, [2] if name == "FashionMNIST" else [5, 5], False)
        idx(root / "EMNIST/raw", "emnist-letters-test", [1], False)
        arrays = expected(root)
    np.savez_compressed(FOLDER / "expected.npz", **arrays)


if __name__ == "__main__":
    main()
