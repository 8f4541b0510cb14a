#!/usr/bin/env python3
"""Writes samples/Digits/digits.bin from the data that scikit-learn's wheel holds (pip download scikit-learn --no-deps).

1,797 handwritten digits of 8x8 pixels, from UCI's "Optical Recognition of Handwritten Digits" (CC BY 4.0): 65 bytes each,
64 pixels from 0 to 16 and the digit.

Usage: tools/digits_data.py WHEEL
"""

import gzip
import pathlib
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    text = gzip.decompress(wheel.read("sklearn/datasets/data/digits.csv.gz")).decode()
rows = [[int(float(number)) for number in line.split(",")] for line in text.split()]
assert len(rows) == 1797 and all(len(row) == 65 and max(row) <= 16 for row in rows)
path = pathlib.Path(__file__).parent.parent / "samples/Digits/digits.bin"
path.write_bytes(b"".join(map(bytes, rows)))
