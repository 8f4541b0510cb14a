"""Runs torchvision's models as Swift modules, with torchvision's weights loaded by name, and prints how far the scores are
apart.

    python tools/models/torchvision_swift.py [--tool PATH] [--backend native] [NAME...]

The tool is the sample `torchvision` (`swift build -c release --product torchvision`), which serves the models by name. The
weights are torchvision's first ones, the statistics of normalizations those of a random batch; `torch.save` writes them.
The table is Markdown: how many numbers the parameters have, the largest score, the largest difference as a share of it.

Exit code: 0 if all models are within 1e-5; 2 if one is not, or fails.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from networks import enliven, torchvision_model

ROOT = Path(__file__).resolve().parents[2]


def compare(name: str, tool: str, backend: str, folder: Path) -> tuple[str, bool]:
    """The row of a model, and whether its scores are near enough."""
    size = 299 if name == "inception_v3" else 224
    torch.manual_seed(0)
    model = torchvision_model(name, **({"init_weights": False} if name in ("googlenet", "inception_v3") else {}))
    image = torch.randn(2, 3, size, size)
    enliven(model, (image,))
    with torch.no_grad():
        expected = model.eval()(image).numpy()
    count = sum(parameter.numel() for parameter in model.parameters())
    torch.save(model.state_dict(), folder / "weights.pth")
    np.save(folder / "image.npy", image.numpy())
    del model
    start = time.perf_counter()
    run = subprocess.run(
        [tool, "run", name, "--parameters", folder / "weights.pth", "--size", str(size), "--backend", backend,
         "--input", f"image={folder / 'image.npy'}", "--outputs", folder / "scores.npz"], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if run.returncode != 0:
        return f"| {name} | {count:,} | {run.stderr.strip().splitlines()[-1]} | | {seconds:.0f} |", False
    (scores,) = np.load(folder / "scores.npz").values()
    largest = np.abs(expected).max()
    share = np.abs(scores - expected).max() / largest
    return f"| {name} | {count:,} | {largest:.3g} | {share:.1e} | {seconds:.0f} |", bool(share <= 1e-5)


def main() -> None:
    parser = argparse.ArgumentParser(prog="torchvision_swift", description=__doc__)
    parser.add_argument("--tool", default=str(ROOT / ".build/release/torchvision"))
    parser.add_argument("--backend", default="interpreter", choices=("interpreter", "native"))
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    listed = subprocess.run([arguments.tool, "list"], capture_output=True, text=True, check=True).stdout.split()
    print("| model | parameters | largest score | difference | s |\n|---|---:|---:|---:|---:|")
    all_near = True
    for name in arguments.names or listed:
        with tempfile.TemporaryDirectory() as folder:
            row, is_near = compare(name, arguments.tool, arguments.backend, Path(folder))
        print(row, flush=True)
        all_near &= is_near
    sys.exit(0 if all_near else 2)


if __name__ == "__main__":
    main()
