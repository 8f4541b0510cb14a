"""Gradients of `lathe grad` against central differences, both computed by Lathe in double precision."""

import shutil
from pathlib import Path

import numpy as np
import reference
from growth import F64
from onnx import ModelProto
from reference import Arrays
from ways import Failure, Lathe, Way, execute

STEPS = (1e-4, 2e-5)


class Unsuited(Exception):
    """Central differences say nothing of the model."""


class Check:
    """A model with its gradients, and the directional derivatives along one direction for each of its inputs."""

    def __init__(self, program: str, folder: Path, model: ModelProto, inputs: Arrays) -> None:
        self.model = model
        self.inputs = inputs
        self.names = [x.name for x in model.graph.input if inputs[x.name].dtype == F64 and inputs[x.name].size]
        if not self.names:
            raise Unsuited("no input to differentiate")
        self.output = model.graph.output[0].name
        self.forward = Lathe(program, folder / "forward", model, inputs)
        self.plain = Way("interpreter", (("threads", "1"),))
        value = self.forward.run(self.plain)[0]
        self.random = np.random.default_rng(1)
        self.weight = np.ones(()) if value.ndim == 0 else self.random.normal(0, 1, value.shape)
        self.directions = {x: self.random.normal(0, 1, inputs[x].shape) for x in self.names}
        graph = folder / "grad.lathe"
        command = [program, "grad", str(self.forward.file), "--of", self.output, "-o", str(graph)]
        for name in self.names:
            command += ["--wrt", name]
        for value_info in model.graph.input:
            for axis, size in zip(value_info.type.tensor_type.shape.dim, inputs[value_info.name].shape):
                if axis.dim_param and f"{axis.dim_param}={size}" not in command:
                    command += ["--dim", f"{axis.dim_param}={size}"]
        execute(command, "lathe")
        self.graph = graph
        self.program = program
        self.folder = folder
        given = dict(inputs)
        if value.ndim:
            given[f"cotangent/{self.output}"] = self.weight
        np.savez(folder / "inputs.npz", **given)
        self.wanted = {name: self.derivative(name) for name in self.names}

    def derivative(self, name: str) -> tuple[float, float]:
        """The derivative along a direction, and how sure it is."""
        found = []
        for step in STEPS:
            sides = []
            for sign in (1, -1):
                moved = self.inputs[name] + sign * step * self.directions[name]
                self.forward.write_tensor(self.forward.data / f"input_{self.position(name)}.pb", moved)
                sides.append(float((self.forward.run(self.plain)[0] * self.weight).sum()))
            self.forward.write_tensor(self.forward.data / f"input_{self.position(name)}.pb", self.inputs[name])
            found.append((sides[0] - sides[1]) / (2 * step))
        scale = max(1.0, abs(found[0]), abs(found[1]))
        doubt = abs(found[0] - found[1])
        return found[1], np.inf if not doubt < 1e-4 * scale else 20 * doubt + 1e-5 * scale

    def position(self, name: str) -> int:
        return next(i for i, x in enumerate(self.model.graph.input) if x.name == name)

    def verdict(self, way: Way) -> str | None:
        """Which gradient is wrong; nothing if none is."""
        if all(np.isinf(doubt) for _, doubt in self.wanted.values()):
            raise Unsuited("not differentiable there")
        results = self.folder / "results.npz"
        results.unlink(missing_ok=True)
        command = [self.program, "run", str(self.graph), "--inputs", str(self.folder / "inputs.npz"), "--outputs", str(results)]
        command += ["--backend", way.kind if way.kind != "c" else "native"]
        if "threads" in dict(way.options):
            command += ["--threads", dict(way.options)["threads"]]
        execute(command, "lathe")
        found = np.load(results)
        for name, (wanted, doubt) in self.wanted.items():
            gradient = found[f"grad/{name}"]
            if gradient.shape != self.inputs[name].shape:
                return f"grad/{name} has shape {list(gradient.shape)}"
            actual = float((gradient * self.directions[name]).sum())
            if not abs(actual - wanted) <= doubt:
                return f"grad/{name} along a direction is {actual:.6g} instead of {wanted:.6g} (+- {doubt:.1e})"
        return None
