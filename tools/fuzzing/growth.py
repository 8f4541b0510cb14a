"""A random model while it grows: every node is run when it is added, so that shapes and numbers are known."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import reference
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

# Sizes at which vectors, tiles, slabs and threads begin.
EDGES = (7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 182, 257, 1025)
INTEGERS = tuple(np.dtype(x) for x in ("int64", "int32", "uint8", "int8", "int16", "uint16", "uint32", "uint64"))
BOOL = np.dtype(bool)
F16, F32, F64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
I64 = np.dtype("int64")

# Words of C and of the emitted code, and what exporters write.
NASTY = (
    "x", "y", "int", "double", "exp", "tanh", "cosh", "sum", "i", "j", "arena", "weights", "run", "main", "model", "m_run", "NULL",
    "EOF", "inline", "restrict", "bool", "state", "t0", "a.b", "a/b", "a::b", "/layer.0/Add_output_0", "9", "é", "a b", "fmaf",
    "INT64_MAX", "isnan", "memcpy", "size_t", "lathe", "x_1", "x1", "out", "in", "const", "_", "__x", "X", "NAME_OK", "uint8_t",
    "a_name_that_is_longer_than_all_the_names_that_honest_people_would_write_by_hand/and_goes_on/and_on/until_it_ends_at",
)


# What NaN, infinities and overflow give is left to implementations. Padding is zeros, and zero times an infinite weight is
# NaN for those that multiply by it; sums of numbers of both signs that overflow depend on their order:
SUMS = frozenset(
    """Attention AveragePool BatchNormalization Conv ConvTranspose CumSum Einsum Gemm GlobalAveragePool GlobalLpPool GRU
    GroupNormalization InstanceNormalization LayerNormalization LpNormalization LpPool LRN LSTM MatMul MeanVarianceNormalization
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMean ReduceProd ReduceSum ReduceSumSquare RMSNormalization RNN
    RotaryEmbedding Resize Sum Upsample""".split()
)
# and ONNX Runtime skips NaN, or finds it the largest, where PyTorch, and Lathe with it, lets it win.
CHOICES = frozenset(
    """ArgMax ArgMin Clip GlobalMaxPool Hardmax Max MaxPool Min QuantizeLinear ReduceMax ReduceMin
    ScatterElements ScatterND TopK""".split()
)
# ONNX Runtime takes the most negative number for -inf there, converts infinities to integers, or takes a place that is no number
# for one outside.
FINITE = frozenset("DeformConv DynamicQuantizeLinear GlobalMaxPool GridSample LRN MaxPool QuantizeLinear Resize SoftmaxCrossEntropyLoss Upsample".split())
# Their attributes and constants are floats for ONNX Runtime, doubles or not.
NARROW = frozenset("Elu GroupNormalization HardSigmoid HardSwish InstanceNormalization LayerNormalization LeakyRelu Selu".split())


# Operators that are not in the standard, and the version of their set.
DOMAINS = {"com.microsoft": 1, "ai.onnx.ml": 5}


class Rejected(Exception):
    """What was tried is no valid model, or gives numbers that say nothing."""


class Growth:
    """The nodes so far and the values of their results."""

    def __init__(self, seed: object, mode: str, parent: "Growth | None" = None, opset: int = 0) -> None:
        self.random = random.Random(f"{seed}")
        self.numpy = np.random.default_rng(self.random.getrandbits(63))
        self.mode = mode
        self.parent = parent
        self.nodes: list[NodeProto] = []
        self.values: dict[str, Any] = {}
        self.pool: list[str] = []
        self.inputs: list[str] = []
        self.constants: list[str] = []
        self.arguments: list[str] = []
        self.decided: list[str] = []
        self.count = 0
        self.names: set[str] = set()
        if parent:
            self.opset, self.dtype, self.limit, self.nasty = parent.opset, parent.dtype, parent.limit, parent.nasty
            return
        recent = (13, 15, 17, 18, 18, 19, 20, 21, 22, 23, 24, 25, 26)
        self.opset = opset or self.choose(recent if self.chance(85) else (7, 8, 9, 10, 11, 12))
        weights = {"grad": (0, 1, 0), "special": (75, 15, 10)}.get(mode, (78, 14, 8))
        self.dtype: np.dtype = self.random.choices((F32, F64, F16), weights)[0]
        self.limit = 70_000 if mode == "values" and self.chance(6) else 3000
        self.nasty = self.chance(6)

    # Choices

    def chance(self, percent: float) -> bool:
        return self.random.random() * 100 < percent

    def choose(self, options: Sequence[Any]) -> Any:
        return self.random.choice(options)

    def integer(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def size(self) -> int:
        if self.mode == "empty" and self.chance(15):
            return 0
        return 1 if self.chance(14) else self.choose(EDGES) if self.chance(14) else self.integer(2, 6)

    def shape(self, low: int = 0, high: int = 5, limit: int | None = None) -> list[int]:
        """A shape of a rank in the range, of not too many elements."""
        rank = self.random.choices(range(6), (4, 16, 30, 28, 16, 6))[0]
        rank = min(max(rank, low), high)
        limit = limit or min(self.limit, 3000)
        result: list[int] = []
        for _ in range(rank):
            size = self.size()
            while int(np.prod(result, dtype=np.int64)) * size > limit:
                size = max(1, size // 3)
            result.append(size)
        self.random.shuffle(result)
        return result

    def axis(self, rank: int) -> int:
        """An axis, perhaps counted from the end; the last and the first more often."""
        if rank == 0:
            raise Rejected
        axis = rank - 1 if self.chance(35) else self.integer(0, rank - 1)
        return axis - rank if self.chance(30) else axis

    def axes(self, rank: int) -> list[int]:
        """Some axes in any order, at least one."""
        if rank == 0:
            raise Rejected
        axes = [self.axis(rank)] if self.chance(60) else self.random.sample(range(rank), self.integer(1, rank))
        return axes

    def name(self) -> str:
        outer = self
        while outer.parent:
            outer = outer.parent
        outer.count += 1
        word = self.choose(NASTY) if outer.nasty else "v"
        name = word if outer.nasty and word not in outer.names else f"{word}{outer.count}"
        while name in outer.names:
            name += "_"
        outer.names.add(name)
        return name

    # Values

    def array(self, name: str) -> np.ndarray:
        growth: Growth | None = self
        while growth:
            if name in growth.values:
                return growth.values[name]
            growth = growth.parent
        raise KeyError(name)

    def numbers(self, dtype: np.dtype, shape: Sequence[int]) -> np.ndarray:
        """Contents of an input or a constant."""
        generator = self.numpy
        if dtype == BOOL:
            return generator.random(shape) < 0.5
        if dtype.kind in "iu":
            low, high = (0, 6) if dtype.kind == "u" else (-5, 6)
            result = generator.integers(low, high, shape)
            if self.chance(5):
                info = np.iinfo(dtype)
                result = generator.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
            return np.asarray(result).astype(dtype)
        kind = self.random.random()
        if self.mode == "grad" or kind < 0.6:
            result = generator.normal(0, 1, shape)
        elif kind < 0.8:
            result = generator.integers(-4, 5, shape).astype(np.float64)
        elif kind < 0.95:
            result = generator.random(shape)
        else:
            result = generator.normal(0, 10, shape)
        result = np.asarray(result).astype(dtype)
        if self.mode == "special":
            strange = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-42, -1e-42, np.finfo(np.float32).max, 1e20, -1e20, 88.8, 0.5, 1.5, -2.5)
            with np.errstate(over="ignore"):
                picked = generator.choice(np.array(strange), result.shape).astype(dtype)
            result = np.where(generator.random(result.shape) < 0.15, picked, result)
        return np.asarray(result)

    def source(self, dtype: np.dtype, shape: Sequence[int]) -> str:
        """An input or a constant with random numbers."""
        return self.hold(self.numbers(dtype, shape), is_constant=self.parent is not None or self.chance(35))

    def hold(self, array: np.ndarray, is_constant: bool = True) -> str:
        """An input or a constant with given numbers."""
        name = self.name()
        array = np.ascontiguousarray(array).reshape(array.shape)
        self.values[name] = array
        if is_constant and self.chance(15):
            self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name)))
        else:
            (self.constants if is_constant else self.inputs).append(name)
        if array.size <= self.limit and (array.dtype != BOOL or array.ndim):
            self.pool.append(name)
        return name

    def integers(self, numbers: Sequence[int]) -> str:
        """A constant list of integers that says how an operator works; it is no operand of others."""
        name = self.hold(np.array(numbers, np.int64))
        self.pool.remove(name)
        return name

    def available(self) -> list[str]:
        outer = self.parent.available() if self.parent else []
        return outer[-6:] + self.pool

    def pick(self, condition: Callable[[np.ndarray], bool] = lambda x: True, share: int = 65) -> str:
        """A value that satisfies a condition, rather a late one."""
        fitting = [x for x in self.available() if isinstance(self.array(x), np.ndarray) and condition(self.array(x))]
        if not fitting:
            raise Rejected
        return self.choose(fitting[-3:] if self.chance(share) else fitting)

    def operand(self, low: int = 0, high: int = 5) -> str:
        """A value of the model's float type, of a rank in the range."""
        try:
            return self.pick(lambda x: x.dtype == self.dtype and low <= x.ndim <= high)
        except Rejected:
            return self.source(self.dtype, self.shape(low, high))

    def partner(self, x: str, dtype: np.dtype | None = None) -> str:
        """A value that broadcasts with another."""
        shape = list(self.array(x).shape)
        dtype = dtype or self.array(x).dtype

        def fits(other: np.ndarray) -> bool:
            if other.dtype != dtype:
                return False
            try:
                return int(np.prod(np.broadcast_shapes(other.shape, shape), dtype=np.int64)) <= self.limit
            except ValueError:
                return False

        if self.chance(8) and dtype == self.array(x).dtype:
            return x
        if self.chance(60):
            try:
                return self.pick(fits)
            except Rejected:
                pass
        kind = self.random.random()
        if kind < 0.3:
            pass
        elif kind < 0.75:
            shape = [1 if self.chance(40) else size for size in shape][self.integer(0, len(shape)) if self.chance(50) else 0 :]
        elif kind < 0.9:
            shape = []
        elif len(shape) < 5:
            shape = [self.integer(1, 3), *shape]
        return self.source(dtype, shape)

    # Nodes

    def apply(
        self, operation: str, operands: Sequence[str], count: int = 1, is_kept: bool = True, domain: str = "", **attributes: Any
    ) -> Any:
        """Adds a node and gives the names of its results; a single one as such."""
        if not domain and not self.is_standard(operation):
            raise Rejected
        outputs = [self.name() for _ in range(count)]
        if self.mode == "special":
            self.judge_operands(operation, operands)
        node = helper.make_node(operation, list(operands), outputs, domain=domain or None, **attributes)
        results = self.run([node], outputs)
        for result in results:
            self.judge(result)
        self.nodes.append(node)
        for name, result in zip(outputs, results):
            self.values[name] = result
            if is_kept:
                self.pool.append(name)
        return outputs if count != 1 else outputs[0]

    def fragment(self, nodes: Sequence[NodeProto], results: Sequence[str], is_decided: bool = False) -> None:
        """Adds nodes that are run as one: what is between them may be of types that NumPy has not.

        Results with sizes that data decides are outputs, and no operands of what follows: it would take the sizes of these
        inputs for those of all.
        """
        if self.mode == "special" or any(not x.domain and not self.is_standard(x.op_type) for x in nodes):
            raise Rejected
        values = self.run(nodes, results)
        for value in values:
            if not is_decided:
                self.judge(value)
        self.nodes += nodes
        for node in nodes:
            for name in node.output:
                self.values.setdefault(name, None)
        for name, value in zip(results, values):
            self.values[name] = value
            (self.decided if is_decided else self.pool).append(name)

    def is_standard(self, operation: str) -> bool:
        """Whether the operator set has the operator; ONNX Runtime has more."""
        try:
            return not onnx.defs.get_schema(operation, self.opset).deprecated
        except onnx.defs.SchemaError:
            return False

    def judge(self, result: Any) -> None:
        """Refuses what is too large, and numbers that say nothing."""
        if isinstance(result, list):
            for part in result:
                self.judge(part)
            return
        result = np.asarray(result)
        if result.size > self.limit or result.ndim > 6:
            raise Rejected
        if self.mode != "empty" and result.size == 0:
            raise Rejected
        if self.mode != "special" and reference.is_float(result) and result.size:
            largest = np.abs(result.astype(np.float64)).max()
            if not largest < (300 if result.dtype == F16 else 20_000):
                raise Rejected

    def judge_operands(self, operation: str, operands: Sequence[str]) -> None:
        """Refuses numbers of which every implementation makes something else."""
        for position, name in enumerate(operands):
            array = self.array(name) if name else None
            if not isinstance(array, np.ndarray) or not reference.is_float(array):
                continue
            wide = array.astype(np.float64)
            if operation in CHOICES and np.isnan(wide).any():
                raise Rejected
            if (operation in FINITE or operation in SUMS and position > 0) and not np.isfinite(wide).all():
                raise Rejected
            if operation in NARROW and array.dtype == F64:
                raise Rejected
            large = 1e2 if array.dtype == F16 else 1e15
            if operation in SUMS and (np.abs(wide[np.isfinite(wide)]) > large).any():
                raise Rejected

    def imports(self, nodes: Sequence[NodeProto]) -> list[onnx.OperatorSetIdProto]:
        """The operator sets of nodes, those inside of them too."""
        domains = {x.domain for x in nodes} | {
            x.domain for node in nodes for a in node.attribute if a.type == onnx.AttributeProto.GRAPH
            for graph in reference.graphs(a.g) for x in graph.node
        }
        return [helper.make_opsetid("", self.opset)] + [helper.make_opsetid(x, DOMAINS[x]) for x in sorted(domains) if x]

    def run(self, nodes: Sequence[NodeProto], wanted: Sequence[str]) -> list[Any]:
        """What nodes give."""
        names: list[str] = []

        def visit(graph_nodes: Sequence[NodeProto], inner: set[str]) -> None:
            for each in graph_nodes:
                for name in each.input:
                    if name and name not in inner and name not in names:
                        names.append(name)
                for attribute in each.attribute:
                    if attribute.type == onnx.AttributeProto.GRAPH:
                        own = inner | {x.name for x in attribute.g.input} | {x.name for x in attribute.g.initializer}
                        own |= {name for x in attribute.g.node for name in x.output}
                        for x in attribute.g.output:
                            if x.name not in own and x.name not in names:
                                names.append(x.name)
                        visit(attribute.g.node, own)

        visit(nodes, set())
        outer = [x for x in names if self.exists(x)]
        feeds = {name: self.array(name) for name in outer}
        graph = helper.make_graph(
            list(nodes), "g", [value_info(x, feeds[x]) for x in outer], [onnx.ValueInfoProto(name=x) for x in wanted])
        model = helper.make_model(graph, opset_imports=self.imports(nodes), ir_version=10 if self.opset < 23 else 11)
        try:
            return reference.run_onnxruntime(model, feeds)
        except Exception as error:
            if "NOT_IMPLEMENTED" not in str(error) and "NotImplemented" not in type(error).__name__:
                raise Rejected(str(error)) from error
        try:
            return reference.run_evaluator(model, feeds)
        except Exception as error:
            raise Rejected(str(error)) from error

    def exists(self, name: str) -> bool:
        return name in self.values or (self.parent is not None and self.parent.exists(name))

    # The end

    def body(self, results: Sequence[str], name: str) -> GraphProto:
        """The graph of a sub-graph."""
        return helper.make_graph(
            self.nodes, name, [value_info(x, self.values[x]) for x in self.arguments],
            [value_info(x, self.array(x)) for x in results],
            [numpy_helper.from_array(self.values[x], x) for x in self.constants])

    def model(self) -> tuple[ModelProto, reference.Arrays]:
        """The model with its last values, perhaps inner ones and inputs, as outputs."""
        used = {name for node in self.nodes for name in node.input}
        made = [x for node in self.nodes for x in node.output if isinstance(self.values[x], np.ndarray) and x in self.pool]
        if not made and not self.decided:
            raise Rejected
        outputs = [x for x in made if x not in used][-4:] or made[-1:]
        if self.chance(30):
            outputs += [x for x in self.random.sample(made, min(len(made), self.integer(1, 2))) if x not in outputs]
        if self.chance(3) and self.inputs:
            outputs.append(self.inputs[0])
        outputs += self.decided
        if self.mode == "grad":
            outputs = [x for x in outputs if self.values[x].dtype == self.dtype][-1:]
            if not outputs:
                raise Rejected
        symbols = self.chance(0)
        inputs = [value_info(x, self.values[x]) for x in self.inputs]
        if symbols:
            for value in inputs:
                for axis in value.type.tensor_type.shape.dim:
                    if axis.dim_value > 1 and self.chance(30):
                        axis.dim_param = f"n{axis.dim_value}"
        graph = helper.make_graph(
            self.nodes, "random", inputs,
            [value_info(x, self.values[x]) if not symbols and x not in self.decided else helper.make_tensor_value_info(
                x, helper.np_dtype_to_tensor_dtype(self.values[x].dtype), None) for x in outputs],
            [numpy_helper.from_array(self.values[x], x) for x in self.constants],
            # ONNX does not infer what is not its own.
            value_info=[value_info(x, self.values[x]) for node in self.nodes if node.domain for x in node.output
                        if isinstance(self.values[x], np.ndarray) and x not in outputs])
        version = 11 if self.opset > 22 else 10 if self.opset > 10 else 7
        model = helper.make_model(graph, opset_imports=self.imports(self.nodes), ir_version=version)
        feeds = {x: self.values[x] for x in self.inputs}
        return pruned(model), feeds


def pruned(model: ModelProto) -> ModelProto:
    """A model without the nodes and initializers that no output needs, in sub-graphs too; inputs stay."""
    result = ModelProto()
    result.CopyFrom(model)
    prune(result.graph)
    return result


def prune(graph: GraphProto) -> None:
    needed = {x.name for x in graph.output}
    kept: list[NodeProto] = []
    for node in reversed(graph.node):
        if needed.isdisjoint(node.output):
            continue
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                prune(attribute.g)
        kept.append(node)
        needed |= names_of(node)
    kept.reverse()
    initializers = [x for x in graph.initializer if x.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(initializers)


def names_of(node: NodeProto) -> set[str]:
    """All names that a node and the graphs inside it mention."""
    names = {x for x in node.input if x}
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            for inner in attribute.g.node:
                names |= names_of(inner)
            names |= {x.name for x in attribute.g.output}
    return names


def value_info(name: str, value: Any) -> onnx.ValueInfoProto:
    """The type of a value, with its sizes."""
    if isinstance(value, list):
        kind = helper.np_dtype_to_tensor_dtype(value[0].dtype) if value else onnx.TensorProto.FLOAT
        return helper.make_tensor_sequence_value_info(name, kind, None)
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), list(value.shape))
