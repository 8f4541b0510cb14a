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
test_dft test_dft_irfft test_dft_rfft_opset19 test_stft_with_window
test_flexattention_gqa test_flexattention_score_mod
test_gridsample_bicubic_align_corners_0_additional_1 test_gridsample_reflection_padding
test_gridsample_volumetric_bilinear_align_corners_0
test_linear_attention_gated_delta_gqa test_linear_attention_prefill_with_past test_loop11
test_melweightmatrix test_optional_get_element_optional_tensor test_optional_has_element_empty_no_input_tensor_input
test_qlinearconv test_qlinearmatmul_2D_uint8_float32 test_roialign_aligned_true test_roialign_mode_max
test_scan_sum test_tfidfvectorizer_tf_batch_uniandbigrams_skip5
""".split()

# Of the models that come with the package: those of old operator sets, sequences and gradients.
DATA = """
simple/test_gradient_of_add_and_mul simple/test_sequence_model1 simple/test_sequence_model3
pytorch-converted/test_PReLU_2d_multiparam pytorch-operator/test_operator_repeat pytorch-operator/test_operator_addconstant
""".split()

RANDOM = np.random.default_rng(11)


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
    yield case("ml_linear_regressor", "LinearRegressor", {"y": float_type}, coefficients=coefficients[:6], intercepts=[1.0, 2.0], targets=2)
    yield case("ml_scaler", "Scaler", {"y": float_type}, offset=[0.1, 0.2, 0.3], scale=[2.0, 3.0, 4.0])
    for norm in ("MAX", "L1", "L2"):
        yield case(f"ml_normalizer_{norm.lower()}", "Normalizer", {"y": float_type}, array=np.abs(x) + 0.1 if norm == "MAX" else x, norm=norm)
    yield case(
        "ml_label_encoder", "LabelEncoder", {"y": float_type}, array=np.array([[1, 5], [7, -3]]), keys_int64s=[1, 7, 5],
        values_floats=[0.5, 1.5, 2.5], default_float=-1.0)
    missing = x.copy()
    missing[1, 2] = missing[3, 0] = np.nan
    yield case("ml_imputer", "Imputer", {"y": float_type}, array=missing, imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=np.nan)
    yield case("ml_one_hot_encoder", "OneHotEncoder", {"y": float_type}, array=np.array([3, 1, 8]), cats_int64s=[1, 2, 3], zeros=1)


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
    for made in (machine_learning,):
        for name, proto, inputs in made():
            if wanted(name):
                by_runtime(name, proto, inputs, arguments.output)


if __name__ == "__main__":
    main()
