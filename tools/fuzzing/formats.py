"""Steps with numbers of few bits: quantized operators of the standard, and formats that numbers are only stored in."""

import numpy as np
from catalogue import fitting, step, window
from growth import F16, F32, Growth, Rejected
from onnx import TensorProto, helper

U8, I8 = np.dtype("uint8"), np.dtype("int8")
# Since which operator set Cast takes them.
STORED = {
    TensorProto.BFLOAT16: 13, TensorProto.FLOAT8E4M3FN: 19, TensorProto.FLOAT8E5M2: 19, TensorProto.FLOAT8E4M3FNUZ: 19,
    TensorProto.FLOAT8E5M2FNUZ: 19, TensorProto.INT4: 21, TensorProto.UINT4: 21, TensorProto.FLOAT4E2M1: 23,
    TensorProto.FLOAT8E8M0: 24, TensorProto.INT2: 25, TensorProto.UINT2: 25,
}  # fmt: skip
FLOATS8 = (TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2FNUZ)


def scale(g: Growth, shape: list[int] | None = None) -> str:
    """One scale, or several."""
    return g.hold(np.asarray(g.choose([0.02, 0.1, 0.25]) * (1 + g.numpy.random(shape or []))).astype(np.float32))


def zero(g: Growth, kind: np.dtype) -> str:
    return g.hold(np.array(g.choose([0, 0, 3, 7]), kind))


def bytes_of(g: Growth, shape: list[int], kind: np.dtype | None = None, is_constant: bool = False) -> str:
    """8-bit numbers over the whole range."""
    kind = kind or g.choose([U8, I8])
    info = np.iinfo(kind)
    return g.hold(g.numpy.integers(info.min, info.max, shape, dtype=kind, endpoint=True), is_constant)


@step(1.5)
def stored(g: Growth) -> None:
    """Numbers through a format, with something that moves elements while they are in it."""
    kinds = [kind for kind, since in STORED.items() if since <= g.opset]
    if not kinds:
        raise Rejected
    kind = g.choose(kinds)
    x = g.operand(1)
    if g.array(x).dtype not in (F32, F16):
        raise Rejected
    if kind == TensorProto.FLOAT8E8M0:
        x = g.apply("Exp", [g.apply("Tanh", [x])])
    elif kind in (TensorProto.INT4, TensorProto.UINT4, TensorProto.INT2, TensorProto.UINT2):
        # Beyond their range everybody does as they like, and ONNX Runtime rounds what ONNX's reference cuts off.
        most = {TensorProto.INT4: 7, TensorProto.UINT4: 15, TensorProto.INT2: 1, TensorProto.UINT2: 3}[kind]
        squeezed = g.apply("Tanh" if kind in (TensorProto.INT4, TensorProto.INT2) else "Sigmoid", [x])
        x = g.apply("Round", [g.apply("Mul", [squeezed, g.hold(np.array(most, g.array(x).dtype))])])
    names = [g.name() for _ in range(3)]
    more = {"saturate": g.integer(0, 1)} if kind in FLOATS8 else {}
    nodes = [helper.make_node("Cast", [x], [names[0]], to=kind, **more)]
    if g.chance(40) and g.opset >= 21:
        moved = g.name()
        nodes.append(helper.make_node("Transpose", [names[0]], [moved]))
        names[0] = moved
    back = helper.np_dtype_to_tensor_dtype(g.array(x).dtype)
    nodes.append(helper.make_node("Cast", [names[0]], [names[1]], to=back))
    g.fragment(nodes, [names[1]])


@step(1.5)
def blocked(g: Growth) -> None:
    """Quantized and back, by axis or in blocks."""
    x = g.operand(1, 4)
    if g.array(x).dtype != F32 or g.opset < 13:
        raise Rejected
    shape = list(g.array(x).shape)
    axis = g.integer(0, len(shape) - 1)
    kinds = [TensorProto.UINT8, TensorProto.INT8]
    kinds += [TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2] if g.opset >= 19 else []
    kinds += [TensorProto.INT4, TensorProto.UINT4, TensorProto.INT16, TensorProto.UINT16] if g.opset >= 21 else []
    kind = g.choose(kinds)
    more: dict[str, object] = {"axis": axis}
    sizes = [shape[axis]]
    if g.opset >= 21 and g.chance(50):
        more["block_size"] = g.choose([n for n in range(1, shape[axis] + 1) if shape[axis] % n == 0])
        sizes = list(shape)
        sizes[axis] //= more["block_size"]
    scales = scale(g, sizes)
    offset = g.name()
    content = np.zeros(sizes) if kind in FLOATS8 else g.numpy.integers(0, 4, sizes)
    nodes = [
        helper.make_node("Constant", [], [offset], value=helper.make_tensor(offset, kind, sizes, content.ravel().tolist()))
    ]
    q, y = g.name(), g.name()
    nodes.append(helper.make_node("QuantizeLinear", [x, scales, offset], [q], **more))
    nodes.append(helper.make_node("DequantizeLinear", [q, scales, offset], [y], **more))
    g.fragment(nodes, [y])


@step(2)
def integers(g: Growth) -> None:
    """Convolutions and products of 8-bit numbers."""
    match g.integer(0, 2):
        case 0:
            m, k, n = g.integer(1, 5), g.integer(1, 40), g.integer(1, 9)
            # The combinations that ONNX Runtime has.
            kinds = g.choose([(U8, U8, U8), (U8, I8, U8), (I8, I8, I8)])
            a, b, y = bytes_of(g, [m, k], kinds[0]), bytes_of(g, [k, n], kinds[1]), kinds[2]
            operands = [a, scale(g), zero(g, kinds[0]), b, scale(g), zero(g, kinds[1]), g.hold(np.array(2.5, np.float32)), zero(g, y)]
            g.apply("QLinearMatMul", operands)
        case 1:
            channels, each = g.integer(1, 4), g.integer(1, 4)
            extents = [g.integer(3, 7), g.integer(3, 7)]
            attributes = window(g, extents)
            x = bytes_of(g, [g.integer(1, 2), channels, *extents])
            w = bytes_of(g, [each, channels, *attributes["kernel_shape"]], I8, g.chance(70))
            y = g.array(x).dtype
            by_channel = g.chance(50)
            weights = [g.hold(np.zeros(each if by_channel else (), np.int8))]
            operands = [x, scale(g), zero(g, y), w, scale(g, [each] if by_channel else None), *weights, g.hold(np.array(1.5, np.float32)), zero(g, y)]
            if g.chance(50):
                operands.append(g.hold(g.numpy.integers(-500, 500, each).astype(np.int32)))
            g.apply("QLinearConv", operands, **attributes)
        case _:
            channels, each = g.integer(1, 4), g.integer(1, 4)
            extents = [g.integer(3, 7), g.integer(3, 7)]
            attributes = window(g, extents)
            x = bytes_of(g, [g.integer(1, 2), channels, *extents], U8)
            w = bytes_of(g, [each, channels, *attributes["kernel_shape"]], U8)
            g.apply("ConvInteger", [x, w, zero(g, U8), zero(g, U8)], **attributes)
