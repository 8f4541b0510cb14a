"""The models of zoo.toml: where they are, and how their inputs are made."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnx.external_data_helper
import onnx.helper

import compare

LIST = Path(__file__).with_name("zoo.toml")


@dataclass(frozen=True)
class Packaged:
    """One model that ships inside a package of PyPI."""

    name: str
    package: str
    version: str
    #: Its path inside the package.
    file: str
    #: The sizes of the inputs' symbols; a size without a name is INPUT_dimAXIS.
    sizes: Mapping[str, int] = field(default_factory=dict)
    #: What inputs hold that are not what `elements` makes by default: a value (of one element for all), a range
    #: (`low` included, `high` excluded), a page of strokes (`page`), or a shape where the model tells none.
    inputs: Mapping[str, Mapping] = field(default_factory=dict)
    #: The inputs whose values decide a shape or a branch, so that they are bound when the model is compiled.
    bound: tuple[str, ...] = ()

    def provide(self, work: Path) -> Path:
        """The model's file, downloaded if it is not there yet, with test data beside it."""
        model = work / "models" / self.name / "model.onnx"
        if not model.exists():
            self.extract(self.archive(work), model)
        return model

    def archive(self, work: Path) -> Path:
        """The package's wheel, or its source where it has no wheel."""
        folder = work / "packages" / f"{self.package}-{self.version}"
        if not folder.exists():
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
            # Whether this Python may run the package does not matter to its files.
            command += ["--no-deps", "--no-build-isolation", "--ignore-requires-python"]
            command += ["--dest", str(partial), f"{self.package}=={self.version}"]
            subprocess.run(command, check=True)
            partial.rename(folder)
        (archive,) = folder.iterdir()
        return archive

    def extract(self, archive: Path, model: Path) -> None:
        """Writes the model's file, and the files beside it that hold its weights."""
        shutil.rmtree(model.parent, ignore_errors=True)
        partial = model.parent.with_name(f"{self.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / model.name).write_bytes(member(archive, self.file))
        for name in external_files(onnx.load(partial / model.name, load_external_data=False)):
            (partial / name).write_bytes(member(archive, str(Path(self.file).with_name(name))))
        partial.rename(model.parent)

    def arrays(self, model: onnx.ModelProto) -> dict[str, np.ndarray]:
        """Inputs that are random but the same every time."""
        generator = np.random.default_rng(zlib.crc32(self.name.encode()))
        weights = {x.name for x in model.graph.initializer}
        return {x.name: self.array(x, generator) for x in model.graph.input if x.name not in weights}

    def array(self, declared: onnx.ValueInfoProto, generator: np.random.Generator) -> np.ndarray:
        """One input."""
        tensor, given = declared.type.tensor_type, self.inputs.get(declared.name, {})
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        shape = given.get("shape") or [
            size.dim_value
            if size.HasField("dim_value") and size.dim_value >= 0
            else self.sizes[compare.symbol(declared.name, axis, size.dim_param)]
            for axis, size in enumerate(tensor.shape.dim)
        ]
        if "value" in given:
            return np.broadcast_to(np.asarray(given["value"], dtype), shape).copy()
        if given.get("page"):
            return page(generator, shape).astype(dtype)
        return elements(generator, dtype, shape, given.get("low"), given.get("high"))


def elements(
    generator: np.random.Generator, dtype: np.dtype, shape: list[int], low: float | None, high: float | None
) -> np.ndarray:
    """Random elements: by default normally distributed floats, integers from 0 to 9, and either truth value."""
    if np.issubdtype(dtype, np.floating):
        if low is None or high is None:
            return generator.standard_normal(shape).astype(dtype)
        return generator.uniform(low, high, shape).astype(dtype)
    if dtype == np.bool_:
        return generator.random(shape) < 0.5
    return generator.integers(low or 0, 10 if high is None else high, shape).astype(dtype)


def page(generator: np.random.Generator, shape: list[int]) -> np.ndarray:
    """White images with words of black strokes: what detects text finds none in noise, and gives nothing but zeros."""
    image = np.ones(shape, np.float32)
    height, width = shape[2:]
    for _ in range(12):
        top, left = generator.integers(height - 20), generator.integers(width - 80)
        for letter in range(generator.integers(3, 8)):
            x, y = left + 10 * letter, top + 6 * (letter % 3)
            image[:, :, top : top + 14, x : x + 2] = -1
            image[:, :, y : y + 2, x : x + 7] = -1
    return image


def member(archive: Path, name: str) -> bytes:
    """One file of a wheel or of a source package, whose files are in a folder of its name."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as files:
            return files.read(name)
    with tarfile.open(archive) as files:
        return files.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{name}").read()


def external_files(model: onnx.ModelProto) -> set[str]:
    """The files that hold weights of a model."""
    return {
        entry.value
        for tensor in model.graph.initializer
        if onnx.external_data_helper.uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }


def packaged() -> list[Packaged]:
    """The list of zoo.toml."""
    entries = tomllib.loads(LIST.read_text())
    return [Packaged(name, **entry) for name, entry in entries.items()]
