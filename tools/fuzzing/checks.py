"""Whether Lathe's results are right: one model in several ways."""

import collections
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import catalogue
import contributed  # noqa: F401, its steps join the catalogue
import decided  # noqa: F401
import formats  # noqa: F401
import gradients
import numpy as np
import onnx
import reference
import sampling  # noqa: F401
import ways
from growth import Growth, Rejected
from onnx import ModelProto, numpy_helper
from reference import Arrays, Expected
from ways import Failure, Lathe, Way

MODES = ("values", "special", "empty", "grad")


@dataclass
class Found:
    """A failure, with what shows it."""

    way: Way
    kind: str  # wrong, refused, crash, internal, timeout, compiler, sanitizer, ...
    message: str
    key: str
    model: ModelProto | None = None
    inputs: Arrays = field(default_factory=dict)

    @property
    def group(self) -> str:
        """What makes failures the same."""
        if self.kind in ("wrong", "disputed"):
            operations = sorted({x.op_type for g in reference.graphs(self.model.graph) for x in g.node} - {"Constant"})
            return f"{self.kind}: {self.way.kind}: {' '.join(operations)[:100]}"
        return f"{self.kind}: {self.key}"

    def __str__(self) -> str:
        return f"{self.kind} ({self.way}): {self.message[:300]}"


@dataclass
class Report:
    """What came of one model."""

    skipped: str = ""
    ways: dict[str, str] = field(default_factory=dict)  # kind of way: agree, disputed, or a failure's kind
    failures: list[Found] = field(default_factory=list)
    open_share: float = 0.0


class Checker:
    """Makes models from a seed and runs them."""

    def __init__(self, lathe: str, folder: Path, seed: int, mode: str, chosen: list[Way], only: frozenset[str], without: frozenset[str]) -> None:
        self.lathe = lathe
        self.folder = folder
        self.seed = seed
        self.mode = mode
        self.ways = chosen
        self.only = only
        self.without = without
        self.targets = ways.targets()

    def model(self, number: int) -> tuple[ModelProto, Arrays]:
        """The model of a number."""
        for attempt in range(20):
            growth = Growth(f"{self.seed}/{self.mode}/{number}/{attempt}", self.mode)
            catalogue.grow(growth, growth.choose([2, 3, 4, 5, 6, 8, 10, 14]), self.only, self.without)
            try:
                return growth.model()
            except Rejected:
                continue
        raise Rejected

    def check(self, number: int) -> Report:
        """Makes the model of a number and runs it in all ways that are its turn."""
        try:
            model, inputs = self.model(number)
        except Rejected:
            return Report(skipped="no model")
        choices = random.Random(f"ways/{self.seed}/{number}")
        turn = [x for x in self.ways if number % x.every == 0]
        return self.compare(model, inputs, [x.drawn(choices, self.targets) for x in turn])

    def check_file(self, path: Path) -> Report:
        """A model from a file, with inputs from test_data_set_0 beside it or random ones."""
        model = onnx.load(path)
        data = path.parent / "test_data_set_0"
        generator = np.random.default_rng(self.seed)
        inputs: Arrays = {}
        initializers = {x.name for x in model.graph.initializer}
        for position, value in enumerate(x for x in model.graph.input if x.name not in initializers):
            file = data / f"input_{position}.pb"
            kind = value.type.tensor_type
            shape = [x.dim_value or 1 for x in kind.shape.dim]
            dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
            random_array = generator.normal(0, 1, shape).astype(dtype)
            inputs[value.name] = numpy_helper.to_array(onnx.load_tensor(file)) if file.exists() else random_array
        choices = random.Random(f"ways/{self.seed}")
        return self.compare(model, inputs, [x.drawn(choices, self.targets) for x in self.ways])

    def compare(self, model: ModelProto, inputs: Arrays, chosen: list[Way]) -> Report:
        """Runs a model in ways that are fully given."""
        if self.mode == "grad":
            return self.compare_gradients(model, inputs, chosen)
        report, count = Report(), reference.SAMPLES
        try:
            expected = self.expected(model, inputs, count)
        except reference.NoReference as error:
            return Report(skipped=f"no reference: {error}")
        report.open_share = expected.open_share
        lathe = Lathe(self.lathe, self.folder / "run", model, inputs)
        others: dict[str, list[np.ndarray]] = {}
        for way in chosen:
            try:
                results = lathe.run(way)
            except Failure as failure:
                report.ways[way.kind] = failure.kind
                report.failures.append(Found(way, failure.kind, failure.message, failure.key, model, inputs))
                continue
            verdict = differences(model, results, expected.values, expected)
            if verdict is not None and count < reference.MANY_SAMPLES:
                # Rare is not wrong.
                count = reference.MANY_SAMPLES
                expected = self.expected(model, inputs, count)
                verdict = differences(model, results, expected.values, expected)
            if verdict is None:
                report.ways[way.kind] = "agree"
                continue
            side = self.taking_side(model, inputs, results, expected, others)
            report.ways[way.kind] = "disputed" if side else "wrong"
            if not side:
                report.failures.append(Found(way, "wrong", verdict, "", model, inputs))
        return report

    def expected(self, model: ModelProto, inputs: Arrays, count: int = reference.SAMPLES) -> Expected:
        """The results and their tolerances, from so many runs with noise."""
        return reference.expected(model, inputs, wide=self.mode != "special", count=count)

    def taking_side(self, model: ModelProto, inputs: Arrays, results: list[np.ndarray], expected: Expected, others: dict[str, list[np.ndarray]]) -> str:
        """The names of other implementations of which one agrees with Lathe, output by output; nothing if there are none."""
        sides = set()
        for position, output in enumerate(model.graph.output):
            name = self.side_of(model, inputs, position, results[position], expected, others)
            if not name and mismatch(output, results[position], expected.values[output.name], expected.tolerances[output.name]):
                return ""
            sides |= {name} - {""}
        return ", ".join(sorted(sides))

    def side_of(self, model: ModelProto, inputs: Arrays, position: int, result: np.ndarray, expected: Expected, others: dict[str, list[np.ndarray]]) -> str:
        """The name of another implementation that gives this output; nothing if there is none."""
        output = model.graph.output[position]
        for name, run in (("evaluator", reference.run_evaluator), ("ONNX Runtime", reference.run_onnxruntime)):
            if name not in others:
                try:
                    others[name] = run(model, inputs)
                except Exception:  # these raise whatever they like
                    others[name] = []
            if not others[name]:
                continue
            value, allowed = others[name][position], expected.tolerances[output.name]
            allowed = reference.roundings(value) + (allowed if value.shape == allowed.shape else 0)
            if mismatch(output, result, value, allowed) is None:
                return name
        return ""

    def compare_gradients(self, model: ModelProto, inputs: Arrays, chosen: list[Way]) -> Report:
        """`lathe grad` against central differences."""
        report = Report()
        try:
            check = gradients.Check(self.lathe, self.folder / "grad", model, inputs)
        except gradients.Unsuited as error:
            return Report(skipped=str(error))
        except Failure as failure:
            report.failures.append(Found(chosen[0], failure.kind, failure.message, failure.key, model, inputs))
            report.ways[chosen[0].kind] = failure.kind
            return report
        for way in chosen:
            try:
                verdict = check.verdict(way)
            except gradients.Unsuited as error:
                return Report(skipped=str(error))
            except Failure as failure:
                report.ways[way.kind] = failure.kind
                report.failures.append(Found(way, failure.kind, failure.message, failure.key, model, inputs))
                continue
            report.ways[way.kind] = "wrong" if verdict else "agree"
            if verdict:
                report.failures.append(Found(way, "wrong", verdict, "", model, inputs))
        return report


def differences(model: ModelProto, results: list[np.ndarray], values: Arrays, expected: Expected) -> str | None:
    """Why results are not the expected ones; nothing if they are."""
    for output, actual in zip(model.graph.output, results):
        text = mismatch(output, actual, values[output.name], expected.tolerances[output.name])
        if text:
            return text
    return None


def mismatch(output: onnx.ValueInfoProto, actual: np.ndarray, wanted: np.ndarray, allowed: np.ndarray) -> str | None:
    """Why an output is not the expected one; nothing if it is."""
    kind = onnx.helper.tensor_dtype_to_np_dtype(output.type.tensor_type.elem_type)
    if actual.dtype != kind and "bfloat16" not in str(kind):
        return f"{output.name}: {actual.dtype} instead of {kind}"
    if wanted.shape != allowed.shape:
        return f"{output.name}: no expectation of shape {list(wanted.shape)}"
    text = reference.mismatch(actual, wanted, allowed)
    return f"{output.name}: {text}" if text else None


class Summary:
    """The counts of a run."""

    def __init__(self) -> None:
        self.models = self.skipped = self.agreed = self.failed = 0
        self.ways: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
        self.groups: dict[str, list[str]] = collections.defaultdict(list)
        self.skips: dict[str, list[str]] = collections.defaultdict(list)
        self.open = 0.0
        self.seen: set[str] = set()

    def add(self, number: int, report: Report | None) -> Iterator[Found]:
        """Counts a report; gives its failures."""
        self.models += 1
        if report is not None and not report.ways and not report.skipped:
            report.skipped = "not its turn"
        if report is None or report.skipped:
            self.skipped += 1
            self.skips["the reference died" if report is None else report.skipped[:400].replace("\n", " ")].append(str(number))
            return
        self.open += report.open_share
        for kind, outcome in report.ways.items():
            self.ways[kind][outcome] += 1
        bad = [x for x in report.failures if x.kind != "unsupported"]
        self.failed += bool(bad)
        self.agreed += not report.failures
        for failure in report.failures:
            self.groups[failure.group].append(f"{number}")
            if failure.kind != "unsupported":
                yield failure

    def is_new(self, failure: Found) -> bool:
        """Whether no failure of its group came before."""
        new = failure.group not in self.seen
        self.seen.add(failure.group)
        return new

    def line(self) -> str:
        """One line: how many agree, and in which ways."""
        return f"{self.agreed} of {self.models - self.skipped} agree, {self.failed} fail"

    def text(self) -> str:
        """All counts; the last line is the verdict."""
        lines = []
        for group, numbers in sorted(self.groups.items(), key=lambda x: -len(x[1])):
            lines.append(f"{len(numbers):5}  {group}: {', '.join(numbers[:6])}")
        for text, numbers in sorted(self.skips.items(), key=lambda x: -len(x[1]))[:8]:
            lines.append(f"{len(numbers):5}  skipped: {text}: {', '.join(numbers[:6])}")
        for kind, outcomes in self.ways.items():
            lines.append(f"{kind}: " + ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
        checked = max(1, self.models - self.skipped)
        lines.append(f"nothing can be said of {100 * self.open / checked:.1f} % of the elements")
        unsupported = checked - self.agreed - self.failed if self.models > self.skipped else 0
        lines.append(f"fuzz: {self.agreed} of {self.models - self.skipped} agree, {self.failed} fail, {unsupported} unsupported, {self.skipped} skipped")
        return "\n".join(lines)
