#!/usr/bin/env python3
"""Small images for Tests/ImagesTests/Fixtures, and what Pillow, with which torchvision's datasets read, makes of them.

Usage: tools/golden_images.py

PNGs of all kinds are written by Pillow and by hand, JPEGs by Pillow; expected.npz has the arrays by the name of the file and,
behind a slash, the mode. Pillow does not read 16 bits of colours: there the array is what was written.
"""

import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "Tests" / "ImagesTests" / "Fixtures"
OWN = {"palette.png": "RGB", "transparent.png": "RGBA", "bits.png": "L", "cmyk.jpg": "RGB"}


def picture(*shape: int) -> np.ndarray:
    """A smooth picture with some noise."""
    random = np.random.default_rng(sum(shape))
    grid = np.indices(shape).astype(float)
    smooth = 128 + 60 * np.sin(grid[0] / 3) + 50 * np.cos(grid[1] / 2 + (grid[2] if len(shape) > 2 else 0))
    return np.clip(smooth + random.normal(0, 5, shape), 0, 255).astype(np.uint8)


WIDE = picture(4, 3, 3).astype(np.uint16) * 250 + 3


def png(width: int, height: int, depth: int, color: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG by hand."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def files() -> dict[str, bytes]:
    """All files by name."""
    found = {}

    def save(name: str, image: Image.Image, form: str, **options: object) -> None:
        buffer = io.BytesIO()
        image.save(buffer, form, **options)
        found[name] = buffer.getvalue()

    rgb = Image.fromarray(picture(9, 11, 3))
    save("rgb.png", rgb, "PNG")
    save("rgba.png", Image.fromarray(picture(5, 7, 4)), "PNG")
    save("gray.png", Image.fromarray(picture(6, 5)), "PNG")
    save("gray-alpha.png", Image.fromarray(picture(4, 6, 2)), "PNG")
    save("palette.png", rgb.quantize(9), "PNG")
    save("bits.png", Image.fromarray(picture(9, 10) > 128), "PNG")
    save("transparent.png", rgb.quantize(5), "PNG", transparency=2)
    wide = WIDE.astype(">u2")
    found["rgb16.png"] = png(3, 4, 16, 2, b"".join(b"\0" + row.tobytes() for row in wide))
    gray = picture(5, 4).astype(">u2") * 250 + 1
    found["gray16.png"] = png(4, 5, 16, 0, b"".join(b"\0" + row.tobytes() for row in gray))
    found["gray2.png"] = png(6, 2, 2, 0, bytes([0, 0b00011011, 0b11000000, 0, 0b11100100, 0b01000000]))
    photo = Image.fromarray(picture(19, 21, 3))
    save("rgb.jpg", photo, "JPEG", quality=80)
    save("progressive.jpg", photo, "JPEG", quality=60, progressive=True)
    save("full.jpg", photo, "JPEG", quality=95, subsampling=0)
    save("gray.jpg", Image.fromarray(picture(17, 12)), "JPEG")
    save("cmyk.jpg", Image.fromarray(picture(10, 8, 4), "CMYK"), "JPEG")
    return found


def planes(image: Image.Image) -> np.ndarray:
    """The channels one behind the other."""
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def main() -> None:
    """Writes the files and the arrays."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, data in files().items():
        (FOLDER / name).write_bytes(data)
        if name == "rgb16.png":
            expected[f"{name}/unchanged"] = np.ascontiguousarray(WIDE.transpose(2, 0, 1))
            continue
        image = Image.open(io.BytesIO(data))
        expected[f"{name}/unchanged"] = planes(image.convert(OWN[name]) if name in OWN else image)
        if name == "gray16.png":
            continue
        expected[f"{name}/rgb"] = planes(image.convert("RGB"))
        if name != "cmyk.jpg":
            gray = Image.open(io.BytesIO(data))
            if name.endswith("jpg"):
                gray.draft("L", gray.size)
            expected[f"{name}/gray"] = planes((gray.convert("RGB") if name in OWN else gray).convert("L"))
    np.savez_compressed(FOLDER / "expected.npz", **expected)
    for name, array in expected.items():
        print(name, array.dtype, array.shape)


if __name__ == "__main__":
    main()
