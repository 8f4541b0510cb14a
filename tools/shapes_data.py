#!/usr/bin/env python3
"""Draws samples/Shapes/images: crosses, discs and rings of 32 x 32 pixels, dark on bright.

Usage: tools/shapes_data.py             takes Pillow
"""

import math
import pathlib
import random
import shutil

from PIL import Image, ImageDraw

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "samples" / "Shapes" / "images"
SHAPES = ("cross", "disc", "ring")


def draw(name: str, chance: random.Random) -> Image.Image:
    """One picture, drawn large and made small."""
    background = tuple(chance.randrange(180, 256) for _ in range(3))
    colour = tuple(chance.randrange(100) for _ in range(3))
    image = Image.new("RGB", (128, 128), background)
    pencil = ImageDraw.Draw(image)
    radius = chance.uniform(28, 46)
    x, y = (chance.uniform(radius + 4, 124 - radius) for _ in range(2))
    if name == "cross":
        arm, turn = radius / chance.uniform(2.5, 4), chance.uniform(0, math.pi / 2)
        corners = [(1, 1), (1, 9), (-1, 9), (-1, 1), (-9, 1), (-9, -1), (-1, -1), (-1, -9), (1, -9), (1, -1), (9, -1), (9, 1)]
        points = [tuple(radius * c / 9 if abs(c) == 9 else arm * c for c in corner) for corner in corners]
        sine, cosine = math.sin(turn), math.cos(turn)
        pencil.polygon([(x + cosine * u - sine * v, y + sine * u + cosine * v) for u, v in points], fill=colour)
    else:
        pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    if name == "ring":
        hole = radius * chance.uniform(0.4, 0.75)
        pencil.ellipse((x - hole, y - hole, x + hole, y + hole), fill=background)
    return image.resize((32, 32), Image.Resampling.BOX)


def main() -> None:
    """Draws all pictures, those to train with as PNG, the others as JPEG."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    chance = random.Random(1)
    for half, count, suffix in (("train", 50, "png"), ("test", 20, "jpg")):
        for name in SHAPES:
            folder = FOLDER / half / name
            folder.mkdir(parents=True)
            for number in range(count):
                draw(name, chance).save(folder / f"{number:02}.{suffix}", quality=90)


if __name__ == "__main__":
    main()
