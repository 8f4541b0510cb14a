"""What a model means: ONNX Runtime in double precision, with the uncertainty of every element of the results.

The model is rewritten so that floats are doubles wherever ONNX Runtime has such kernels, and so that every value that an
inexact operator reads or gives is multiplied by 1 + noise. One run without noise gives the results; their spread over
several runs with noise, of a few units in the last place of the model's own types, is what ill conditioning, ties and
discontinuities leave open.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnx.reference
import onnxruntime
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

Arrays = dict[str, np.ndarray]

onnxruntime.set_default_logger_severity(4)

# Half a unit in the last place of 1.
ROUNDING = {TensorProto.DOUBLE: 2.0**-53, TensorProto.FLOAT: 2.0**-24, TensorProto.FLOAT16: 2.0**-11, TensorProto.BFLOAT16: 2.0**-8}
FLOATS = frozenset(ROUNDING)
# How large the noise is, in roundings, and how many runs there are with it; so many where results seem wrong.
AMPLITUDE = 8.0
SAMPLES = 4
MANY_SAMPLES = 64
# How much further than the largest deviation seen results may be off, and by how many roundings of their own.
MARGIN = 3.0
SLACK = 16.0

# Their results are elements of their operands, or whole numbers: they round nothing.
EXACT = frozenset(
    """Abs And ArgMax ArgMin BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BitCast Cast CastLike Ceil CenterCropPad Clip
    Compress Concat ConcatFromSequence Constant ConstantOfShape DepthToSpace Equal Expand EyeLike Flatten Floor Gather
    GatherElements GatherND GlobalMaxPool Greater GreaterOrEqual Hardmax Identity If IsInf IsNaN Less LessOrEqual Loop Max MaxPool
    MaxUnpool Min Neg NonZero Not OneHot Or Pad ReduceMax ReduceMin Relu Reshape ReverseSequence Round Scan SequenceAt
    SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength Shape Sign Size Slice SpaceToDepth Split
    SplitToSequence Squeeze TensorScatter ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Where Xor""".split()
)

# Their doubles are doubles in ONNX Runtime; other operators run in the model's own types.
WIDE = frozenset(
    """Abs Acos Acosh Add ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization Ceil Clip Compress Concat ConcatFromSequence Cos Cosh
    CumSum DepthToSpace Div Dropout Einsum Equal Exp Expand Flatten Floor Gather GatherElements GatherND Gemm GlobalMaxPool Greater
    GreaterOrEqual Identity If IsNaN Less LessOrEqual Log LogSoftmax Loop MatMul Max MaxPool Mean Min Mod Mul Neg Not
    OneHot Pad Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd
    ReduceSum ReduceSumSquare Relu Reshape ReverseSequence Round Scan ScatterElements ScatterND SequenceAt SequenceConstruct
    SequenceErase SequenceInsert SequenceLength Shape Sigmoid Sign Sin Sinh Size Slice Softmax SpaceToDepth Split
    SplitToSequence Sqrt Squeeze Sub Sum Tan Tanh Tile TopK Transpose Trilu Unsqueeze Where""".split()
)

# Operators of which some operands, from a position on, decide the shape of the result: they stay as they are.
SIZED = {"Range": 0, "Resize": 1, "Upsample": 1}

# How many times more noise operators need that ONNX Runtime computes roughly: Resize has its coordinates in single
# precision, recurrent layers have their functions by short rational approximations (20 times Lathe's error against doubles).
ROUGH = {"Resize": 64, "Upsample": 64, "GRU": 16, "LSTM": 16, "RNN": 16, "DFT": 16, "STFT": 16}

# Their results come of sums with 1 or of larger numbers: they are as exact as a number near 1, however small they are.
ABSOLUTE = frozenset("BiasGelu BlackmanWindow Celu DFT Elu FastGelu GRU Resize Gelu HammingWindow HannWindow HardSigmoid LSTM LogSoftmax Mish RNN ReduceLogSum ReduceLogSumExp Selu Softplus STFT SoftmaxCrossEntropyLoss".split())


class NoReference(Exception):
    """Neither ONNX Runtime nor the reference evaluator runs the model."""


@dataclass
class Expected:
    """Results, and for each of their elements how far another right answer may be; infinite where nothing can be said."""

    values: Arrays
    tolerances: Arrays

    @property
    def open_share(self) -> float:
        """The share of elements of which nothing can be said."""
        total = sum(x.size for x in self.tolerances.values())
        return sum(int(np.isinf(x).sum()) for x in self.tolerances.values()) / max(1, total)


def options() -> onnxruntime.SessionOptions:
    """No optimizations, one thread."""
    result = onnxruntime.SessionOptions()
    result.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    result.intra_op_num_threads = result.inter_op_num_threads = 1
    return result


def run_onnxruntime(model: ModelProto, inputs: Arrays) -> list[np.ndarray]:
    """The outputs by ONNX Runtime as it is."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), options(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def run_evaluator(model: ModelProto, inputs: Arrays) -> list[np.ndarray]:
    """The outputs by ONNX's reference evaluator."""
    with np.errstate(all="ignore"):
        return [np.asarray(x) for x in onnx.reference.ReferenceEvaluator(model).run(None, inputs)]


def opset(model: ModelProto) -> int:
    """The version of the standard operators."""
    return next(x.version for x in model.opset_import if x.domain in ("", "ai.onnx"))


def element_types(model: ModelProto) -> dict[str, int]:
    """The element types of all tensors, those of sub-graphs too, as far as ONNX infers them."""
    types: dict[str, int] = {}

    def visit(graph: GraphProto) -> None:
        for value in [*graph.input, *graph.value_info, *graph.output]:
            kind = value.type.WhichOneof("value")
            if kind == "tensor_type":
                types[value.name] = value.type.tensor_type.elem_type
            elif kind == "sequence_type":
                types[value.name] = value.type.sequence_type.elem_type.tensor_type.elem_type
        for tensor in graph.initializer:
            types[tensor.name] = tensor.data_type
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.type == AttributeProto.GRAPH:
                    visit(attribute.g)
            # What ONNX does not infer has the type of the first operand.
            for name in node.output:
                if not types.get(name) and node.input and types.get(node.input[0]):
                    types[name] = types[node.input[0]]

    visit(onnx.shape_inference.infer_shapes(model).graph)
    return types


class Shadow:
    """A model with noise, and where `wide` with doubles instead of its floats.

    The noise of all values is cut out of long inputs of random numbers.
    """

    LENGTH = 1 << 17

    def __init__(self, model: ModelProto, types: dict[str, int], narrow: frozenset[str], wide: bool) -> None:
        self.types = dict(types)
        self.has_slices = opset(model) >= 10
        self.narrow = narrow  # operators that ONNX Runtime does not run on doubles
        self.wide = wide
        self.count = 0
        self.scales: dict[str, tuple[int, int]] = {}  # inputs that scale noise: the type whose rounding they are for, and a factor
        self.pools: dict[str, int] = {}  # inputs of random numbers, by their types
        self.model = ModelProto()
        self.model.CopyFrom(model)
        del self.model.graph.value_info[:]
        self.rewrite(self.model.graph)
        for name, (kind, _) in self.scales.items():
            self.model.graph.input.append(helper.make_tensor_value_info(name, self.shadowed(kind), []))
        for name, kind in self.pools.items():
            self.model.graph.input.append(helper.make_tensor_value_info(name, kind, [self.LENGTH]))

    def shadowed(self, kind: int) -> int:
        return TensorProto.DOUBLE if self.wide and kind in FLOATS else kind

    def fresh(self) -> str:
        self.count += 1
        return f"shadow {self.count}"

    def is_float(self, name: str) -> bool:
        return self.types.get(name) in FLOATS

    def widen(self, tensor: TensorProto) -> None:
        if self.wide and tensor.data_type in FLOATS:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))

    def rewrite(self, graph: GraphProto) -> None:
        for value in [*graph.input, *graph.output]:
            kind = value.type.WhichOneof("value")
            tensor = value.type.tensor_type if kind == "tensor_type" else value.type.sequence_type.elem_type.tensor_type
            if kind and tensor.elem_type in FLOATS:
                tensor.elem_type = self.shadowed(tensor.elem_type)
            if kind == "tensor_type" and value in graph.output:
                tensor.ClearField("shape")
        for tensor in graph.initializer:
            self.widen(tensor)
        nodes: list[NodeProto] = []
        for node in graph.node:
            nodes += self.rewritten(node)
        del graph.node[:]
        graph.node.extend(nodes)

    def rewritten(self, original: NodeProto) -> list[NodeProto]:
        node = NodeProto()
        node.CopyFrom(original)
        operation = node.op_type
        node.name = f"node {self.fresh()} {operation}"
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                self.rewrite(attribute.g)
        if operation in ("Sigmoid", "Swish", "QuickGelu") and self.is_float(node.input[0]):
            return [x for each in self.sigmoid(original) for x in self.rewritten(each)]
        is_wide = not self.wide or (operation in WIDE and operation not in self.narrow)
        before: list[NodeProto] = []
        for position, name in enumerate(node.input):
            if not self.is_float(name):
                continue
            kind = self.types[name]
            if operation in SIZED and position >= SIZED[operation]:
                node.input[position] = self.cast(name, kind, before) if self.wide else name
                continue
            if operation not in EXACT or not is_wide and kind == TensorProto.DOUBLE:
                name = self.noisy(name, self.level(kind, is_wide), before, kind, None, ROUGH.get(operation, 1))
            if not is_wide:
                name = self.cast(name, self.own(kind, operation), before)
            node.input[position] = name
        after: list[NodeProto] = []
        for position, name in enumerate(node.output):
            if not self.is_float(name):
                continue
            kind = self.types[name]
            wanted = name
            if operation not in EXACT or not is_wide and kind == TensorProto.DOUBLE:
                name = self.fresh()
                self.noisy(name, self.level(kind, is_wide), after, kind, wanted, ROUGH.get(operation, 1), operation in ABSOLUTE)
            if not is_wide:
                inner = self.fresh()
                after.insert(0, helper.make_node("Cast", [inner], [name], name=self.fresh(), to=TensorProto.DOUBLE))
                name = inner
            node.output[position] = name
        return [*before, node, *after]

    def sigmoid(self, node: NodeProto) -> list[NodeProto]:
        """The same of operators that do not underflow: 1 / (1 + exp(-x)), or x / (1 + exp(-alpha x))."""
        x, minus, power, sum = node.input[0], self.fresh(), self.fresh(), self.fresh()
        kind = self.types[x]
        for name in (minus, power, sum):
            self.types[name] = kind
        one = self.constant(f"shadow one {self.shadowed(kind)}", self.shadowed(kind), 1)
        alpha = next((a.f for a in node.attribute if a.name == "alpha"), 1.702 if node.op_type == "QuickGelu" else 1.0)
        slope = self.constant(f"shadow slope {self.shadowed(kind)} {-alpha}", self.shadowed(kind), -alpha)
        return [
            helper.make_node("Mul", [x, slope], [minus]),
            helper.make_node("Exp", [minus], [power]),
            helper.make_node("Add", [power, one], [sum]),
            helper.make_node("Div", [one if node.op_type == "Sigmoid" else x, sum], [node.output[0]]),
        ]

    def own(self, kind: int, operation: str) -> int:
        """The type that an operator without doubles runs in."""
        return TensorProto.FLOAT if kind == TensorProto.DOUBLE and operation in self.narrow else kind

    def level(self, kind: int, is_wide: bool) -> int:
        """The type whose rounding the noise stands for."""
        return TensorProto.FLOAT if self.wide and kind == TensorProto.DOUBLE and not is_wide else kind

    def cast(self, name: str, kind: int, nodes: list[NodeProto]) -> str:
        result = self.fresh()
        nodes.append(helper.make_node("Cast", [name], [result], name=self.fresh(), to=kind))
        return result

    def noisy(
        self, name: str, level: int, nodes: list[NodeProto], kind: int, result: str | None = None, factor: int = 1, adds: bool = False
    ) -> str:
        """Multiplies a value by 1 + scale * noise, and where asked to adds scale * noise."""
        level = level if self.wide else kind
        scale = f"shadow scale {level} {self.shadowed(kind)} {factor}"
        self.scales[scale] = (level, factor)
        typed = self.shadowed(kind)
        one, pool = self.constant(f"shadow one {typed}", typed, 1), f"shadow noise {typed}"
        if not self.has_slices:
            return self.noisy_by_operator(name, scale, one, typed, nodes, result or self.fresh(), adds)
        self.pools[pool] = typed
        start = self.count * 37 % 1000
        shape, size, end, part, noise, scaled = (self.fresh() for _ in range(6))
        result = result or self.fresh()
        listed = [self.constant(f"shadow number {number}", TensorProto.INT64, number, [1]) for number in (start, 0)]
        for operation, operands, output in (
            ("Shape", [name], shape),
            ("Size", [name], size),
            ("Add", [size, listed[0]], end),
            ("Slice", [pool, listed[0], end, listed[1]], part),
            ("Reshape", [part, shape], noise),
            ("Mul", [noise, scale], scaled),
        ):
            nodes.append(helper.make_node(operation, operands, [output], name=self.fresh()))
        return self.applied(name, scaled, one, nodes, result, adds)

    def applied(self, name: str, noise: str, one: str, nodes: list[NodeProto], result: str, adds: bool) -> str:
        """A value x with noise n that is made already: x * (1 + n), or x + (1 + |x|) * n."""
        if not adds:
            factor = self.fresh()
            nodes.append(helper.make_node("Add", [noise, one], [factor], name=self.fresh()))
            nodes.append(helper.make_node("Mul", [name, factor], [result], name=self.fresh()))
            return result
        size, reach, term = self.fresh(), self.fresh(), self.fresh()
        nodes.append(helper.make_node("Abs", [name], [size], name=self.fresh()))
        nodes.append(helper.make_node("Add", [size, one], [reach], name=self.fresh()))
        nodes.append(helper.make_node("Mul", [reach, noise], [term], name=self.fresh()))
        nodes.append(helper.make_node("Add", [name, term], [result], name=self.fresh()))
        return result

    def noisy_by_operator(self, name: str, scale: str, one: str, kind: int, nodes: list[NodeProto], result: str, adds: bool) -> str:
        """The same in old operator sets, with an operator that ONNX Runtime has for them."""
        noise, scaled = self.fresh(), self.fresh()
        more = {"low": -1.0, "high": 1.0, "dtype": kind, "seed": float(self.count)}
        nodes.append(helper.make_node("RandomUniformLike", [name], [noise], name=self.fresh(), **more))
        nodes.append(helper.make_node("Mul", [noise, scale], [scaled], name=self.fresh()))
        return self.applied(name, scaled, one, nodes, result, adds)

    def constant(self, name: str, kind: int, number: float, shape: Sequence[int] = ()) -> str:
        """The name of a constant, which is added when it is asked for first."""
        if not any(x.name == name for x in self.model.graph.initializer):
            self.model.graph.initializer.append(helper.make_tensor(name, kind, shape, [number]))
        return name


_narrow: dict[int, set[str]] = {}


def expected(model: ModelProto, inputs: Arrays, wide: bool = True, count: int = SAMPLES) -> Expected:
    """The results of a model and their tolerances.

    With `wide` false the results are ONNX Runtime's in the model's own types, overflows, infinities and all.
    """
    names = [x.name for x in model.graph.output]
    types = element_types(model)
    narrow = _narrow.setdefault(opset(model), set())
    for _ in range(40):
        shadow = Shadow(model, types, frozenset(narrow), wide)
        try:
            session = onnxruntime.InferenceSession(
                shadow.model.SerializeToString(), options(), providers=["CPUExecutionProvider"])
        except Exception as error:
            found = re.search(r"node (?:shadow|\() ?\d+ (\w+)", str(error)) or re.search(r"implementation for (\w+)\(", str(error))
            # An operator that is itself made of others is not named: all that may be it are meant.
            made = {found[1]} if found else set()
            if made <= narrow:
                made = {x.op_type for each in graphs(model.graph) for x in each.node} - WIDE
            if wide and not made <= narrow:
                narrow |= made
                continue
            raise NoReference(str(error)) from error
        break
    else:
        raise NoReference("no end of operators without doubles")
    feeds: Arrays = {}
    for value in shadow.model.graph.input:
        if value.name in inputs:
            array = inputs[value.name]
            feeds[value.name] = array.astype(np.float64) if wide and is_float(array) else array

    generator = np.random.default_rng(1)

    def run(amplitude: float) -> list[np.ndarray]:
        for name, (level, factor) in shadow.scales.items():
            kind = helper.tensor_dtype_to_np_dtype(shadow.shadowed(level))
            feeds[name] = np.array(amplitude * factor * ROUNDING[level]).astype(kind)
        return session.run(None, feeds)

    samples = []
    try:
        for pair in range(count // 2):
            for name, kind in shadow.pools.items():
                noise = generator.uniform(-1, 1, Shadow.LENGTH)
                feeds[name] = noise.astype(helper.tensor_dtype_to_np_dtype(kind))
            if pair == 0:
                base = run(0.0)
            # What lies on the edge of a discontinuity falls off it on one of two opposite sides.
            samples += [run(AMPLITUDE), run(-AMPLITUDE)]
    except Exception as error:
        raise NoReference(str(error)) from error
    values = {name: np.asarray(x) for name, x in zip(names, base)}
    tolerances = {
        name: tolerance(np.asarray(x), [np.asarray(sample[i]) for sample in samples], types.get(name, 0))
        for i, (name, x) in enumerate(zip(names, base))
    }
    return Expected(values, tolerances)


def is_float(array: np.ndarray) -> bool:
    """Whether an array holds floats; NumPy's extensions for 16 bits too."""
    return array.dtype.kind == "f" or "bfloat16" in array.dtype.name


def tolerance(base: np.ndarray, samples: Sequence[np.ndarray], kind: int) -> np.ndarray:
    """How far another answer may be from each element."""
    if any(x.shape != base.shape for x in samples):
        return np.full(base.shape, np.inf)
    if kind not in FLOATS:
        different = np.zeros(base.shape, bool)
        for sample in samples:
            different |= sample != base
        return np.where(different, np.inf, 0.0)
    wide = base.astype(np.float64)
    spread = np.zeros(base.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        for sample in samples:
            sample = sample.astype(np.float64)
            same = (sample == wide) | (np.isnan(sample) & np.isnan(wide))
            deviation = np.where(same, 0.0, np.abs(sample - wide))
            spread = np.maximum(spread, np.where(np.isnan(deviation), np.inf, deviation))
        return MARGIN * spread + roundings(base, kind)


def roundings(values: np.ndarray, kind: int = 0) -> np.ndarray:
    """How far numbers of a type may be off where one operator alone rounds."""
    kind = kind or helper.np_dtype_to_tensor_dtype(values.dtype)
    if kind not in FLOATS:
        return np.zeros(values.shape)
    wide = values.astype(np.float64)
    finite = np.where(np.isfinite(wide), np.abs(wide), 0.0)
    smallest = {TensorProto.FLOAT16: 2.0**-24, TensorProto.DOUBLE: 2.0**-1022}.get(kind, 2.0**-126)
    return SLACK * ROUNDING[kind] * finite + smallest


def mismatch(actual: np.ndarray, value: np.ndarray, allowed: np.ndarray) -> str | None:
    """Why an array is not the expected one; nothing where it is."""
    if actual.shape != value.shape:
        return f"shape {list(actual.shape)} instead of {list(value.shape)}"
    a, b = actual.astype(np.float64), value.astype(np.float64)
    exact = actual.dtype.kind in "iu" and value.dtype.kind in "iu"
    with np.errstate(invalid="ignore"):
        same = (actual == value) if exact else (a == b) | (np.isnan(a) & np.isnan(b))
        near = np.abs(a - b) <= allowed
    wrong = ~(same | near | np.isinf(allowed))
    if not wrong.any():
        return None
    place = tuple(int(x[0]) for x in np.nonzero(wrong)) if wrong.ndim else ()
    return (
        f"{int(wrong.sum())} of {wrong.size} wrong, first {list(place)}: {actual[place]} instead of {value[place]}"
        f" (+- {allowed[place]:.1e})"
    )


def graphs(graph: GraphProto) -> Iterable[GraphProto]:
    """A graph and all graphs inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from graphs(attribute.g)
