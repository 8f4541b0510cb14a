"""A peer that holds one model and measures it when asked to, as `lathe bench --serve` does.

    worker.py PEER MODEL_FOLDER THREADS [LIBRARY]

Every line of standard input is a number of seconds; the answer is one line of JSON: median_ms, least_ms, runs. A first
line says how long the model took to load.
"""

import ctypes
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper

#: Runs for some seconds, at least once, and gives the times of all runs in ms.
Measure = Callable[[float], list[float]]


def test_inputs(folder: Path) -> list[np.ndarray]:
    """The inputs of the model's first data set, in order."""
    files = sorted((folder / "test_data_set_0").glob("input_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
    return [onnx.numpy_helper.to_array(onnx.load_tensor(path)) for path in files]


def test_outputs(folder: Path) -> list[np.ndarray]:
    """The outputs of the model's first data set, in order."""
    files = sorted((folder / "test_data_set_0").glob("output_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
    return [onnx.numpy_helper.to_array(onnx.load_tensor(path)) for path in files]


def timed(run: Callable[[], object]) -> Measure:
    """Measures a Python function; what does not change from run to run belongs outside of it."""

    def measure(seconds: float) -> list[float]:
        clock = time.perf_counter_ns
        run()
        times: list[float] = []
        now = clock()
        end = now + int(seconds * 1e9)
        while not times or now < end:
            start = clock()
            run()
            now = clock()
            times.append((now - start) / 1e6)
        return times

    return measure


def onnxruntime_measure(folder: Path, threads: int) -> Measure:
    """ONNX Runtime, inputs and outputs bound to memory beforehand."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    for value, array in zip(session.get_inputs(), test_inputs(folder), strict=True):
        binding.bind_cpu_input(value.name, array)
    for value, array in zip(session.get_outputs(), test_outputs(folder), strict=True):
        binding.bind_ortvalue_output(value.name, onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros_like(array)))
    try:
        session.run_with_iobinding(binding)
    except RuntimeError:
        # Bound outputs must have the shapes that the file declares; some files declare others than they have.
        feeds = {value.name: array for value, array in zip(session.get_inputs(), test_inputs(folder), strict=True)}
        return timed(lambda: session.run(None, feeds))
    return timed(lambda: session.run_with_iobinding(binding))


def openvino_measure(folder: Path, threads: int) -> Measure:
    """OpenVINO in f32 (on some processors it would take bf16), inputs set beforehand, outputs left where they are."""
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = core.read_model(folder / "model.onnx")
    arrays = test_inputs(folder)
    model.reshape({port: list(array.shape) for port, array in zip(model.inputs, arrays, strict=True)})
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    for index, array in enumerate(arrays):
        request.set_input_tensor(index, openvino.Tensor(np.ascontiguousarray(array)))
    # Without the wrapper, which copies the inputs once more and makes a dictionary of the outputs.
    infer = super(openvino.InferRequest, request).infer
    return timed(lambda: infer({}, share_outputs=True, decode_strings=False))


def torch_measure(folder: Path, threads: int, differentiates: bool) -> Measure:
    """PyTorch, eager; where asked, with the gradients of the first output by all inputs and parameters."""
    import torch

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "models"))
    import networks

    torch.set_num_threads(threads)
    module, inputs = next(network for network in networks.NETWORKS if network.name == network_name(folder)).make()

    def run() -> None:
        with torch.inference_mode():
            module(*inputs)

    def first_output() -> torch.Tensor:
        output = module(*inputs)
        return output if isinstance(output, torch.Tensor) else output[0]

    def run_both() -> None:
        torch.autograd.grad(first_output(), variables, cotangent, allow_unused=True)

    if not differentiates:
        return timed(run)
    inputs = [x.requires_grad_() if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs]
    variables = [x for x in [*inputs, *module.parameters()] if isinstance(x, torch.Tensor) and x.requires_grad]
    cotangent = torch.randn_like(first_output())
    return timed(run_both)


def torch_training_measure(folder: Path, threads: int, fused: bool) -> Measure:
    """A step of training in PyTorch: eager, with Adam's plain or its fused update."""
    import torch

    torch.set_num_threads(threads)
    module, x, target = trained_network(folder).make()
    optimizer = torch.optim.Adam(module.parameters(), fused=fused)

    def run() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(x), target).backward()
        optimizer.step()

    return timed(run)


def jax_training_measure(folder: Path, threads: int) -> Measure:
    """A jitted step of training in JAX, on as many processors as threads are asked for."""
    import os

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    import jax_models

    return timed(jax_models.training_step(network_name(folder), trained_network(folder).shape))


def network_name(folder: Path) -> str:
    """The name of the network that a folder holds."""
    return folder.name.rsplit("-", 1)[0]


def trained_network(folder: Path):
    """The network of tools/models/training.py that a folder holds."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "models"))
    from training import TRAINED

    return TRAINED[network_name(folder)]


def library_measure(folder: Path, library: Path) -> Measure:
    """The C of a generator, compiled with runner.c; arrays are aligned to 64 bytes."""
    code = ctypes.CDLL(str(library))
    weights = library.with_name("model.bin")
    if weights.exists() and not ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_char_p)(("model_load", code))(
        str(weights).encode()
    ):
        raise SystemExit(f"{weights} cannot be loaded")
    arrays = [aligned(array) for array in [*test_inputs(folder), *test_outputs(folder)]]
    pointers = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
    times = (ctypes.c_double * 1_000_000)()
    code.measure.argtypes = [ctypes.c_void_p, ctypes.c_double, ctypes.c_void_p, ctypes.c_int]

    def measure(seconds: float) -> list[float]:
        count = code.measure(pointers, seconds, times, len(times))
        # The first run of many warms up.
        return times[1 if count > 1 else 0 : count]

    measure.arrays = arrays
    return measure


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy that starts at a multiple of 64 bytes."""
    memory = np.zeros(array.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def main() -> None:
    """Loads, then serves."""
    peer, folder, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    start = time.perf_counter()
    match peer:
        case "ort":
            measure = onnxruntime_measure(folder, threads)
        case "openvino":
            measure = openvino_measure(folder, threads)
        case "torch" | "torch-gradients":
            measure = torch_measure(folder, threads, differentiates=peer == "torch-gradients")
        case "torch-training" | "torch-fused-training":
            measure = torch_training_measure(folder, threads, fused=peer == "torch-fused-training")
        case "jax-training":
            measure = jax_training_measure(folder, threads)
        case _:
            measure = library_measure(folder, Path(sys.argv[4]))
    load = time.perf_counter() - start
    answer(measure(0), load_seconds=load)
    for line in sys.stdin:
        answer(measure(float(line)))


def answer(times: list[float], **more: float) -> None:
    """Writes one line."""
    result = {"median_ms": statistics.median(times), "least_ms": min(times), "runs": len(times)} | more
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
