"""Steps whose results have sizes that data decides, and what may be done with such."""

import numpy as np
from catalogue import step
from growth import BOOL, F16, F32, F64, I64, Growth, Rejected
from onnx import NodeProto, helper


def follow(g: Growth, nodes: list[NodeProto], x: str, axis: int, is_float: bool) -> list[str]:
    """What comes of a value one of whose sizes data decides: itself, and something made of it."""
    results = [x]
    for _ in range(g.integer(0, 3)):
        y = g.name()
        match g.integer(0, 7):
            case 0 if is_float:
                nodes.append(helper.make_node("Softmax", [x], [y], axis=axis))
            case 1:
                nodes.append(helper.make_node("ReduceSum", [x, g.integers([axis])], [y], keepdims=g.integer(0, 1)))
            case 2:
                nodes.append(helper.make_node("Concat", [x, x], [y], axis=axis))
            case 3:
                nodes.append(helper.make_node("Reshape", [x, g.integers([-1])], [y]))
            case 4:
                nodes.append(helper.make_node("Shape", [x], [y]))
            case 5:
                at = g.hold(np.array(axis, np.int64))
                g.pool.remove(at)
                nodes.append(helper.make_node("CumSum", [x, at], [y], reverse=g.integer(0, 1)))
            case 6:
                bounds = [g.integers([n]) for n in (g.choose([0, 1, -2]), g.choose([2, -1, 2**63 - 1]), axis)]
                nodes.append(helper.make_node("Slice", [x, *bounds], [y]))
            case _:
                nodes.append(helper.make_node("Add", [x, x], [y]))
        results.append(y)
    return results


@step(2)
def decided(g: Growth) -> None:
    """What finds its elements: places, selections, different elements, the greatest of a computed number, boxes."""
    if g.opset < 13 or g.mode in ("special", "empty"):
        raise Rejected
    nodes: list[NodeProto] = []
    y = g.name()
    match g.integer(0, 5):
        case 0:
            x = g.pick(lambda a: a.ndim >= 1 and a.size <= 500 and a.dtype in (F32, BOOL, I64))
            nodes.append(helper.make_node("NonZero", [sparse(g, nodes, x)], [y]))
            results = follow(g, nodes, y, 1, False)
        case 1:
            x = g.pick(lambda a: a.ndim >= 1 and 1 < a.size <= 500 and a.dtype in (F32, F64, I64))
            array = g.array(x)
            axis = g.integer(0, array.ndim - 1)
            mask = g.hold(g.numpy.random(array.shape[axis]) < g.choose([0, 0.3, 0.7, 1]), is_constant=False)
            nodes.append(helper.make_node("Compress", [x, mask], [y], axis=axis))
            results = follow(g, nodes, y, axis, array.dtype.kind == "f")
        case 2:
            # Few different ones, so that some are alike.
            x = g.hold(np.asarray(g.numpy.integers(-3, 4, g.shape(1, 3, 60))).astype(g.choose([F32, I64])), is_constant=False)
            more = {"axis": g.integer(0, g.array(x).ndim - 1)} if g.chance(40) else {}
            others = [g.name() for _ in range(3)]
            nodes.append(helper.make_node("Unique", [x], [y, *others], sorted=g.integer(0, 1), **more))
            results = [*follow(g, nodes, y, more.get("axis", 0), g.array(x).dtype.kind == "f"), *others]
        case 3:
            x = g.pick(lambda a: a.ndim >= 1 and 1 < a.size <= 500 and a.dtype in (F32, F64, I64))
            array = g.array(x)
            axis = g.integer(0, array.ndim - 1)
            k = g.hold(np.array([g.integer(0, array.shape[axis])]), is_constant=False)
            g.pool.count(k) and g.pool.remove(k)
            places = g.name()
            nodes.append(helper.make_node("TopK", [x, k], [y, places], axis=axis, largest=g.integer(0, 1)))
            results = [*follow(g, nodes, y, axis, array.dtype.kind == "f"), places]
        case 4:
            images, classes, count = g.integer(1, 2), g.integer(1, 3), g.integer(1, 9)
            corner = g.numpy.random((images, count, 2)) * 2
            boxes = np.concatenate([corner, corner + g.numpy.random((images, count, 2)) + 0.1], 2).astype(np.float32)
            operands = [g.hold(boxes, False), g.hold(g.numpy.random((images, classes, count)).astype(np.float32), False)]
            operands += [g.hold(np.array([g.integer(0, 6)])), g.hold(np.array([g.choose([0, 0.3, 0.7])], np.float32))]
            if g.chance(60):
                operands.append(g.hold(np.array([0.4], np.float32)))
            nodes.append(helper.make_node("NonMaxSuppression", operands, [y], center_point_box=g.integer(0, 1)))
            results = follow(g, nodes, y, 0, False)
        case _:
            x = g.pick(lambda a: a.ndim >= 1 and 1 < a.size <= 500 and a.dtype == F32)
            zero, above, flat, mask = g.hold(np.array(0, np.float32)), g.name(), g.name(), g.name()
            shape = g.integers([-1])
            nodes += [
                helper.make_node("Greater", [x, zero], [above]), helper.make_node("Reshape", [x, shape], [flat]),
                helper.make_node("Reshape", [above, shape], [mask]), helper.make_node("Compress", [flat, mask], [y], axis=0),
            ]  # fmt: skip
            results = follow(g, nodes, y, 0, True)
    g.fragment(nodes, results, is_decided=True)


def sparse(g: Growth, nodes: list[NodeProto], x: str) -> str:
    """A value of which some elements are zero, whatever is rounded on the way to it."""
    if g.array(x).dtype.kind != "f":
        return x
    floor, y = g.name(), g.name()
    nodes.append(helper.make_node("Floor", [x], [floor]))
    nodes.append(helper.make_node("Relu", [floor], [y]))
    return y
