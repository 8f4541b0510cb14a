"""Steps with operators that are not in the standard's main set: ONNX Runtime's own, and those of classic machine learning."""

import numpy as np
from catalogue import image, step, window
from formats import I8, U8, bytes_of, scale, zero
from growth import F32, Growth, Rejected
from onnx import helper

MICROSOFT, LEARNING = "com.microsoft", "ai.onnx.ml"


def single(g: Growth, low: int = 1, high: int = 4) -> str:
    """A value of the type that these operators take."""
    if g.mode in ("special", "empty", "grad"):
        raise Rejected
    return g.operand(low, high) if g.dtype == F32 else g.source(F32, g.shape(low, high))


def own(g: Growth, operation: str, operands: list[str], count: int = 1, **attributes: object):
    if g.mode in ("special", "empty", "grad"):
        raise Rejected
    return g.apply(operation, operands, count=count, domain=MICROSOFT, **attributes)


@step(1)
def own_activation(g: Growth) -> None:
    x = single(g)
    width = g.array(x).shape[-1]
    match g.integer(0, 4):
        case 0: own(g, "Gelu", [x])
        case 1: own(g, "BiasGelu", [x, g.source(F32, [width])])
        case 2: own(g, "FastGelu", [x, g.source(F32, [width])] if g.chance(50) else [x])
        case 3: own(g, "QuickGelu", [x], alpha=g.choose([1.0, 1.702]))
        case _: own(g, "Inverse", [g.hold((np.eye(3) * 4 + g.numpy.random((g.integer(1, 3), 3, 3))).astype(np.float32), False)])


@step(1)
def own_product(g: Growth) -> None:
    match g.integer(0, 2):
        case 0:
            batch = [g.integer(1, 3)] if g.chance(50) else []
            m, k, n, a, b = g.integer(1, 9), g.integer(1, 9), g.integer(1, 9), g.integer(0, 1), g.integer(0, 1)
            left, right = [*batch, k, m] if a else [*batch, m, k], [*batch, n, k] if b else [*batch, k, n]
            own(g, "FusedMatMul", [g.source(F32, left), g.source(F32, right)], transA=a, transB=b, alpha=g.choose([1.0, 0.5]))
        case 1:
            x = g.source(F32, [1, g.integer(1, 4), g.integer(3, 8), g.integer(3, 8)])
            n, c, *extents = g.array(x).shape
            attributes = window(g, extents)
            count = g.integer(1, 5)
            # Not Sigmoid, whose small results are zeros in ONNX Runtime.
            kind, parameters = g.choose([("Relu", []), ("Tanh", []), ("LeakyRelu", [0.2]), ("Clip", [-0.5, 0.8]), ("HardSigmoid", [0.3, 0.4])])
            more = {"activation_params": parameters} if parameters else {}
            operands = [x, g.source(F32, [count, c, *attributes["kernel_shape"]]), g.source(F32, [count])]
            own(g, "FusedConv", operands, activation=kind, **attributes, **more)
        case _:
            # Weights of 4 bits, two to a byte, with a scale for each block.
            k, n, size = g.choose([32, 64, 96]), g.integer(1, 8), g.choose([16, 32])
            blocks = k // size
            b = g.hold(g.numpy.integers(0, 256, (n, blocks, size // 2)).astype(np.uint8))
            operands = [g.source(F32, [g.integer(1, 3), k]), b, g.hold((g.numpy.random(n * blocks) * 0.1 + 0.01).astype(np.float32))]
            if g.chance(50):
                operands.append(g.hold(g.numpy.integers(0, 256, n * ((blocks + 1) // 2)).astype(np.uint8)))
            own(g, "MatMulNBits", operands, K=k, N=n, bits=4, block_size=size)


@step(1)
def own_normalization(g: Growth) -> None:
    b, t, e = g.integer(1, 2), g.integer(1, 5), g.choose([2, 4, 8, 17])
    x, skip = g.source(F32, [b, t, e]), g.source(F32, [b, t, e])
    gamma, beta = g.source(F32, [e]), g.source(F32, [e])
    match g.integer(0, 2):
        case 0:
            operands = [x, skip, gamma, beta] + ([g.source(F32, [e])] if g.chance(50) else [])
            own(g, "SkipLayerNormalization", operands, epsilon=1e-3)
        case 1:
            operands = [x, skip, gamma] + ([g.source(F32, [e])] if g.chance(50) else [])
            own(g, "SkipSimplifiedLayerNormalization", operands, epsilon=1e-3)
        case _:
            words = 7
            ids = g.hold(g.numpy.integers(0, words, (b, t)).astype(np.int32), False)
            segments = g.hold(g.numpy.integers(0, 2, (b, t)).astype(np.int32), False)
            tables = [g.source(F32, [n, e]) for n in (words, t, 2)]
            own(g, "EmbedLayerNormalization", [ids, segments, *tables, gamma, beta], count=2, epsilon=1e-3)


@step(1)
def own_attention(g: Growth) -> None:
    b, t, h, e = g.integer(1, 2), g.integer(1, 6), g.integer(1, 3), g.choose([2, 4, 8])
    match g.integer(0, 3):
        case 0:
            x = g.source(F32, [b, t, 5])
            operands = [x, g.source(F32, [5, 3 * h * e]), g.source(F32, [3 * h * e])]
            if g.chance(40):
                operands.append(g.hold(g.numpy.integers(1, t + 1, b).astype(np.int32), False))
            own(g, "Attention", operands, num_heads=h, unidirectional=g.integer(0, 1))
        case 1:
            s = g.integer(1, 6)
            operands = [g.source(F32, [b, t, h * e]), g.source(F32, [b, s, h * e]), g.source(F32, [b, s, h * e])]
            if g.chance(40):
                operands.append(g.source(F32, [3 * h * e]))
            own(g, "MultiHeadAttention", operands, num_heads=h, **({"scale": 0.3} if g.chance(40) else {}))
        case 2:
            shared = g.choose([n for n in (1, 2, 3) if h % n == 0])
            operands = [g.source(F32, [b, t, h * e])] + [g.source(F32, [b, t, shared * e]) for _ in range(2)]
            lengths = [g.hold(np.full(b, t - 1, np.int32)), g.hold(np.array(t, np.int32))]
            own(g, "GroupQueryAttention", [*operands, "", "", *lengths], count=3, num_heads=h, kv_num_heads=shared)
        case _:
            places = g.hold(np.tile(np.arange(t), (b, 1)).astype(np.int64))
            tables = [g.source(F32, [t + 2, e // 2]) for _ in range(2)]
            own(g, "RotaryEmbedding", [g.source(F32, [b, h, t, e]), places, *tables], interleaved=g.integer(0, 1))


@step(2)
def own_quantized(g: Growth) -> None:
    kind = g.choose([U8, I8])
    x = bytes_of(g, g.shape(1, 4, 200), kind)
    shape = list(g.array(x).shape)
    given = [x, scale(g), zero(g, kind)]
    match g.integer(0, 10):
        case 0 | 1:
            other = [1 if g.chance(30) else n for n in shape]
            operands = [*given, bytes_of(g, other, kind), scale(g), zero(g, kind), scale(g), zero(g, kind)]
            own(g, g.choose(["QLinearAdd", "QLinearMul"]), operands)
        case 2: own(g, "QLinearSigmoid", [*given, g.hold(np.array(1 / 256, np.float32)), zero(g, kind)])
        case 3: own(g, "QLinearLeakyRelu", [*given, scale(g), zero(g, kind)], alpha=g.choose([0.01, 0.2]))
        case 4:
            # A share of 1 has to lie in the range.
            operands = [*given, g.hold(np.array(1 / 127, np.float32)), g.hold(np.array(0, kind))]
            own(g, "QLinearSoftmax", operands, axis=len(shape) - 1, opset=13)
        case 5:
            plane = bytes_of(g, [1, g.integer(1, 4), g.integer(3, 7), g.integer(3, 7)], kind)
            operands = [plane, scale(g), zero(g, kind), scale(g), zero(g, kind)]
            if g.chance(50):
                own(g, "QLinearGlobalAveragePool", operands)
            else:
                own(g, "QLinearAveragePool", operands, kernel_shape=[2, 3], strides=[1, 2], count_include_pad=g.integer(0, 1))
        case 6:
            axis = g.integer(0, len(shape) - 1)
            parts = [p for _ in range(g.integer(1, 3)) for p in (bytes_of(g, shape, kind), scale(g), zero(g, kind))]
            own(g, "QLinearConcat", [scale(g), zero(g, kind), *parts], axis=axis)
        case 7:
            m, k, n = g.integer(1, 5), g.integer(1, 20), g.integer(1, 7)
            a, b = bytes_of(g, [m, k], U8), bytes_of(g, [k, n])
            operands = [a, b, scale(g), scale(g), zero(g, U8), zero(g, g.array(b).dtype)]
            own(g, "MatMulIntegerToFloat", operands + ([g.source(F32, [n])] if g.chance(50) else []))
        case 8:
            m, k, n = g.integer(1, 5), g.integer(1, 20), g.integer(1, 7)
            b = bytes_of(g, [k, n], None, True)
            operands = [g.source(F32, [m, k]), b, scale(g), zero(g, g.array(b).dtype)]
            own(g, "DynamicQuantizeMatMul", operands + ([g.source(F32, [n])] if g.chance(50) else []))
        case 9:
            m, k, n = g.integer(1, 5), g.integer(1, 20), g.integer(1, 7)
            a, b = bytes_of(g, [m, k], kind), bytes_of(g, [k, n], kind)
            bias = g.hold(g.numpy.integers(-500, 500, n).astype(np.int32)) if g.chance(60) else ""
            operands = [a, scale(g), zero(g, kind), b, scale(g), zero(g, kind), bias]
            own(g, "QGemm", operands + ([scale(g), zero(g, kind)] if g.chance(50) else []))
        case _:
            condition = g.hold(g.numpy.random(shape) < 0.5, False)
            own(g, "QLinearWhere", [condition, *given, bytes_of(g, shape, kind), scale(g), zero(g, kind), scale(g), zero(g, kind)])


def tree(g: Growth, features: int, depth: int) -> list[tuple]:
    """A binary tree as rows of (number, feature, value, true branch, false branch), or of a leaf (number, None)."""
    rows: list[tuple] = []

    def grow(level: int) -> int:
        number = len(rows)
        rows.append(())
        if level == 0 or g.chance(20):
            rows[number] = (number, None)
            return number
        feature, value = g.integer(0, features - 1), round(g.random.uniform(-1, 1), 2)
        rows[number] = (number, feature, value, grow(level - 1), grow(level - 1))
        return number

    grow(depth)
    return rows


@step(2)
def learning(g: Growth) -> None:
    """Classic machine learning, as far as it is tensors of numbers."""
    if g.mode in ("special", "empty", "grad"):
        raise Rejected
    n, c = g.integer(1, 5), g.integer(1, 5)
    x = g.source(F32, [n, c])

    def node(operation: str, operands: list[str], count: int = 1, **attributes: object):
        return g.apply(operation, operands, count=count, domain=LEARNING, **attributes)

    def numbers(count: int) -> list[float]:
        return [round(g.random.uniform(-1, 1), 3) for _ in range(count)]

    match g.integer(0, 10):
        case 0: node("Scaler", [x], offset=numbers(c), scale=numbers(c))
        case 1:
            # Whether the greatest number is that without its sign is in dispute.
            norm = g.choose(["MAX", "L1", "L2"])
            node("Normalizer", [g.apply("Abs", [x]) if norm == "MAX" else x], norm=norm)
        case 2: node("Binarizer", [x], threshold=g.choose([0.0, 0.3]))
        case 3:
            targets = g.integer(1, 3)
            node("LinearRegressor", [x], coefficients=numbers(targets * c), intercepts=numbers(targets), targets=targets)
        case 4:
            classes = g.integer(2, 4)
            post = g.choose(["NONE", "SOFTMAX", "LOGISTIC"])
            node("LinearClassifier", [x], count=2, coefficients=numbers(classes * c), intercepts=numbers(classes),
                 classlabels_ints=list(range(classes)), post_transform=post)
        case 5:
            count = g.integer(1, 3)
            kernel = g.choose(["LINEAR", "POLY", "RBF", "SIGMOID"])
            node("SVMRegressor", [x], kernel_type=kernel, kernel_params=[0.5, 0.2, 2.0], n_supports=count,
                 support_vectors=numbers(count * c), coefficients=numbers(count), rho=numbers(1))
        case 6:
            keys = g.hold(g.numpy.integers(0, 6, [n]).astype(np.int64), False)
            node("LabelEncoder", [keys], keys_int64s=[0, 2, 3, 5], values_floats=numbers(4), default_float=-1.5)
        case 7: node("Imputer", [x], imputed_value_floats=numbers(c), replaced_value_float=0.0)
        case 8:
            keys = g.hold(g.numpy.integers(0, 5, [n]).astype(np.int64), False)
            node("OneHotEncoder", [keys], cats_int64s=[0, 1, 3], zeros=1)
        case 9: node("ArrayFeatureExtractor", [x, g.hold(g.numpy.integers(0, c, [g.integer(1, 4)]).astype(np.int64))])
        case _:
            forest = [tree(g, c, 3) for _ in range(g.integer(1, 3))]
            rows = [(number, row) for number, rows in enumerate(forest) for row in rows]
            leaves = [(number, row[0]) for number, row in rows if row[1] is None]
            inner = {
                "nodes_treeids": [number for number, _ in rows],
                "nodes_nodeids": [row[0] for _, row in rows],
                "nodes_modes": ["LEAF" if row[1] is None else "BRANCH_LEQ" for _, row in rows],
                "nodes_featureids": [row[1] or 0 for _, row in rows],
                "nodes_values": [0.0 if row[1] is None else row[2] for _, row in rows],
                "nodes_truenodeids": [0 if row[1] is None else row[3] for _, row in rows],
                "nodes_falsenodeids": [0 if row[1] is None else row[4] for _, row in rows],
            }
            if g.chance(50):
                node("TreeEnsembleRegressor", [x], n_targets=1, aggregate_function=g.choose(["SUM", "AVERAGE", "MIN", "MAX"]),
                     target_treeids=[t for t, _ in leaves], target_nodeids=[k for _, k in leaves],
                     target_ids=[0] * len(leaves), target_weights=numbers(len(leaves)), **inner)
            else:
                classes = 3
                node("TreeEnsembleClassifier", [x], count=2, classlabels_int64s=list(range(classes)),
                     class_treeids=[t for t, _ in leaves], class_nodeids=[k for _, k in leaves],
                     class_ids=[g.integer(0, classes - 1) for _ in leaves], class_weights=[abs(w) for w in numbers(len(leaves))],
                     post_transform=g.choose(["NONE", "SOFTMAX"]), **inner)
