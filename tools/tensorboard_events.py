#!/usr/bin/env python3
"""Event files: those of torch.utils.tensorboard for Tests/TensorBoardTests/Goldens, and Lathe's, read by TensorBoard.

    tools/tensorboard_events.py goldens           writes the goldens anew
    tools/tensorboard_events.py check             has the Swift tests write event files, reads them by TensorBoard's own
                                                  reader, and compares them with PyTorch's
    tools/tensorboard_events.py check DIR         the same with files in DIR, which were written before

Needs the packages torch, tensorboard, pillow and numpy. The calls are those of Tests/TensorBoardTests/Calls.swift.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
from google.protobuf import text_format
from tensorboard.backend import process_graph
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from torch.utils.tensorboard import SummaryWriter

ROOT = pathlib.Path(__file__).resolve().parents[1]
GOLDENS = ROOT / "Tests" / "TensorBoardTests" / "Goldens"
TIME = 1700000000.5
RULES = ["auto", "fd", "doane", "scott", "stone", "rice", "sturges", "sqrt"]


def waves(count: int) -> torch.Tensor:
    """Numbers that both languages compute alike: integers below 2^24 over a power of two."""
    index = torch.arange(count, dtype=torch.int64)
    return ((index * 7919 + 13) % 1009 - 504).to(torch.float32) / 64


def pixels(*shape: int) -> torch.Tensor:
    """Bytes in a pattern."""
    return (torch.arange(int(np.prod(shape))) * 37 % 251).to(torch.uint8).reshape(shape)


def write(folder: str) -> None:
    """The calls whose events are compared."""
    with SummaryWriter(folder) as writer:
        for step in range(3):
            writer.add_scalar("Loss/train", 1 / (step + 1), step, TIME + step)
        writer.add_scalar("Loss/new", 0.125, 7, TIME, new_style=True)
        writer.add_scalar("Loss/double", 0.1, 7, TIME, new_style=True, double_precision=True)
        writer.add_scalar("Loss/none", -2.5, walltime=TIME)
        writer.add_text("notes", "**bold** größer 日本語", 1, TIME)
        writer.add_histogram("weights", waves(1000), 1, walltime=TIME)
        writer.add_histogram("one", torch.tensor([0.0]), 1, walltime=TIME)
        writer.add_histogram("joined", waves(1000), 1, walltime=TIME, max_bins=100)
        writer.add_histogram("limits", waves(1000), 1, [-10.0, -1.0, 0.0, 0.5, 100.0], TIME)
        writer.add_histogram("five", waves(1000), 1, 5, TIME)
        for rule in RULES:
            writer.add_histogram(rule, waves(500) ** 3, 1, rule, TIME)
        labels = (waves(200) > 0).to(torch.int64)
        chances = ((waves(200) + waves(201)[1:]) / 32 + 0.5).clamp(0, 1)
        writer.add_pr_curve("curve", labels, chances, 2, walltime=TIME)
        writer.add_pr_curve("weighted", labels, chances, 2, 11, waves(200).abs().numpy(), TIME)
        writer.add_image("image", pixels(3, 5, 7), 1, TIME)
        writer.add_image("opaque", pixels(4, 2, 3), 1, TIME)
        writer.add_image("floats", pixels(5, 7, 3).to(torch.float32) / 200, 1, TIME, "HWC")
        writer.add_image("gray", pixels(5, 7), 1, TIME, "HW")
        writer.add_images("images", pixels(10, 3, 2, 3), 1, TIME)
        writer.add_images("last", pixels(3, 2, 3, 1), 1, TIME, "NHWC")
        writer.add_scalars("lines/both", {"a": 1.5, "b": 2.5}, 4, TIME)
        writer.add_hparams({"lr": 0.1, "optimizer": "adam"}, {"hparam/loss": 0.25}, {"lr": [0.1, 0.2]}, "row", 3)
        writer.add_embedding(waves(12).reshape(4, 3), ["a", "b", "größe", "d e"], pixels(4, 3, 2, 2) / 255, 2)
        writer.add_embedding(waves(4).reshape(2, 2), [["1", "x"], ["2", "y"]], tag="a/b", metadata_header=["n", "s"])
    with SummaryWriter(folder + "/resumed", purge_step=2, filename_suffix=".more") as writer:
        writer.add_scalar("Loss/train", 0.5, 2, TIME)


def goldens() -> None:
    """Writes the goldens under names that do not change."""
    shutil.rmtree(GOLDENS, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        write(folder)
        for source in sorted(pathlib.Path(folder).rglob("*")):
            if source.is_file():
                place = GOLDENS / source.relative_to(folder)
                if ".tfevents." in source.name:
                    place = place.with_name("events.tfevents")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, place)


def read(folder: pathlib.Path) -> dict[str, object]:
    """What TensorBoard's reader finds in a run, by kind and tag; times are left out."""
    accumulator = event_accumulator.EventAccumulator(
        str(folder), size_guidance=dict.fromkeys(event_accumulator.DEFAULT_SIZE_GUIDANCE, 0))
    accumulator.Reload()
    tags = accumulator.Tags()
    found: dict[str, object] = {}
    for tag in tags["scalars"]:
        found["scalar " + tag] = [(event.step, np.float32(event.value)) for event in accumulator.Scalars(tag)]
    for tag in tags["histograms"]:
        values = [event.histogram_value for event in accumulator.Histograms(tag)]
        found["histogram " + tag] = [[v.min, v.max, v.num, *v.bucket_limit, *v.bucket] for v in values]
    for tag in tags["images"]:
        found["image " + tag] = [(image.step, image.width, image.height, decoded(image.encoded_image_string))
                                 for image in accumulator.Images(tag)]
    for tag in tags["tensors"]:
        metadata = accumulator.SummaryMetadata(tag).plugin_data
        found["tensor " + tag] = [metadata.plugin_name, metadata.content] + [
            (event.step, event.tensor_proto.SerializeToString(deterministic=True))
            for event in accumulator.Tensors(tag)]
    for plugin in ["hparams"]:
        try:
            content = accumulator.PluginTagToContent(plugin)
            found[plugin] = {tag: str(HParamsPluginData.FromString(value)) for tag, value in content.items()}
        except KeyError:
            pass
    if tags["graph"]:
        graph = accumulator.Graph()
        process_graph.prepare_graph_for_ui(graph)
        found["graph"] = len(graph.node)
    return found


def decoded(png: bytes) -> list[int]:
    """The pixels of a picture."""
    import io

    from PIL import Image

    return list(Image.open(io.BytesIO(png)).tobytes())


def check(folder: pathlib.Path) -> None:
    """Compares what is in a folder with what PyTorch writes for the same calls."""
    with tempfile.TemporaryDirectory() as other:
        write(other)
        runs = {path.parent.relative_to(other) for path in pathlib.Path(other).rglob("*.tfevents.*")}
        mistakes = count = 0
        for run in sorted(runs):
            ours, theirs = read(folder / run), read(pathlib.Path(other) / run)
            for key in theirs:
                count += 1
                if ours.get(key) != theirs[key]:
                    mistakes += 1
                    print(f"{run}: {key}:\n  Lathe    {ours.get(key)}\n  PyTorch  {theirs[key]}")
        for path in sorted(pathlib.Path(other).rglob("*")):
            if path.suffix in {".tsv", ".pbtxt"}:
                count += 1
                texts = [file.read_text() for file in (folder / path.relative_to(other), path)]
                if path.suffix == ".pbtxt":
                    texts = [str(text_format.Parse(text, ProjectorConfig())) for text in texts]
                if texts[0] != texts[1]:
                    mistakes += 1
                    print(f"{path.relative_to(other)} differs")
    print(f"a graph of {read(folder / 'graph')['graph']} nodes")
    print(f"{count - mistakes} of {count} values and files are those of PyTorch")
    truncated(next(folder.glob("*.tfevents.*")))
    sys.exit(1 if mistakes else 0)


def truncated(path: pathlib.Path) -> None:
    """That TensorBoard reads all whole records of a file that is cut off anywhere, and nothing else."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    content = path.read_bytes()
    ends, position = [0], 0
    while position < len(content):
        position += 16 + int.from_bytes(content[position:position + 8], "little")
        ends.append(position)
    with tempfile.TemporaryDirectory() as folder:
        cut = pathlib.Path(folder) / "events.out.tfevents.0"
        lengths = range(0, len(content), 97)
        for length in lengths:
            cut.write_bytes(content[:length])
            events = list(LegacyEventFileLoader(str(cut)).Load())
            assert len(events) == sum(end <= length for end in ends[1:]), length
            assert all(isinstance(event, Event) for event in events)
        print(f"cut off at {len(lengths)} places: whole records are read, and nothing else")


def main() -> None:
    """Does what the command line says."""
    if sys.argv[1:] == ["goldens"]:
        goldens()
    elif sys.argv[1:2] == ["check"] and len(sys.argv) <= 3:
        if len(sys.argv) == 3:
            check(pathlib.Path(sys.argv[2]))
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"LATHE_EVENT_FILES": folder}
            subprocess.run(
                ["swift", "test", "--package-path", ROOT, "--filter", "TensorBoardTests.SummaryWriterTests"],
                check=True, env=environment, stdout=subprocess.DEVNULL)
            check(pathlib.Path(folder))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
