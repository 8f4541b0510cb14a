"""What grows a model by one step: an operator, or a pattern of several, with random operands and attributes."""

from collections.abc import Callable

import numpy as np
from growth import BOOL, F16, F32, F64, I64, INTEGERS, Growth, Rejected
from onnx import TensorProto, helper

Step = Callable[[Growth], None]

STEPS: dict[str, tuple[float, Step]] = {}


def step(weight: float = 1) -> Callable[[Step], Step]:
    """Puts a function into the catalogue; the weight says how often it is chosen."""

    def add(function: Step) -> Step:
        STEPS[function.__name__] = (weight, function)
        return function

    return add


# How Python tells that there is nothing to choose from or to divide, where sizes are 0.
NOTHING = (IndexError, ValueError, ZeroDivisionError)


def grow(growth: Growth, steps: int, only: frozenset[str] = frozenset(), without: frozenset[str] = frozenset()) -> None:
    """Takes random steps; those that are rejected are tried again with others."""
    names = [x for x in STEPS if (not only or x in only) and x not in without]
    weights = [STEPS[x][0] for x in names]
    done, tries = 0, 0
    while done < steps and tries < 12 * steps:
        tries += 1
        name = growth.random.choices(names, weights)[0]
        kept = (len(growth.nodes), list(growth.pool), list(growth.inputs), list(growth.constants), list(growth.decided))
        try:
            STEPS[name][1](growth)
            done += 1
        except (Rejected, *NOTHING) as error:
            if growth.mode != "empty" and not isinstance(error, Rejected):
                raise
            # What was added on the way to the rejected node is forgotten.
            del growth.nodes[kept[0] :]
            growth.pool, growth.inputs, growth.constants, growth.decided = kept[1:]


# Element by element


def positive(g: Growth, x: str, least: float) -> str:
    """A value made at least so large."""
    a = g.apply("Abs", [x], is_kept=False)
    return g.apply("Add", [a, g.hold(np.array(least, g.array(x).dtype))], is_kept=False)


@step(7)
def unary(g: Growth) -> None:
    x = g.operand()
    smooth = "Exp Sin Cos Atan Sinh Cosh Tanh Asinh Erf Sigmoid Softplus Softsign Mish Neg".split()
    broken = "Abs Floor Ceil Round Sign Relu HardSwish".split()
    bounded = "Asin Acos Atanh".split()
    operation = g.choose(smooth + bounded + ["Log", "Sqrt", "Reciprocal", "Acosh", "Tan", "Abs", "Relu"] + ([] if g.mode == "grad" else broken))
    if g.mode != "special":
        if operation in ("Log", "Sqrt", "Reciprocal"):
            x = positive(g, x, 0.2)
        elif operation == "Acosh":
            x = positive(g, x, 1.2)
        elif operation in bounded:
            x = g.apply("Mul", [g.apply("Tanh", [x]), g.hold(np.array(0.9, g.array(x).dtype))])
        elif operation in ("Exp", "Sinh", "Cosh", "Tan") and np.abs(g.array(x)).max(initial=0) > 5:
            x = g.apply("Tanh", [x])
    g.apply(operation, [x])


@step(3)
def activation(g: Growth) -> None:
    x = g.operand()
    alpha = {"alpha": round(g.random.uniform(-1, 2), 2)} if g.chance(60) else {}
    beta = {"beta": round(g.random.uniform(-1, 1), 2)} if g.chance(50) else {}
    match g.integer(0, 9):
        case 0: g.apply("LeakyRelu", [x], **alpha)
        case 1: g.apply("Elu", [x], **alpha)
        case 2: g.apply("Celu", [x], alpha=g.choose([1.0, 0.5, 2.0]))
        case 3: g.apply("Selu", [x], **alpha)
        case 4: g.apply("ThresholdedRelu", [x], **alpha)
        case 5: g.apply("HardSigmoid", [x], **alpha, **beta)
        case 6: g.apply("Gelu", [x], **({"approximate": g.choose(["none", "tanh"])} if g.chance(70) else {}))
        case 7: g.apply("Shrink", [x], bias=g.choose([0.0, 0.25, -0.5]), lambd=g.choose([0.5, 1.0, 0.1]))
        case 8: g.apply("Swish", [x], **alpha)
        case 9: g.apply("PRelu", [x, g.source(g.array(x).dtype, slope_shape(g, x))])


def slope_shape(g: Growth, x: str) -> list[int]:
    shape = list(g.array(x).shape)
    kind = g.integer(0, 3)
    if kind == 0 or not shape:
        return [1] if shape else []
    if kind == 1 and len(shape) > 1:
        return [shape[1], *[1] * (len(shape) - 2)]
    return [1 if g.chance(40) else size for size in shape]


@step(8)
def binary(g: Growth) -> None:
    x = g.operand()
    y = g.partner(x)
    operation = g.choose(["Add", "Add", "Add", "Sub", "Sub", "Mul", "Mul", "Mul", "Div", "Max", "Min", "Pow"])
    if operation == "Div" and g.mode != "special" and g.array(y).size and np.abs(g.array(y)).min() < 0.1:
        y = positive(g, y, 0.3)
    if operation == "Pow" and g.mode != "special":
        x = positive(g, x, 0.3)
        if np.abs(g.array(y)).max(initial=0) > 4:
            y = g.apply("Tanh", [y])
    g.apply(operation, [x, y] if g.chance(60) or operation in ("Div", "Pow") else [y, x])


@step(1)
def power(g: Growth) -> None:
    x = g.operand()
    kind = g.choose([g.array(x).dtype, F32, I64, np.dtype("int32")])
    g.apply("Pow", [x, g.hold(np.array(g.choose([2, 3, 0, 1]), kind))])


@step(1)
def several(g: Growth) -> None:
    x = g.operand()
    g.apply(g.choose(["Sum", "Mean", "Max", "Min"]), [x] + [g.partner(x) for _ in range(g.integer(0, 3))])


@step(2)
def residual(g: Growth) -> None:
    """A value and something made of it, added."""
    x = g.operand(1)
    y = g.apply(g.choose(["Tanh", "Relu", "Sigmoid", "Neg"]), [x])
    if g.chance(50):
        y = g.apply("Mul", [y, g.partner(y)])
    g.apply(g.choose(["Add", "Sub", "Mul"]), [x, y])


@step(2)
def whole(g: Growth) -> None:
    """Arithmetic of integers."""
    try:
        x = g.pick(lambda a: a.dtype.kind in "iu")
    except Rejected:
        x = g.source(g.choose(INTEGERS), g.shape())
    kind = g.array(x).dtype
    match g.integer(0, 7):
        case 0: g.apply(g.choose(["Abs", "Neg", "Sign", "BitwiseNot"]), [x])
        case 1: g.apply(g.choose(["BitwiseAnd", "BitwiseOr", "BitwiseXor"]), [x, g.partner(x)])
        case 2:
            shift = g.hold(np.array(g.integer(0, 7), kind))
            g.apply("BitShift", [x, shift], direction=g.choose(["LEFT", "RIGHT"]))
        case 3:
            divisor = g.hold(np.array(g.choose([1, 2, 3, 7] + ([-2, -3] if kind.kind == "i" else [])), kind))
            g.apply("Div" if g.chance(50) else "Mod", [x, divisor])
        case 4: g.apply("Mod", [x, g.hold(np.array(g.choose([2, 3, 5]), kind))], fmod=g.integer(0, 1))
        case 5: g.apply(g.choose(["Max", "Min"]), [x, g.partner(x)])
        case _: g.apply(g.choose(["Add", "Sub", "Mul"]), [x, g.partner(x)])


@step(1)
def modulo(g: Growth) -> None:
    x = g.operand()
    g.apply("Mod", [x, g.hold(np.array(g.choose([1.5, -2.5, 3.0]), g.array(x).dtype))], fmod=1)


@step(2)
def compare(g: Growth) -> None:
    x = g.operand() if g.chance(70) else g.pick(lambda a: a.dtype != BOOL)
    y = g.partner(x)
    g.apply(g.choose(["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"]), [x, y])


@step(1)
def logic(g: Growth) -> None:
    try:
        x = g.pick(lambda a: a.dtype == BOOL)
    except Rejected:
        x = g.source(BOOL, g.shape())
    match g.integer(0, 3):
        case 0: g.apply("Not", [x])
        case 1: g.apply(g.choose(["IsNaN", "IsInf"]), [g.operand()])
        case _: g.apply(g.choose(["And", "Or", "Xor", "Equal"]), [x, g.partner(x)])


@step(2)
def where(g: Growth) -> None:
    x = g.operand() if g.chance(80) else g.pick()
    y = g.partner(x)
    wide = np.broadcast_shapes(g.array(x).shape, g.array(y).shape)
    try:
        condition = g.pick(lambda a: a.dtype == BOOL and np.broadcast_shapes(a.shape, wide) is not None)
    except (Rejected, ValueError):
        condition = g.apply("Greater", [x, y]) if g.array(x).dtype != BOOL and g.chance(50) else g.source(BOOL, wide)
    g.apply("Where", [condition, x, y])


@step(1)
def clip(g: Growth) -> None:
    x = g.operand()
    kind = g.array(x).dtype
    if g.opset < 11:
        g.apply("Clip", [x], **({"min": -0.7} if g.chance(70) else {}), **({"max": 0.9} if g.chance(70) else {}))
        return
    low = g.hold(np.array(-0.7, kind)) if g.chance(70) else ""
    high = g.hold(np.array(g.choose([0.9, -1.0]), kind)) if g.chance(70) else ""
    g.apply("Clip", [x, low, high])


@step(3)
def cast(g: Growth) -> None:
    x = g.pick()
    array = g.array(x)
    kinds = [F32, F32, F64, F16, BOOL, *INTEGERS]
    kind = g.dtype if array.dtype != g.dtype else g.choose(kinds)
    if array.dtype.kind == "f" and kind.kind in "iu":
        # Out of range everybody does as they like.
        if not np.isfinite(array).all() or np.abs(array).max(initial=0) > 100 or (kind.kind == "u" and array.min(initial=0) < 0):
            raise Rejected
    if kind == F16 and array.dtype.kind in "iuf" and np.abs(array.astype(np.float64)).max(initial=0) > 1000:
        raise Rejected
    if array.dtype.kind in "iu" and kind.kind == "f" and np.abs(array.astype(np.float64)).max(initial=0) > 10_000:
        raise Rejected
    if g.opset >= 15 and g.chance(20):
        g.apply("CastLike", [x, g.source(kind, [1])])
    else:
        g.apply("Cast", [x], to=helper.np_dtype_to_tensor_dtype(kind))


@step(0.3)
def dropout(g: Growth) -> None:
    # Before opset 12 nobody says what the mask is where nothing is dropped.
    g.apply("Dropout", [g.operand()], count=g.integer(1, 2) if g.opset >= 12 else 1)


# Views


@step(5)
def transpose(g: Growth) -> None:
    x = g.pick(lambda a: a.ndim >= 2)
    rank = g.array(x).ndim
    if g.chance(20):
        g.apply("Transpose", [x])
        return
    order = list(range(rank))
    if g.chance(50):
        i, j = g.random.sample(order, 2)
        order[i], order[j] = order[j], order[i]
    else:
        g.random.shuffle(order)
    g.apply("Transpose", [x], perm=order)


@step(4)
def reshape(g: Growth) -> None:
    x = g.pick()
    shape = list(g.array(x).shape)
    match g.integer(0, 7):
        case 0: g.apply("Flatten", [x], **({"axis": g.integer(0, len(shape))} if g.chance(80) else {}))
        case 1: unsqueeze(g, x)
        case 2: squeeze(g, x)
        case 3:
            # The shape is computed from that of another.
            sizes = g.apply("Shape", [x])
            g.apply("Reshape", [g.apply("Relu", [x]) if g.array(x).dtype == g.dtype else x, sizes])
        case 4 if shape:
            target = list(shape)
            target[g.integer(0, len(shape) - 1)] = 0 if g.chance(50) else -1
            g.apply("Reshape", [x, g.integers(target)])
        case _:
            total = int(np.prod(shape, dtype=np.int64))
            parts: list[int] = []
            while total > 1 and len(parts) < 4:
                divisors = [d for d in range(1, total + 1) if total % d == 0]
                part = g.choose(divisors)
                parts.append(part)
                total //= part
            parts.insert(g.integer(0, len(parts)), total)
            if g.chance(20):
                parts.insert(g.integer(0, len(parts)), 1)
            if g.chance(25) and 0 not in shape:
                parts[g.integer(0, len(parts) - 1)] = -1
            g.apply("Reshape", [x, g.integers(parts[:6])], **({"allowzero": 1} if g.opset >= 14 and 0 in parts else {}))


def unsqueeze(g: Growth, x: str) -> None:
    rank = g.array(x).ndim
    axes = g.random.sample(range(rank + 1), 1)
    axes = [a - rank - 1 if g.chance(30) and g.opset >= 11 else a for a in axes]
    if g.opset < 13:
        g.apply("Unsqueeze", [x], axes=axes)
    else:
        g.apply("Unsqueeze", [x, g.integers(axes)])


def squeeze(g: Growth, x: str) -> None:
    axes = [a for a, size in enumerate(g.array(x).shape) if size == 1]
    if not axes:
        raise Rejected
    if g.chance(30):
        g.apply("Squeeze", [x])
    elif g.opset < 13:
        g.apply("Squeeze", [x], axes=axes[:1])
    else:
        g.apply("Squeeze", [x, g.integers(axes[: g.integer(1, len(axes))])])


@step(2)
def expand(g: Growth) -> None:
    x = g.pick(lambda a: a.size <= 200)
    shape = [g.integer(2, 5) if size == 1 and g.chance(70) else size for size in g.array(x).shape]
    if g.chance(30):
        shape.insert(0, g.integer(1, 3))
    if g.chance(60):
        g.apply("Expand", [x, g.integers([1 if g.chance(20) and size == g.array(x).shape[-len(shape) + i] else size
                                      for i, size in enumerate(shape)] if len(shape) == g.array(x).ndim else shape)])
    else:
        g.apply("Tile", [x, g.integers([g.integer(1, 3) for _ in g.array(x).shape])])


@step(5)
def slices(g: Growth) -> None:
    x = g.pick(lambda a: a.ndim >= 1)
    array = g.array(x)
    axes = [g.axis(array.ndim)] if g.chance(60) else [a if g.chance(70) else a - array.ndim for a in range(array.ndim)]
    starts, ends, steps = [], [], []
    for axis in axes:
        size = array.shape[axis]
        stride = 1 if g.chance(55) or g.opset < 10 else g.choose([2, 3, -1, -1, -2])
        low, high = g.integer(0, max(0, size // 2)), g.integer(max(0, (size + 1) // 2), size)
        if g.chance(25):
            low, high = 0, g.choose([size, size + 5, 2**63 - 1])
        if stride < 0:
            low, high = high - 1 if high <= size else size, low - 1
            high = -size - 1 if high < 0 else high
        elif g.chance(25) and low < size:
            low = low - size if low else low
            high = high - size if 0 < high < size else high
        starts.append(low)
        ends.append(high)
        steps.append(stride)
    if g.opset < 10:
        g.apply("Slice", [x], axes=[a % array.ndim for a in axes], starts=starts, ends=ends)
        return
    operands = [x, g.integers(starts), g.integers(ends), g.integers(axes)]
    if any(s != 1 for s in steps) or g.chance(30):
        operands.append(g.integers(steps))
    g.apply("Slice", operands)


@step(5)
def concat(g: Growth) -> None:
    x = g.pick(lambda a: a.ndim >= 1)
    array = g.array(x)
    axis = g.axis(array.ndim)
    place = axis % array.ndim

    def fits(other: np.ndarray) -> bool:
        return other.dtype == array.dtype and other.ndim == array.ndim and all(
            i == place or m == n for i, (m, n) in enumerate(zip(other.shape, array.shape)))

    parts = [x]
    for _ in range(g.integer(1, 3)):
        kind = g.random.random()
        if kind < 0.55:
            parts.append(g.pick(fits, 50))
        elif kind < 0.7 and array.dtype == g.dtype:
            parts.append(g.apply(g.choose(["Tanh", "Relu", "Neg", "Sigmoid"]), [x]))
        else:
            shape = list(array.shape)
            shape[place] = g.size()
            parts.append(g.source(array.dtype, shape))
    g.random.shuffle(parts)
    g.apply("Concat", parts, axis=axis)


@step(3)
def split(g: Growth) -> None:
    x = g.pick(lambda a: a.ndim >= 1)
    array = g.array(x)
    axis = g.axis(array.ndim) if g.opset >= 11 else g.integer(0, array.ndim - 1)
    size = array.shape[axis]
    if size < 2:
        raise Rejected
    if g.chance(40):
        count = g.choose([n for n in (2, 3, 4, 5) if size % n == 0] or [2])
        if g.opset >= 18:
            g.apply("Split", [x], count=count, axis=axis, num_outputs=count)
        else:
            g.apply("Split", [x], count=count, axis=axis)
        return
    cut = g.integer(1, size - 1)
    sizes = [cut, size - cut]
    if sizes[1] > 1 and g.chance(40):
        more = g.integer(1, sizes[1] - 1)
        sizes = [cut, more, sizes[1] - more]
    if g.opset < 13:
        g.apply("Split", [x], count=len(sizes), axis=axis, split=sizes)
    else:
        g.apply("Split", [x, g.integers(sizes)], count=len(sizes), axis=axis)


@step(3)
def pad(g: Growth) -> None:
    x = g.operand(1) if g.chance(80) else g.pick(lambda a: a.ndim >= 1 and a.dtype != BOOL)
    array = g.array(x)
    mode = g.choose(["constant", "constant", "constant", "edge", "reflect", "wrap"] if g.opset >= 19 else ["constant", "constant", "edge", "reflect"])
    rank = array.ndim
    low, high = [], []
    for size in array.shape:
        least = -1 if mode == "constant" and size > 2 and g.chance(30) else 0
        most = min(size - 1, 3) if mode in ("reflect", "wrap") else 3
        low.append(g.integer(least, max(least, most)) if g.chance(50) else 0)
        high.append(g.integer(least, max(least, most)) if g.chance(50) else 0)
    if g.opset < 11:
        g.apply("Pad", [x], mode=mode, pads=low + high, **({"value": 1.5} if g.chance(40) else {}))
        return
    operands = [x]
    axes = sorted(g.random.sample(range(rank), g.integer(1, rank)))
    if g.opset >= 18 and g.chance(30):
        operands += [g.integers([low[a] for a in axes] + [high[a] for a in axes]), "", g.integers(axes)]
        if mode == "constant" and g.chance(50):
            operands[2] = g.hold(np.array(2, array.dtype))
    else:
        operands.append(g.integers(low + high))
        if mode == "constant" and g.chance(50):
            operands.append(g.hold(np.array(2, array.dtype)))
    g.apply("Pad", operands, mode=mode)


@step(1)
def blocks(g: Growth) -> None:
    size = g.choose([2, 2, 3])
    n, c, h, w = g.integer(1, 2), g.integer(1, 3), g.integer(1, 4), g.integer(1, 4)
    if g.chance(50):
        x = g.source(g.dtype, [n, c * size * size, h, w])
        g.apply("DepthToSpace", [x], blocksize=size, **({"mode": g.choose(["DCR", "CRD"])} if g.opset >= 11 else {}))
    else:
        g.apply("SpaceToDepth", [g.source(g.dtype, [n, c, h * size, w * size])], blocksize=size)


@step(1)
def triangle(g: Growth) -> None:
    x = g.pick(lambda a: a.ndim >= 2 and a.dtype != BOOL)
    operands = [x] + ([g.hold(np.array(g.integer(-3, 3), np.int64))] if g.chance(60) else [])
    g.apply("Trilu", operands, upper=g.integer(0, 1))


@step(1)
def made(g: Growth) -> None:
    """Tensors that are made of nothing but shapes."""
    match g.integer(0, 4):
        case 0:
            x = g.pick(lambda a: a.ndim == 2)
            g.apply("EyeLike", [x], k=g.integer(-2, 2), dtype=helper.np_dtype_to_tensor_dtype(g.choose([g.dtype, I64])))
        case 1:
            depth = g.integer(2, 6)
            shape = g.shape(0, 3, 200)
            indices = g.hold(g.numpy.integers(-depth, depth, shape).astype(np.int64), g.chance(30))
            values = g.hold(np.array([0, 1] if g.chance(60) else [2, -3], g.dtype))
            g.apply("OneHot", [indices, g.hold(np.array(depth, np.int64)), values], axis=g.integer(-1, len(shape)))
        case 2:
            kind = g.choose([I64, F32])
            bounds = [g.hold(np.array(v, kind)) for v in (g.integer(0, 3), g.integer(4, 40), g.choose([1, 2, 3]))]
            g.apply("Range", bounds)
        case 3:
            value = helper.make_tensor("value", helper.np_dtype_to_tensor_dtype(g.dtype), [1], [g.choose([0.0, 1.0, -2.5])])
            g.apply("ConstantOfShape", [g.integers(g.shape(0, 4, 500))], value=value)
        case 4:
            x = g.pick(lambda a: a.ndim >= 1)
            g.apply("CenterCropPad", [x, g.integers([g.integer(1, size + 3) for size in g.array(x).shape])])


# Reductions


REDUCTIONS = ["ReduceSum", "ReduceSum", "ReduceMean", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
              "ReduceSumSquare", "ReduceLogSumExp", "ReduceLogSum"]


@step(9)
def reduction(g: Growth) -> None:
    x = g.operand(1) if g.chance(85) else g.pick(lambda a: a.dtype in (np.dtype("int32"), I64) and a.ndim >= 1)
    operation = g.choose(REDUCTIONS if g.array(x).dtype.kind == "f" else ["ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceMean"])
    if operation == "ReduceProd" and g.array(x).dtype.kind == "f" and g.array(x).size > 64:
        # Infinity or zero: it depends on the order of the factors whether the product overflows before it meets a zero.
        raise Rejected
    if operation == "ReduceLogSum":
        x = positive(g, x, 0.2)
    reduce(g, operation, x, g.axes(g.array(x).ndim))


def reduce(g: Growth, operation: str, x: str, axes: list[int]) -> str:
    attributes = {"keepdims": g.integer(0, 1)} if g.chance(80) else {}
    if g.opset < 11:
        axes = [a % g.array(x).ndim for a in axes]
    if g.chance(10):
        return g.apply(operation, [x], **attributes)
    if g.opset >= (13 if operation == "ReduceSum" else 18):
        return g.apply(operation, [x, g.integers(axes)], **attributes)
    return g.apply(operation, [x], axes=axes, **attributes)


@step(2)
def place(g: Growth) -> None:
    x = g.operand(1)
    last = {"select_last_index": 1} if g.opset >= 12 and g.chance(30) else {}
    axis = g.axis(g.array(x).ndim) if g.opset >= 11 else 0
    if g.array(x).shape[axis] == 0:
        raise Rejected  # nothing has no place; ONNX Runtime says 0
    g.apply(g.choose(["ArgMax", "ArgMin"]), [x], axis=axis, keepdims=g.integer(0, 1), **last)


@step(3)
def running(g: Growth) -> None:
    x = g.operand(1)
    axis = g.hold(np.array(g.axis(g.array(x).ndim), np.int64))
    g.apply("CumSum" if g.chance(80) else "CumProd", [x, axis], exclusive=g.integer(0, 1), reverse=g.integer(0, 1))


@step(5)
def softmax(g: Growth) -> None:
    x = g.operand(1)
    rank = g.array(x).ndim
    axis = g.axis(rank) if g.opset >= 11 else g.integer(0, rank - 1)
    y = g.apply(g.choose(["Softmax", "Softmax", "Softmax", "LogSoftmax", "Hardmax"]), [x], **({"axis": axis} if g.chance(80) else {}))
    if g.chance(50):
        match g.integer(0, 4):
            case 0: reduce(g, g.choose(REDUCTIONS[:11]), y, g.axes(rank))
            case 1: g.apply("Mul", [y, g.partner(y)])
            case 2: g.apply("Sub", [x, y])
            case 3 if rank >= 2: g.apply("Transpose", [y])
            case _: g.apply("MatMul", [y, matrix_for(g, y)])


@step(2)
def handmade(g: Growth) -> None:
    """Normalizations as exporters write them."""
    x = g.operand(1)
    axis = g.axis(g.array(x).ndim)

    def mean(y: str) -> str:
        if g.opset >= 18:
            return g.apply("ReduceMean", [y, g.integers([axis])], keepdims=1)
        return g.apply("ReduceMean", [y], axes=[axis if g.opset >= 11 else axis % g.array(x).ndim], keepdims=1)

    centred = g.apply("Sub", [x, mean(x)])
    squares = g.apply("Mul", [centred, centred]) if g.chance(50) else g.apply("Pow", [centred, g.hold(np.array(2, g.array(x).dtype))])
    spread = g.apply("Sqrt", [g.apply("Add", [mean(squares), g.hold(np.array(0.1, g.array(x).dtype))])])
    y = g.apply("Div", [centred, spread])
    if g.chance(60):
        g.apply("Add", [g.apply("Mul", [y, g.partner(y)]), x])


# Products and windows


def matrix_for(g: Growth, x: str) -> str:
    """A right operand of MatMul."""
    shape = g.array(x).shape
    if not shape:
        raise Rejected
    inner = shape[-1]
    if g.chance(45):
        try:
            return g.pick(lambda a: a.dtype == g.array(x).dtype and (
                (a.ndim == 1 and a.shape[0] == inner) or (a.ndim == 2 and a.shape[0] == inner)
                or (a.ndim == len(shape) > 1 and a.shape[-2] == inner and a.shape[:-2] == shape[:-2])))
        except Rejected:
            pass
    kind = g.random.random()
    if kind < 0.15:
        return g.source(g.array(x).dtype, [inner])
    batch = [] if kind < 0.6 else [1 if g.chance(30) else size for size in shape[:-2]]
    return g.source(g.array(x).dtype, [*batch, inner, g.size()])


@step(5)
def product(g: Growth) -> None:
    x = g.operand(1, 4)
    if g.array(x).shape[-1] > 300:
        raise Rejected
    y = matrix_for(g, x)
    result = g.apply("MatMul", [x, y])
    if g.chance(60):
        result = g.apply("Add", [result, g.partner(result)])
    if g.chance(40):
        g.apply(g.choose(["Relu", "Tanh", "Sigmoid", "Neg"]), [result])


@step(2)
def gemm(g: Growth) -> None:
    a = g.operand(2, 2)
    m, k = g.array(a).shape
    left = g.integer(0, 1)
    if left:
        m, k = k, m
    n = g.size()
    right = g.integer(0, 1)
    b = g.source(g.array(a).dtype, [n, k] if right else [k, n])
    operands = [a, b]
    if g.chance(70) or g.opset < 11:
        operands.append(g.source(g.array(a).dtype, g.choose([[n], [1, n], [m, 1], [m, n], [1], []])))
    more = {"alpha": 0.5} if g.chance(30) else {}
    g.apply("Gemm", operands, transA=left, transB=right, **more, **({"beta": -2.0} if g.chance(30) else {}))


EQUATIONS = ["ij,jk->ik", "bij,bjk->bik", "bhqd,bhkd->bhqk", "ij->ji", "ij->i", "ii->i", "i,j->ij", "ij,ij->", "bij,jk", "...ij,...jk->...ik", "ijk,ijl->kl",
             "ij,kj,kl->il", "bqhd,bkhd->bhqk", "ii", "abc->cb"]


@step(2)
def einsum(g: Growth) -> None:
    equation = g.choose(EQUATIONS)
    sizes: dict[str, int] = {}
    operands = []
    for term in equation.split("->")[0].split(","):
        letters = term.replace("...", "E") if g.chance(50) else term.replace("...", "")
        wanted = [sizes.setdefault(x, min(g.size(), 20)) for x in letters]
        try:
            operands.append(g.pick(lambda a: a.dtype == g.dtype and list(a.shape) == wanted))
        except Rejected:
            operands.append(g.source(g.dtype, wanted))
    g.apply("Einsum", operands, equation=equation)


def image(g: Growth, spatial: int | None = None, least: int = 1) -> str:
    """A value with batch, channels and spatial axes."""
    try:
        if g.chance(45):
            return g.pick(lambda a: a.dtype == g.dtype and (a.ndim == spatial + 2 if spatial else 3 <= a.ndim <= 5)
                          and all(n >= least for n in a.shape[2:]))
    except Rejected:
        pass
    count = spatial or g.random.choices((1, 2, 3), (25, 60, 15))[0]
    most = (40, 14, 6)[count - 1]
    channels = g.choose([1, 2, 3, 4, 4, 6, 8, 16, 17, 32]) if g.chance(90) else g.choose([33, 64, 65])
    extents = [max(least, g.size() if g.chance(15) and count == 1 else g.integer(1, most)) for _ in range(count)]
    shape = [g.integer(1, 2), channels, *extents]
    while np.prod(shape) > g.limit:
        shape[1] = max(1, shape[1] // 2)
        shape[2:] = [max(least, n - 1) for n in shape[2:]]
    return g.source(g.dtype, shape)


def window(g: Growth, extents: list[int], is_pool: bool = False) -> dict[str, object]:
    """Kernel, strides, dilations and padding of a window over axes of given sizes."""
    count = len(extents)
    dilations = [1 if g.chance(80) else 2 for _ in extents]
    kernel = [g.choose([1, 2, 3, 3, 3, 5]) for _ in extents]
    low = [g.integer(0, 2) if g.chance(60) else 0 for _ in extents]
    high = [low[i] if g.chance(60) else g.integer(0, 2) for i in range(count)]
    for i, extent in enumerate(extents):
        while (kernel[i] - 1) * dilations[i] + 1 > extent + low[i] + high[i] and kernel[i] > 1:
            kernel[i] -= 1
        if is_pool:
            low[i], high[i] = min(low[i], kernel[i] - 1), min(high[i], kernel[i] - 1)
    attributes: dict[str, object] = {"kernel_shape": kernel}
    if g.chance(50):
        attributes["strides"] = [g.choose([1, 1, 2, 3]) for _ in extents]
    if any(d > 1 for d in dilations):
        attributes["dilations"] = dilations
    if g.chance(15) and not any(d > 1 for d in dilations):
        attributes["auto_pad"] = g.choose(["SAME_UPPER", "SAME_LOWER", "VALID"])
    elif any(low) or any(high) or g.chance(20):
        attributes["pads"] = low + high
    return attributes


@step(6)
def convolution(g: Growth) -> None:
    x = image(g)
    n, c, *extents = g.array(x).shape
    group = g.choose([1, 1, 1, c] + [d for d in (2, 3, 4) if c % d == 0])
    each = g.choose([1, 1, 2, 3]) if group == c else g.choose([1, 2, 3, 4, 8, 16, 17])
    attributes = window(g, extents)
    weight = g.source(g.array(x).dtype, [group * each, c // group, *attributes["kernel_shape"]])
    operands = [x, weight]
    if g.chance(60):
        operands.append(g.source(g.array(x).dtype, [group * each]))
    y = g.apply("Conv", operands, group=group, **attributes)
    if g.chance(60):
        y = g.apply(g.choose(["Relu", "Tanh", "Sigmoid", "LeakyRelu"]), [y])
    if g.chance(30):
        g.apply("Add", [y, g.partner(y)])


@step(2)
def transposed(g: Growth) -> None:
    x = image(g)
    n, c, *extents = g.array(x).shape
    group = g.choose([1, 1, c] + [d for d in (2, 3) if c % d == 0])
    attributes = window(g, extents)
    attributes.pop("auto_pad", None)
    strides = attributes.get("strides", [1] * len(extents))
    weight = g.source(g.array(x).dtype, [c, g.integer(1, 4), *attributes["kernel_shape"]])
    operands = [x, weight]
    if g.chance(50):
        operands.append(g.source(g.array(x).dtype, [group * g.array(weight).shape[1]]))
    if g.chance(30) and max(strides) > 1:
        attributes["output_padding"] = [g.integer(0, s - 1) for s in strides]
    g.apply("ConvTranspose", operands, group=group, **attributes)


@step(3)
def pool(g: Growth) -> None:
    x = image(g)
    extents = list(g.array(x).shape[2:])
    operation = g.choose(["MaxPool", "MaxPool", "AveragePool", "AveragePool", "LpPool"])
    attributes = window(g, extents, is_pool=True)
    if "dilations" in attributes and g.opset < {"MaxPool": 10, "AveragePool": 19, "LpPool": 18}[operation]:
        del attributes["dilations"]
    if g.opset >= {"MaxPool": 10, "AveragePool": 10, "LpPool": 18}[operation] and g.chance(30):
        attributes["ceil_mode"] = 1
    if operation == "AveragePool" and g.chance(40):
        attributes["count_include_pad"] = 1
    if operation == "LpPool" and g.chance(50):
        attributes["p"] = g.choose([1, 2, 3])
    count = 1
    if operation == "MaxPool" and g.chance(35):
        count = 2
        if g.chance(30):
            attributes["storage_order"] = 1
    result = g.apply(operation, [x], count=count, **attributes)
    if count == 2 and g.chance(50) and not {"ceil_mode", "storage_order", "dilations", "auto_pad"} & set(attributes):
        kept = {k: v for k, v in attributes.items() if k in ("kernel_shape", "strides", "pads")}
        # Places count in the shape that the window covers; outside of it they are errors, of which ONNX Runtime does not tell.
        covered = np.array(g.array(result[0]).shape[2:]) - 1
        covered = covered * kept.get("strides", 1) + kept["kernel_shape"] - np.reshape(kept.get("pads", [0, 0] * len(covered)), (2, -1)).sum(0)
        if g.array(result[1]).max(initial=0) >= np.prod(covered) * np.prod(g.array(x).shape[:2]):
            raise Rejected
        shape = g.integers(list(g.array(x).shape))
        g.apply("MaxUnpool", [*result, shape], **kept)


@step(1)
def globally(g: Growth) -> None:
    x = image(g)
    # ONNX Runtime has these for f32, and the reference evaluator takes some of them to have another shape.
    if g.array(x).dtype != F32:
        raise Rejected
    g.apply(g.choose(["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"]), [x])


@step(4)
def normalization(g: Growth) -> None:
    kind = g.dtype
    match g.integer(0, 8):
        case 0 | 1:
            x = image(g) if g.chance(80) else g.operand(2)
            c = g.array(x).shape[1]
            mean, scale, bias = (g.source(kind, [c]) for _ in range(3))
            variance = g.hold((g.numpy.random(c) + 0.5).astype(kind), g.chance(70))
            g.apply("BatchNormalization", [x, scale, bias, mean, variance], epsilon=0.01)
        case 2:
            x = image(g)
            c = g.array(x).shape[1]
            g.apply("InstanceNormalization", [x, g.source(kind, [c]), g.source(kind, [c])], epsilon=0.01)
        case 3:
            x = image(g)
            c = g.array(x).shape[1]
            groups = g.choose([d for d in range(1, c + 1) if c % d == 0])
            size = c if g.opset >= 21 else groups
            g.apply("GroupNormalization", [x, g.source(kind, [size]), g.source(kind, [size])], num_groups=groups, epsilon=0.01)
        case 4 | 5:
            x = g.operand(1)
            rank = g.array(x).ndim
            axis = g.axis(rank)
            shape = list(g.array(x).shape[axis % rank :])
            operands = [x, g.source(kind, shape if g.chance(80) else [1] + shape[1:])] + ([g.source(kind, shape)] if g.chance(60) else [])
            count = g.choose([1, 1, 1, 2, 3])
            g.apply("LayerNormalization", operands, count=count, axis=axis, epsilon=0.01)
        case 6:
            x = g.operand(1)
            rank = g.array(x).ndim
            axis = g.axis(rank)
            g.apply("RMSNormalization", [x, g.source(kind, g.array(x).shape[axis % rank :])], axis=axis, epsilon=0.01)
        case 7:
            x = g.operand(1)
            g.apply("LpNormalization", [x], axis=g.axis(g.array(x).ndim), p=g.integer(1, 2))
        case 8:
            x = image(g)
            if g.chance(50):
                g.apply("LRN", [x], size=g.choose([1, 3, 5, 2]), alpha=0.1, beta=0.75, bias=1.5)
            elif g.array(x).ndim == 4:
                g.apply("MeanVarianceNormalization", [x])


@step(1)
def resize(g: Growth) -> None:
    x = image(g, g.choose([1, 2]))
    rank = g.array(x).ndim
    scales = [1.0, 1.0] + [g.choose([0.5, 0.7, 1.0, 1.5, 2.0, 2.0, 3.0]) for _ in range(rank - 2)]
    mode = g.choose(["nearest", "nearest", "linear", "cubic"] if rank == 4 else ["nearest", "linear"])
    if g.opset < 10:
        if min(scales) < 1:
            raise Rejected
        if g.opset == 9:
            g.apply("Upsample", [x, g.hold(np.array(scales, np.float32))], mode="nearest")
        else:
            g.apply("Upsample", [x], mode="nearest", scales=scales)
        return
    if g.opset == 10:
        g.apply("Resize", [x, g.hold(np.array(scales, np.float32))], mode="nearest")
        return
    attributes: dict[str, object] = {"mode": mode}
    if g.chance(80):
        attributes["coordinate_transformation_mode"] = g.choose(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    if mode == "nearest" and g.chance(70):
        attributes["nearest_mode"] = g.choose(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
    if mode == "cubic" and g.chance(40):
        attributes["cubic_coeff_a"] = -0.5
    if mode == "cubic" and g.chance(30):
        attributes["exclude_outside"] = 1
    if g.opset >= 18 and mode != "nearest" and g.chance(25):
        attributes["antialias"] = 1
    # Between corners ONNX's tests count in the product of size and scale, ONNX Runtime in whole elements.
    if g.chance(50) and attributes.get("coordinate_transformation_mode") != "align_corners":
        g.apply("Resize", [x, "", g.hold(np.array(scales, np.float32))], **attributes)
    else:
        sizes = [max(1, int(n * s)) for n, s in zip(g.array(x).shape, scales)]
        g.apply("Resize", [x, "", "", g.integers(sizes)], **attributes)


# Places from data


@step(4)
def gather(g: Growth) -> None:
    x = g.pick(lambda a: a.ndim >= 1)
    array = g.array(x)
    axis = g.axis(array.ndim)
    size = array.shape[axis]
    if size == 0:
        raise Rejected
    low = -size if g.opset >= 11 else 0
    kind = g.choose([np.int64, np.int32])
    match g.integer(0, 2):
        case 0:
            indices = g.hold(g.numpy.integers(low, size, g.shape(0, 3, 40)).astype(kind), g.chance(50))
            g.pool.count(indices) and g.pool.remove(indices)
            g.apply("Gather", [x, indices], axis=axis)
        case 1:
            shape = list(array.shape)
            shape[axis] = g.integer(1, 5)
            indices = g.hold(g.numpy.integers(low, size, shape).astype(kind), g.chance(50))
            g.apply("GatherElements", [x, indices], axis=axis)
        case 2:
            batch = g.integer(0, array.ndim - 1) if g.opset >= 12 and g.chance(40) else 0
            count = g.integer(1, array.ndim - batch)
            shape = [*array.shape[:batch], *g.shape(0, 2, 20), count]
            sizes = np.array(array.shape[batch : batch + count])
            indices = np.floor(g.numpy.random(shape) * sizes).astype(np.int64)
            g.apply("GatherND", [x, g.hold(indices, g.chance(50))], **({"batch_dims": batch} if batch else {}))


@step(3)
def scatter(g: Growth) -> None:
    x = g.operand(1) if g.chance(85) else g.pick(lambda a: a.ndim >= 1 and a.dtype in (I64, np.dtype("int32")))
    array = g.array(x)
    reduction = g.choose(["none", "add", "add", "mul", "max", "min"] if g.opset >= 18 else ["none", "add", "mul"] if g.opset >= 16 else ["none"])
    more = {"reduction": reduction} if reduction != "none" else {}
    if g.chance(50):
        count = g.integer(1, array.ndim)
        rows = g.shape(1, 2, 12)
        total = int(np.prod(array.shape[:count]))
        if reduction == "none":
            if total < np.prod(rows):
                raise Rejected
            flat = g.numpy.choice(total, rows, replace=False)
        else:
            flat = g.numpy.integers(0, total, rows)
        indices = np.stack(np.unravel_index(flat, array.shape[:count]), axis=-1).astype(np.int64)
        updates = fitting(g, array.dtype, [*rows, *array.shape[count:]])
        g.apply("ScatterND", [x, g.hold(indices, g.chance(50)), updates], **more)
        return
    axis = g.axis(array.ndim)
    place = axis % array.ndim
    shape = [g.integer(1, n) for n in array.shape]
    if reduction == "none":
        # Every place once.
        shape[place] = g.integer(1, array.shape[place])
        indices = np.argsort(g.numpy.random([n if i != place else array.shape[place] for i, n in enumerate(shape)]), axis=place)
        indices = np.take(indices, range(shape[place]), axis=place)
    else:
        indices = g.numpy.integers(-array.shape[place], array.shape[place], shape)
    operation = "Scatter" if g.opset < 11 else "ScatterElements"
    g.apply(operation, [x, g.hold(indices.astype(np.int64), g.chance(50)), fitting(g, array.dtype, shape)], axis=axis if g.opset >= 11 else place, **more)


def fitting(g: Growth, kind: np.dtype, shape: list[int]) -> str:
    """A value of a type and shape, one that is there if possible."""
    try:
        return g.pick(lambda a: a.dtype == kind and list(a.shape) == list(shape))
    except Rejected:
        return g.source(kind, shape)


@step(1)
def selection(g: Growth) -> None:
    x = g.pick(lambda a: a.ndim >= 1)
    array = g.array(x)
    match g.integer(0, 2):
        case 0:
            axis = g.axis(array.ndim)
            condition = g.hold(g.numpy.random(array.shape[axis]) < 0.6)
            g.apply("Compress", [x, condition], axis=axis)
        case 1:
            if array.ndim < 2:
                raise Rejected
            batch, time = g.random.sample((0, 1), 2)
            lengths = g.hold(g.numpy.integers(1, array.shape[time] + 1, array.shape[batch]).astype(np.int64), g.chance(50))
            g.apply("ReverseSequence", [x, lengths], batch_axis=batch, time_axis=time)
        case 2:
            if array.ndim < 2 or g.opset < 24:
                raise Rejected
            shape = list(array.shape)
            axis = g.integer(1, array.ndim - 1)
            shape[axis] = g.integer(1, shape[axis])
            start = g.hold(g.numpy.integers(0, array.shape[axis] - shape[axis] + 1, array.shape[0]).astype(np.int64), g.chance(50))
            g.apply("TensorScatter", [x, fitting(g, array.dtype, shape), start], axis=axis)


@step(1)
def loss(g: Growth) -> None:
    x = g.operand(2, 4)
    n, c, *rest = g.array(x).shape
    target = g.hold(g.numpy.integers(0, c, [n, *rest]).astype(np.int64), g.chance(40))
    operands = [x, target] + ([g.source(g.dtype, [c])] if g.chance(40) else [])
    more = {"ignore_index": g.integer(0, c - 1)} if g.chance(30) else {}
    reduction = g.choose(["none", "sum", "mean"])
    if g.chance(50):
        g.apply("NegativeLogLikelihoodLoss", operands, reduction=reduction, **more)
    else:
        g.apply("SoftmaxCrossEntropyLoss", operands, count=g.integer(1, 2), reduction=reduction, **more)


# Patterns


@step(2)
def attention(g: Growth) -> None:
    """Attention, written out as exporters do, or as one operator."""
    kind = g.dtype
    b, h, q, k, e = g.integer(1, 2), g.integer(1, 3), min(g.size(), 33), min(g.size(), 33), g.choose([1, 2, 4, 8, 16, 17])
    query, key, value = g.source(kind, [b, h, q, e]), g.source(kind, [b, h, k, e]), g.source(kind, [b, h, k, e])
    if g.opset >= 23 and g.chance(40):
        operands = [query, key, value]
        if g.chance(50):
            operands.append(g.source(g.choose([kind, BOOL]), g.choose([[q, k], [b, h, q, k], [1, 1, q, k]])))
        g.apply("Attention", operands, is_causal=g.integer(0, 1), **({"scale": 0.3} if g.chance(30) else {}), **({"softcap": 2.0} if g.chance(20) else {}))
        return
    if g.chance(50):
        flat = g.source(kind, [b, k, h * e])
        heads = g.apply("Reshape", [flat, g.integers([0, 0, h, e])])
        key = g.apply("Transpose", [heads], perm=[0, 2, 1, 3])
    scores = g.apply("MatMul", [query, g.apply("Transpose", [key], perm=[0, 1, 3, 2])])
    if g.chance(70):
        scores = g.apply(g.choose(["Mul", "Div"]), [scores, g.hold(np.array(2, kind))])
    if g.chance(50):
        scores = g.apply("Add", [scores, g.source(kind, g.choose([[q, k], [b, 1, q, k], [1, k]]))])
    weights = g.apply("Softmax", [scores], **({"axis": -1 if g.opset >= 11 else 3}))
    result = g.apply("MatMul", [weights, value])
    if g.chance(60):
        moved = g.apply("Transpose", [result], perm=[0, 2, 1, 3])
        g.apply("Reshape", [moved, g.integers([0, 0, -1])])
    if g.chance(30):
        reduce(g, "ReduceMean", weights, [1])


@step(0.6)
def rotary(g: Growth) -> None:
    b, h, l, e = g.integer(1, 2), g.integer(1, 3), g.integer(1, 9), g.choose([2, 4, 8])
    x = g.source(g.dtype, [b, h, l, e])
    tables = [g.source(g.dtype, [b, l, e // 2]) for _ in range(2)]
    g.apply("RotaryEmbedding", [x, *tables], interleaved=g.integer(0, 1))


@step(1)
def shuffle(g: Growth) -> None:
    """Channels in groups, exchanged."""
    x = image(g, 2)
    n, c, h, w = g.array(x).shape
    groups = g.choose([d for d in range(1, c + 1) if c % d == 0])
    y = g.apply("Reshape", [x, g.integers([n, groups, c // groups, h, w])])
    g.apply("Reshape", [g.apply("Transpose", [y], perm=[0, 2, 1, 3, 4]), g.integers([n, c, h, w])])


@step(1)
def quantized(g: Growth) -> None:
    match g.integer(0, 3):
        case 0 | 1:
            x = g.operand(1)
            kind = g.choose([np.dtype("uint8"), np.dtype("int8")])
            scale = g.hold(np.array(g.choose([0.05, 0.1, 0.5]), g.array(x).dtype))
            zero = g.hold(np.array(g.choose([0, 3]), kind))
            y = g.apply("QuantizeLinear", [x, scale, zero])
            g.apply("DequantizeLinear", [y, scale, zero])
        case 2:
            x = g.operand(1)
            if g.array(x).dtype == F32:
                g.apply("DynamicQuantizeLinear", [x], count=3)
        case 3:
            m, k, n = g.integer(1, 5), g.integer(1, 20), min(g.size(), 65)
            a = g.source(np.dtype("uint8"), [m, k])
            b = g.source(g.choose([np.dtype("uint8"), np.dtype("int8")]), [k, n])
            g.apply("MatMulInteger", [a, b] + ([g.hold(np.array(2, np.uint8))] if g.chance(50) else []))


@step(1.5)
def recurrent(g: Growth) -> None:
    operation, gates = g.choose([("RNN", 1), ("GRU", 3), ("LSTM", 4)])
    direction = g.choose(["forward", "reverse", "bidirectional"])
    d = 2 if direction == "bidirectional" else 1
    t, b, i, h = g.integer(1, 5), g.integer(1, 3), g.integer(1, 5), g.choose([1, 2, 3, 4, 8, 17])
    kind = g.dtype
    x = fitting(g, kind, [t, b, i])
    operands = [x, g.source(kind, [d, gates * h, i]), g.source(kind, [d, gates * h, h])]
    operands.append(g.source(kind, [d, 2 * gates * h]) if g.chance(60) else "")
    operands.append(g.hold(g.numpy.integers(1, t + 1, b).astype(np.int32), g.chance(50)) if g.chance(30) else "")
    operands.append(g.source(kind, [d, b, h]) if g.chance(40) else "")
    attributes: dict[str, object] = {"hidden_size": h, "direction": direction}
    if operation == "LSTM":
        operands.append(g.source(kind, [d, b, h]) if g.chance(40) else "")
        operands.append(g.source(kind, [d, 3 * h]) if g.chance(20) else "")
    if operation == "GRU" and g.chance(40):
        attributes["linear_before_reset"] = 1
    if g.chance(15):
        attributes["clip"] = 0.8
    while operands[-1] == "":
        operands.pop()
    g.apply(operation, operands, count=3 if operation == "LSTM" else 2, **attributes)


@step(0.7)
def sequence(g: Growth) -> None:
    x = g.operand(1)
    array = g.array(x)
    axis = g.axis(array.ndim)
    if g.chance(50):
        parts = g.apply("SplitToSequence", [x, g.hold(np.array(g.integer(1, max(1, array.shape[axis])), np.int64))], is_kept=False, axis=axis)
    else:
        parts = g.apply("SequenceConstruct", [x, g.apply("Tanh", [x]), x], is_kept=False)
        axis = g.axis(array.ndim)
    if g.chance(40):
        g.apply("SequenceAt", [parts, g.hold(np.array(-1, np.int64))])
    else:
        g.apply("ConcatFromSequence", [parts], axis=axis)


# Control flow


def inner(g: Growth, arguments: dict[str, np.ndarray]) -> Growth:
    """A graph inside a node, with arguments of given values."""
    child = Growth(g.random.getrandbits(40), g.mode, parent=g)
    for name, value in arguments.items():
        child.values[name] = value
        child.arguments.append(name)
        if value.dtype != BOOL or value.ndim:
            child.pool.append(name)
    return child


SIMPLE = frozenset("unary activation binary whole where transpose slices reduction softmax product reshape concat residual gather running scatter".split())


def result_of(child: Growth, like: np.ndarray) -> str:
    """A value of the body of a type and shape; where there is none, one that is made to be."""
    fitting = [x for x in child.pool if child.values[x].dtype == like.dtype and child.values[x].shape == like.shape and x not in child.arguments]
    made = [x for x in fitting if any(x in node.output for node in child.nodes)]
    if made:
        return made[-1]
    same = child.pick(lambda a: a.dtype == like.dtype and a.shape == like.shape)
    return child.apply("Tanh" if like.dtype.kind == "f" else "Identity", [same])


@step(1.2)
def choice(g: Growth) -> None:
    x = g.operand()
    like = g.array(x)
    if g.chance(20):
        condition = g.hold(np.array(g.chance(50)))
    elif g.chance(50):
        condition = g.source(BOOL, [])
    else:
        total = g.apply("ReduceSum", [x], keepdims=0)
        condition = g.apply("Greater", [total, g.hold(np.array(0, like.dtype))])
    if isinstance(g.array(condition), np.ndarray) and g.array(condition).size != 1:
        raise Rejected
    count = g.integer(1, 2)
    wanted = [like] + [g.array(g.operand()) for _ in range(count - 1)]
    branches = []
    for _ in range(2):
        child = inner(g, {})
        grow(child, g.integer(1, 3), only=SIMPLE)
        results = []
        for each in wanted:
            result = result_of_branch(child, each)
            if result in results:
                result = child.apply("Identity", [result])
            results.append(result)
        branches.append(child.body(results, "branch"))
    g.apply("If", [condition], count=count, then_branch=branches[0], else_branch=branches[1])


def result_of_branch(child: Growth, like: np.ndarray) -> str:
    try:
        return result_of(child, like)
    except Rejected:
        return child.apply("Identity", [child.hold(child.numbers(like.dtype, like.shape))])


@step(1)
def loop(g: Growth) -> None:
    state = [g.operand() for _ in range(g.integer(1, 2))]
    if len(set(state)) < len(state):
        state = state[:1]
    step_name, condition_name = g.name(), g.name()
    arguments = {step_name: np.array(0, np.int64), condition_name: np.array(True)}
    names = [g.name() for _ in state]
    arguments |= {name: g.array(x) for name, x in zip(names, state)}
    child = inner(g, arguments)
    child.pool.remove(step_name)
    grow(child, g.integer(1, 3), only=SIMPLE)
    results = [result_of(child, g.array(x)) for x in state]
    stops = g.chance(30)
    if stops:
        limit = child.hold(np.array(g.integer(0, 2), np.int64))
        going = child.apply("Less", [step_name, limit])
    else:
        going = child.apply("Identity", [condition_name])
    stacked = []
    if not stops and g.chance(50):
        stacked = [child.apply("Identity", [child.pick(lambda a: a.dtype == g.dtype)])]
    if len({going, *results, *stacked}) < 1 + len(results) + len(stacked):
        raise Rejected
    body = child.body([going, *results, *stacked], "body")
    trips = g.hold(np.array(g.integer(1, 4), np.int64))
    condition = "" if not stops and g.chance(40) else g.hold(np.array(True))
    g.apply("Loop", [trips, condition, *state], count=len(results) + len(stacked), body=body)


@step(1)
def scan(g: Growth) -> None:
    x = g.operand(1, 3)
    array = g.array(x)
    axis = g.integer(0, array.ndim - 1) if g.chance(40) else 0
    if not 1 <= array.shape[axis] <= 9:
        raise Rejected
    element = np.take(array, 0, axis=axis)
    state = g.source(g.dtype, element.shape if g.chance(60) else g.shape(0, 2, 50))
    names = [g.name(), g.name()]
    child = inner(g, {names[0]: g.array(state), names[1]: np.asarray(element)})
    grow(child, g.integer(1, 3), only=SIMPLE)
    result = result_of(child, g.array(state))
    stacked = child.apply("Identity", [child.pick(lambda a: a.dtype == g.dtype)])
    body = child.body([result, stacked], "body")
    more = {"scan_input_axes": [axis]} if axis else {}
    if g.chance(30):
        more["scan_input_directions"] = [1]
    if g.chance(30):
        more["scan_output_directions"] = [1]
    g.apply("Scan", [state, x], count=2, body=body, num_scan_inputs=1, **more)
