"""Writes the operators' fixtures of Tests/ONNXTests, laid out as ONNX's backend tests are.

    .venv/bin/python tools/models/operator_fixtures.py Tests/ONNXTests/Operators [NAME_PART...]

The cases of `OFFICIAL` are ONNX's own; the others are small models whose outputs ONNX Runtime gives.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test.case.node as node_cases
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx_cases import write

# One of each kind; the rest run by `onnx_backend.py`.
OFFICIAL = """
test_adagrad_multiple test_adam_multiple test_momentum_multiple test_nesterov_momentum
test_affine_grid_2d_align_corners test_affine_grid_3d
test_ai_onnx_ml_array_feature_extractor test_ai_onnx_ml_binarizer
test_ai_onnx_ml_tree_ensemble_set_membership test_ai_onnx_ml_tree_ensemble_single_tree
test_attention_4d_causal_fp16 test_bitcast_bool_to_uint8 test_blackmanwindow_symmetric test_hannwindow
test_causal_conv_with_state_silu_with_past_state test_col2im_5d test_col2im_pads test_convinteger_with_padding
test_deform_conv_with_mask_bias test_deform_conv_with_multiple_offset_groups test_det_nd
test_cast_FLOAT_to_FLOAT4E2M1 test_cast_FLOAT_to_FLOAT8E4M3FN test_cast_FLOAT_to_INT4 test_cast_INT2_to_FLOAT
test_cast_e8m0_FLOAT_to_FLOAT8E8M0 test_cast_no_saturate_FLOAT_to_FLOAT8E5M2FNUZ test_castlike_FLOAT_to_UINT4
test_dequantizelinear_float4e2m1 test_dequantizelinear_int4 test_dequantizelinear_uint2 test_quantizelinear_e4m3fn
test_quantizelinear_blocked_symmetric test_quantizelinear_int4
test_dft test_dft_irfft test_dft_rfft_opset19 test_stft_with_window
test_flexattention_gqa test_flexattention_score_mod
test_gridsample_bicubic_align_corners_0_additional_1 test_gridsample_reflection_padding
test_gridsample_volumetric_bilinear_align_corners_0
test_linear_attention_gated_delta_gqa test_linear_attention_prefill_with_past test_loop11
test_melweightmatrix test_optional_get_element_optional_tensor test_optional_has_element_empty_no_input_tensor_input
test_qlinearconv test_qlinearmatmul_2D_uint8_float32 test_roialign_aligned_true test_roialign_mode_max
test_scan_sum test_sequence_insert_at_front test_sequence_map_add_1_sequence_1_tensor test_split_to_sequence_1 test_tfidfvectorizer_tf_batch_uniandbigrams_skip5
test_compress_1 test_compress_default_axis test_nonzero_example test_slice_start_out_of_bounds test_top_k
test_nonmaxsuppression_center_point_box_format test_nonmaxsuppression_suppress_by_IOU_and_scores
test_nonmaxsuppression_two_batches test_unique_not_sorted_without_axis test_unique_sorted_with_axis_3d
test_unique_sorted_without_axis
test_scan_sum test_tfidfvectorizer_tf_batch_uniandbigrams_skip5
""".split()

# Of the models that come with the package: those of old operator sets, sequences and gradients.
DATA = """
simple/test_gradient_of_add_and_mul simple/test_sequence_model1 simple/test_sequence_model3
pytorch-converted/test_PReLU_2d_multiparam pytorch-operator/test_operator_repeat pytorch-operator/test_operator_addconstant
""".split()

RANDOM = np.random.default_rng(11)


def reseeded(cases):
    """The cases of a function, with the same numbers whatever cases come before."""
    global RANDOM
    RANDOM = np.random.default_rng(11)
    yield from cases()


def uniform(*shape: int) -> np.ndarray:
    """Numbers from -1 to 1."""
    return RANDOM.uniform(-1, 1, shape).astype(np.float32)


def model(nodes, inputs, outputs, initializers=None, opsets=None) -> onnx.ModelProto:
    """A model whose inputs are arrays; initializers are arrays by name."""
    graph = helper.make_graph(
        nodes, "operators",
        [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()],
        [helper.make_tensor_value_info(n, t, None) for n, t in outputs.items()],
        [numpy_helper.from_array(a, n) for n, a in (initializers or {}).items()])
    imports = [helper.make_opsetid(d, v) for d, v in (opsets or {"": 17}).items()]
    return helper.make_model(graph, ir_version=8, opset_imports=imports)


def by_runtime(name: str, made: onnx.ModelProto, inputs: dict, output: Path) -> None:
    """Writes a model with what ONNX Runtime gives for inputs."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = 1  # several quantize states apart
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = session.run(None, inputs)
    folder = output / name
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    for kind, arrays in (("input", inputs.items()), ("output", zip([o.name for o in made.graph.output], results))):
        for position, (value, array) in enumerate(arrays):
            (data / f"{kind}_{position}.pb").write_bytes(numpy_helper.from_array(np.asarray(array), value).SerializeToString())


def machine_learning():
    """The operators of ai.onnx.ml: name, model, inputs."""
    ml = {"ai.onnx.ml": 3}
    x = uniform(6, 3)
    float_type, int_type = TensorProto.FLOAT, TensorProto.INT64

    def case(name, operator, outputs, array=x, **attributes):
        node = helper.make_node(operator, ["x"], list(outputs), domain="ai.onnx.ml", **attributes)
        return name, model([node], {"x": array}, outputs, opsets={"": 17, **ml}), {"x": array}

    # Two trees of depth 2 and 1; a row for each node.
    nodes = dict(
        nodes_treeids=[0, 0, 0, 0, 0, 1, 1, 1], nodes_nodeids=[0, 1, 2, 3, 4, 0, 1, 2],
        nodes_featureids=[0, 1, 0, 0, 0, 2, 0, 0], nodes_values=[0.1, -0.2, 0, 0, 0, 0.05, 0, 0],
        nodes_modes=["BRANCH_LEQ", "BRANCH_LT", "LEAF", "LEAF", "LEAF", "BRANCH_GT", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 2, 0, 0, 0, 1, 0, 0], nodes_falsenodeids=[4, 3, 0, 0, 0, 2, 0, 0])

    def leaf(prefix, ids, weights):
        count = len(ids) // 5  # for each leaf
        return {
            f"{prefix}_treeids": [0] * 3 * count + [1] * 2 * count, f"{prefix}_nodeids": [n for n in (2, 3, 4, 1, 2) for _ in range(count)],
            f"{prefix}_ids": ids, f"{prefix}_weights": weights}

    scores = {"label": int_type, "scores": float_type}
    for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
        yield case(
            f"ml_tree_regressor_{aggregate.lower()}", "TreeEnsembleRegressor", {"y": float_type}, n_targets=2,
            aggregate_function=aggregate, base_values=[0.5, -0.25],
            **nodes, **leaf("target", [0, 1] * 5, uniform(10).tolist()))
    for transform in ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"):
        yield case(
            f"ml_tree_classifier_{transform.lower()}", "TreeEnsembleClassifier", scores, classlabels_int64s=[5, 7, 9],
            post_transform=transform, **nodes, **leaf("class", [0, 1, 2, 1, 2], [1.0, 2.0, 1.5, -0.25, 0.75]))
    yield case(
        "ml_tree_classifier_binary", "TreeEnsembleClassifier", scores, classlabels_int64s=[3, 4], post_transform="LOGISTIC",
        **nodes, **leaf("class", [0] * 5, [1.0, -2.0, -1.5, -0.25, 0.75]))
    yield case(
        "ml_tree_classifier_positive", "TreeEnsembleClassifier", scores, classlabels_int64s=[0, 1],
        **nodes, **leaf("class", [0] * 5, [0.4, 0.1, 0.3, 0.05, 0.5]))
    coefficients = uniform(9).tolist()
    yield case(
        "ml_linear_classifier", "LinearClassifier", scores, classlabels_ints=[2, 1, 0], coefficients=coefficients,
        intercepts=[0.1, 0.0, -0.1], post_transform="SOFTMAX")
    yield case(
        "ml_linear_classifier_binary", "LinearClassifier", scores, classlabels_ints=[0, 1], coefficients=coefficients[:3],
        intercepts=[0.1], post_transform="LOGISTIC")
    yield case(
        "ml_linear_classifier_pair", "LinearClassifier", scores, classlabels_ints=[6, 4], coefficients=coefficients[:3], intercepts=[0.1])
    yield case("ml_linear_regressor", "LinearRegressor", {"y": float_type}, coefficients=coefficients[:6], intercepts=[1.0, 2.0], targets=2)
    yield case("ml_scaler", "Scaler", {"y": float_type}, offset=[0.1, 0.2, 0.3], scale=[2.0, 3.0, 4.0])
    for norm in ("MAX", "L1", "L2"):
        yield case(f"ml_normalizer_{norm.lower()}", "Normalizer", {"y": float_type}, norm=norm)
    yield case(
        "ml_label_encoder", "LabelEncoder", {"y": float_type}, array=np.array([[1, 5], [7, -3]]), keys_int64s=[1, 7, 5],
        values_floats=[0.5, 1.5, 2.5], default_float=-1.0)
    missing = x.copy()
    missing[1, 2] = missing[3, 0] = np.nan
    yield case("ml_imputer", "Imputer", {"y": float_type}, array=missing, imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=np.nan)
    yield case("ml_one_hot_encoder", "OneHotEncoder", {"y": float_type}, array=np.array([3, 1, 8]), cats_int64s=[1, 2, 3], zeros=1)
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        yield case(
            f"ml_svm_regressor_{kernel.lower()}", "SVMRegressor", {"y": float_type}, coefficients=uniform(4).tolist(), kernel_type=kernel,
            kernel_params=[0.5, 0.25, 3.0], n_supports=4, support_vectors=uniform(12).tolist(), rho=[0.125])
    # Two vectors of the first class, one of the second, two of the third: a row of coefficients for each class but one.
    machine = dict(
        classlabels_ints=[4, 2, 7], vectors_per_class=[2, 1, 2], support_vectors=uniform(15).tolist(), coefficients=uniform(10).tolist(),
        rho=[0.1, -0.05, 0.02], kernel_type="RBF", kernel_params=[0.5, 0.0, 0.0])
    yield case("ml_svm_classifier", "SVMClassifier", scores, **machine)
    yield case("ml_svm_classifier_probabilities", "SVMClassifier", scores, prob_a=[-4.0, -3.0, -5.0], prob_b=[0.1, 0.0, -0.2], **machine)
    pair = machine | dict(
        classlabels_ints=[1, 0], vectors_per_class=[2, 3], coefficients=machine["coefficients"][:5], rho=[0.1], kernel_type="POLY",
        kernel_params=[0.5, 0.25, 2.0])
    yield case("ml_svm_classifier_binary", "SVMClassifier", scores, **pair)
    yield case("ml_svm_classifier_binary_logistic", "SVMClassifier", scores, post_transform="LOGISTIC", **pair)
    yield case(
        "ml_svm_classifier_linear", "SVMClassifier", scores, classlabels_ints=[3, 5, 9], coefficients=uniform(9).tolist(), rho=[0.2],
        kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0], post_transform="SOFTMAX")
    yield case(
        "ml_tree_classifier_positive_logistic", "TreeEnsembleClassifier", scores, classlabels_int64s=[0, 1], post_transform="LOGISTIC",
        base_values=[0.125], **nodes, **leaf("class", [0] * 5, [0.4, 0.1, 0.3, 0.05, 0.5]))
    for aggregate in ("MIN", "MAX"):  # two weights of each leaf for one target
        yield case(
            f"ml_tree_regressor_{aggregate.lower()}_twice", "TreeEnsembleRegressor", {"y": float_type}, n_targets=2,
            aggregate_function=aggregate, **nodes, **leaf("target", [0, 1, 0] * 5, uniform(15).tolist()))


def bytes_like(dtype, *shape: int) -> np.ndarray:
    """Integers over the whole range of their type."""
    return RANDOM.integers(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def contributed():
    """The operators of com.microsoft: name, model, inputs."""
    f32, u8, i8, i32 = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32

    def case(name, operator, arrays, outputs, domain="com.microsoft", constants=(), **attributes):
        arrays = {n: None if a is None else np.asarray(a) for n, a in arrays.items()}
        # "" leaves an operand out; arrays whose names are among the constants are initializers
        inputs = {n: a for n, a in arrays.items() if a is not None and n not in constants}
        initializers = {n: a for n, a in arrays.items() if n in constants}
        operands = [n if a is not None else "" for n, a in arrays.items()]
        node = helper.make_node(operator, operands, [n if t is not None else "" for n, t in outputs.items()], domain=domain, **attributes)
        outputs = {n: t for n, t in outputs.items() if t is not None}
        return f"ms_{name}", model([node], inputs, outputs, initializers, {"": 17, "com.microsoft": 1}), inputs

    def none(*names):
        return {n: None for n in names}

    y = {"y": f32}
    x = uniform(2, 5, 8)
    yield case("fused_matmul", "FusedMatMul", {"a": uniform(2, 3, 4), "b": uniform(2, 5, 4)}, y, transB=1, alpha=0.5)
    yield case("fused_matmul_batch", "FusedMatMul", {"a": uniform(3, 2, 4), "b": uniform(2, 4, 5)}, y, transBatchA=1)
    yield case(
        "fused_conv", "FusedConv", {"x": uniform(1, 3, 6, 6), "w": uniform(4, 3, 3, 3), "b": uniform(4), "z": uniform(1, 4, 6, 6)}, y,
        activation="Relu", pads=[1, 1, 1, 1])
    yield case(
        "fused_conv_clip", "FusedConv", {"x": uniform(1, 3, 6, 6), "w": uniform(4, 3, 3, 3), "b": uniform(4)}, y,
        activation="Clip", activation_params=[-0.5, 0.5])
    yield case(
        "fused_gemm", "FusedGemm", {"a": uniform(3, 4), "b": uniform(5, 4), "c": uniform(5)}, y, transB=1,
        activation="LeakyRelu", activation_alpha=0.2)
    yield case("gelu", "Gelu", {"x": x}, y)
    yield case("bias_gelu", "BiasGelu", {"x": x, "b": uniform(8)}, y)
    yield case("fast_gelu", "FastGelu", {"x": x, "b": uniform(8)}, y)
    yield case("quick_gelu", "QuickGelu", {"x": x}, y)
    yield case(
        "skip_layer_norm", "SkipLayerNormalization",
        {"x": x, "skip": uniform(2, 5, 8), "g": uniform(8), "b": uniform(8), "bias": uniform(8)},
        {"y": f32, "mean": None, "deviation": None, "sum": f32})
    yield case(
        "skip_rms_norm", "SkipSimplifiedLayerNormalization", {"x": x, "skip": uniform(2, 5, 8), "g": uniform(8)},
        {"y": f32, "mean": None, "deviation": None, "sum": f32}, epsilon=1e-6)
    yield case("rms_norm", "SimplifiedLayerNormalization", {"x": x, "g": uniform(8)}, y, domain="", epsilon=1e-6)
    ids = RANDOM.integers(0, 10, (2, 5)).astype(np.int32)
    yield case(
        "embed_layer_norm", "EmbedLayerNormalization",
        {"ids": ids, "segments": ids % 2, "words": uniform(10, 8), "positions": uniform(6, 8), "kinds": uniform(2, 8), "g": uniform(8),
         "b": uniform(8), "mask": np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)}, {"y": f32, "m": i32, "s": f32})

    # Attention: batch 2, length 5, 2 heads of 4.
    weights = {"x": x, "w": uniform(8, 24), "b": uniform(24)}
    lengths = np.array([3, 5], np.int32)
    key_mask = np.array([[1, 1, 1, 0, 1], [1, 0, 1, 1, 1]], np.int32)
    past = uniform(2, 2, 2, 3, 4)
    both = {"y": f32, "present": f32}
    yield case("attention", "Attention", weights, y, num_heads=2)
    yield case("attention_lengths", "Attention", weights | {"m": lengths}, y, num_heads=2)
    yield case("attention_mask", "Attention", weights | {"m": key_mask}, y, num_heads=2, unidirectional=1)
    yield case(
        "attention_past", "Attention", weights | none("m") | {"past": past}, both, num_heads=2, scale=0.3)
    yield case("attention_bias", "Attention", weights | none("m", "past") | {"bias": uniform(2, 2, 5, 5)}, y, num_heads=2)
    yield case("attention_sizes", "Attention", {"x": x, "w": uniform(8, 20), "b": uniform(20)}, y, num_heads=2, qkv_hidden_sizes=[8, 8, 4])
    q, k, v = uniform(2, 5, 8), uniform(2, 6, 8), uniform(2, 6, 8)
    yield case("multi_head", "MultiHeadAttention", {"q": q, "k": k, "v": v, "b": uniform(24)}, y, num_heads=2)
    yield case(
        "multi_head_mask", "MultiHeadAttention", {"q": q, "k": k, "v": v} | none("b") | {"m": np.array([4, 6], np.int32), "bias": uniform(1, 2, 5, 6)},
        y, num_heads=2)
    yield case(
        "multi_head_past", "MultiHeadAttention",
        {"q": q, "k": uniform(2, 5, 8), "v": uniform(2, 5, 8)} | none("b", "m", "bias") | {"pk": uniform(2, 2, 3, 4), "pv": uniform(2, 2, 3, 4)},
        {"y": f32, "presentk": f32, "presentv": f32}, num_heads=2, unidirectional=1)
    angles = uniform(16, 2) * 3
    cache = {"cos": np.cos(angles), "sin": np.sin(angles)}
    places = np.array([[0, 1, 2, 3, 4], [3, 4, 5, 6, 7]])
    yield case("rotary", "RotaryEmbedding", {"x": x, "p": places} | cache, y)
    yield case("rotary_interleaved", "RotaryEmbedding", {"x": uniform(2, 2, 5, 4), "p": np.array([2])} | cache, y, interleaved=1)
    grouped = {"y": f32, "presentk": f32, "presentv": f32}
    wide = {"cos": np.cos(uniform(16, 8)), "sin": np.sin(uniform(16, 8) * 3)}
    prompt = {"q": uniform(2, 5, 64), "k": uniform(2, 5, 32), "v": uniform(2, 5, 32)}
    total = {"lengths": np.array([4, 4], np.int32), "total": np.array(5, np.int32)}
    yield case(
        "grouped_prompt", "GroupQueryAttention", prompt | none("pk", "pv") | total | wide, grouped, constants=("total",),
        num_heads=4, kv_num_heads=2, do_rotary=1)
    step = {"q": uniform(2, 1, 64), "k": uniform(2, 1, 32), "v": uniform(2, 1, 32), "pk": uniform(2, 2, 6, 16), "pv": uniform(2, 2, 6, 16)}
    yield case(
        "grouped_step", "GroupQueryAttention", step | {"lengths": np.array([6, 4], np.int32), "total": np.array(7, np.int32)} | wide, grouped,
        constants=("total",), num_heads=4, kv_num_heads=2, do_rotary=1, local_window_size=3)
    yield case(
        "grouped_packed", "GroupQueryAttention", {"q": uniform(2, 5, 64)} | none("k", "v", "pk", "pv") | total, grouped, constants=("total",),
        num_heads=4, kv_num_heads=2, softcap=2.0)

    # Weights of few bits: 6 rows of 32 in blocks of 16.
    for bits in (4, 8):
        packed = bytes_like(np.uint8, 6, 2, 16 * bits // 8)
        zeros = bytes_like(np.uint8, 6 * ((2 * bits + 7) // 8))
        operands = {"x": uniform(3, 32), "w": packed, "s": uniform(12)}
        yield case(f"matmul_{bits}bits", "MatMulNBits", operands, y, constants=("w", "s"), bits=bits, block_size=16, N=6, K=32)
        yield case(
            f"matmul_{bits}bits_zeros", "MatMulNBits", operands | {"z": zeros}, y, constants=("w", "s", "z"), bits=bits, block_size=16, N=6, K=32)

    def scaled(name, array, scale, zero):
        return {name: array, f"{name}_scale": np.float32(scale), f"{name}_zero": np.array(zero, array.dtype)}

    for dtype, kind in ((np.uint8, u8), (np.int8, i8)):
        tag = np.dtype(dtype).name
        a = scaled("a", bytes_like(dtype, 4, 6), 0.05, 3)
        b = scaled("b", bytes_like(dtype, 4, 6), 0.03, 7)
        # no scale whose quotients lie in the middle of two numbers
        target = {"y_scale": np.float32(0.0713), "y_zero": np.array(5, dtype)}
        image = scaled("x", bytes_like(dtype, 1, 3, 6, 6), 0.05, 3)
        yield case(f"qlinear_add_{tag}", "QLinearAdd", a | b | target, {"y": kind})
        yield case(f"qlinear_mul_{tag}", "QLinearMul", a | b | target, {"y": kind})
        yield case(f"qlinear_sigmoid_{tag}", "QLinearSigmoid", a | {"ys": np.float32(1 / 256), "yz": np.array(0 if dtype == np.uint8 else -128, dtype)}, {"y": kind})
        yield case(f"qlinear_leaky_{tag}", "QLinearLeakyRelu", a | target, {"y": kind}, alpha=0.1)
        yield case(f"qlinear_pool_{tag}", "QLinearAveragePool", image | target, {"y": kind}, kernel_shape=[2, 2], strides=[2, 2])
        yield case(f"qlinear_global_pool_{tag}", "QLinearGlobalAveragePool", image | target, {"y": kind})
        yield case(f"qlinear_concat_{tag}", "QLinearConcat", target | a | b, {"y": kind}, axis=1, constants=tuple(n for n in [*target, *a, *b] if "_" in n))
        yield case(
            f"qlinear_softmax_{tag}", "QLinearSoftmax",
            a | {"ys": np.float32(1 / 256), "yz": np.array(0 if dtype == np.uint8 else -128, dtype)}, {"y": kind},
            constants=("a_scale", "a_zero", "ys", "yz"), axis=-1, opset=13)
        left, right = scaled("a", bytes_like(dtype, 4, 6), 0.05, 3), scaled("b", bytes_like(dtype, 5, 6), 0.01, 2)
        bias = {"c": RANDOM.integers(-500, 500, 5).astype(np.int32)}
        yield case(f"qgemm_{tag}", "QGemm", left | right | bias | target, {"y": kind}, transB=1, constants=tuple(n for n in [*right, *bias] if n != "b_scale"))
        yield case(
            f"qlinear_conv_{tag}", "QLinearConv", image | scaled("w", bytes_like(dtype, 4, 3, 3, 3), 0.01, 0) | target
            | {"b": RANDOM.integers(-500, 500, 4).astype(np.int32)}, {"y": kind}, domain="", pads=[1, 1, 1, 1], constants=("w", "w_scale", "w_zero", "b"))
    yield case(
        "qlinear_conv_channels", "QLinearConv",
        scaled("x", bytes_like(np.uint8, 1, 3, 6, 6), 0.05, 130)
        | {"w": bytes_like(np.int8, 4, 3, 3, 3), "ws": np.abs(uniform(4)) * 0.02, "wz": np.zeros(4, np.int8), "ys": np.float32(0.2), "yz": np.uint8(128)},
        {"y": u8}, domain="", strides=[2, 2], constants=("w", "ws", "wz"))
    yield case("qgemm_float", "QGemm", left | right | bias, y, transB=1, constants=("b", "b_zero", "c"), alpha=0.5)
    columns = {"b": bytes_like(np.int8, 6, 5), "bs": np.abs(uniform(5)) * 0.02, "bz": np.zeros(5, np.int8)}
    yield case(
        "matmul_integer_to_float", "MatMulIntegerToFloat",
        {"a": bytes_like(np.uint8, 4, 6), "b": columns["b"], "as": np.float32(0.05), "bs": columns["bs"], "az": np.uint8(120), "bz": columns["bz"], "bias": uniform(5)},
        y, constants=("b", "bs", "bz"))
    yield case("dynamic_matmul", "DynamicQuantizeMatMul", {"a": uniform(4, 6)} | columns | {"bias": uniform(5)}, y, constants=("b", "bs", "bz"))
    yield case(
        "qattention", "QAttention",
        {"x": bytes_like(np.uint8, 2, 5, 8), "w": bytes_like(np.int8, 8, 24), "b": uniform(24), "xs": np.float32(0.02), "ws": np.float32(0.01),
         "m": lengths, "xz": np.uint8(128), "wz": np.int8(0)}, y, constants=("w", "ws", "wz"), num_heads=2)
    yield case(
        "dynamic_lstm", "DynamicQuantizeLSTM",
        {"x": uniform(3, 2, 4), "w": bytes_like(np.int8, 2, 4, 12), "r": bytes_like(np.int8, 2, 3, 12), "b": uniform(2, 24)}
        | none("lengths", "h", "c", "p")
        | {"ws": np.abs(uniform(2)) * 0.02, "wz": np.zeros(2, np.int8), "rs": np.abs(uniform(2)) * 0.02, "rz": np.zeros(2, np.int8)},
        {"y": f32, "yh": f32, "yc": f32}, constants=("w", "r", "ws", "wz", "rs", "rz"), hidden_size=3, direction="bidirectional")
    yield from regions(case, y)
    yield case("nhwc_max_pool", "NhwcMaxPool", {"x": bytes_like(np.uint8, 1, 6, 6, 3)}, {"y": u8}, kernel_shape=[3, 3], strides=[2, 2])
    # The scores are given, too.
    yield case(
        "multi_head_scores", "MultiHeadAttention",
        {"q": q, "k": k[:, :5], "v": v[:, :5]} | none("b") | {"m": np.array([4, 5], np.int32), "bias": uniform(1, 2, 5, 5)},
        {"y": f32, "presentk": None, "presentv": None, "scores": f32}, num_heads=2, unidirectional=1)
    step = {"q": uniform(1, 2, 64), "k": uniform(1, 2, 32), "v": uniform(1, 2, 32), "pk": uniform(1, 2, 3, 16), "pv": uniform(1, 2, 3, 16)}
    for output, name in ((1, "scores"), (2, "weights")):
        yield case(
            f"grouped_{name}", "GroupQueryAttention", step | {"lengths": np.array([4], np.int32), "total": np.array(5, np.int32)},
            grouped | {name: f32}, constants=("total",), num_heads=4, kv_num_heads=2, softcap=1.5, qk_output=output)
    columns = {"b": bytes_like(np.int8, 5, 6), "b_scale": np.abs(uniform(5)) * 0.02, "b_zero": bytes_like(np.int8, 5)}
    yield case(
        "qgemm_columns", "QGemm", scaled("a", bytes_like(np.uint8, 4, 6), 0.05, 3) | columns | {"c": RANDOM.integers(-500, 500, 5).astype(np.int32)},
        y, transB=1, constants=(*columns, "c"))


def regions(case, y):
    """Pooling of boxes, with as many samples as there are pixels; some boxes lie outside."""
    random = np.random.default_rng(5)
    x = {"x": random.uniform(-1, 1, (2, 3, 9, 11)).astype(np.float32)}
    corners = random.uniform(-2, 12, (6, 2))
    boxes = np.concatenate([corners, corners + random.uniform(-1, 12, (6, 2))], 1).astype(np.float32)
    places = {"boxes": boxes, "images": np.array([0, 1, 1, 0, 0, 1])}
    for mode in ["avg", "max"]:
        for coordinates in ["half_pixel", "output_half_pixel"]:
            yield case(
                f"roi_align_adaptive_{mode}_{coordinates}", "RoiAlign", x | places, y, domain="", mode=mode, output_height=3,
                output_width=2, spatial_scale=0.8, coordinate_transformation_mode=coordinates)
    rois = np.concatenate([places["images"][:, None], np.abs(boxes)], 1).astype(np.float32)
    yield case("max_roi_pool", "MaxRoiPool", x | {"rois": rois}, y, domain="", pooled_shape=[3, 2], spatial_scale=0.8)


def main() -> None:
    """Writes the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("parts", nargs="*", metavar="NAME_PART", help="write the cases that have one of these in their name")
    arguments = parser.parse_args()

    def wanted(name: str) -> bool:
        return not arguments.parts or any(part in name for part in arguments.parts)

    cases = {case.name: case for case in node_cases.collect_testcases(None) if case.name in OFFICIAL}
    for name in OFFICIAL:
        if wanted(name) and not all(write(cases[name], index, arguments.output) for index in range(len(cases[name].data_sets))):
            raise SystemExit(f"{name} has values that are no tensors")
    package = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for path in DATA:
        if wanted(path):
            shutil.copytree(package / path, arguments.output / Path(path).name, dirs_exist_ok=True)
    for made in (machine_learning, contributed):
        for name, proto, inputs in reseeded(made):
            if wanted(name):
                try:
                    by_runtime(name, proto, inputs, arguments.output)
                except Exception as error:  # noqa: BLE001 ONNX Runtime's own kinds
                    print(f"{name}: {error}")


if __name__ == "__main__":
    main()
