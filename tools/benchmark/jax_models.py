"""The training steps of tools/models/training.py in JAX: the same layers, sizes and optimizer, jitted as one function."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

#: Parameters by name; batch statistics are among the state that a step gives back.
Tree = dict[str, jax.Array]

CLASSES = 10


class Maker:
    """Draws parameters of the sizes that layers ask for."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        self.tree: Tree = {}

    def weight(self, name: str, *shape: int) -> None:
        scale = 1 / np.sqrt(np.prod(shape[1:]))
        self.tree[name] = jnp.asarray(self.random.uniform(-scale, scale, shape), jnp.float32)

    def linear(self, name: str, inputs: int, outputs: int) -> None:
        self.weight(f"{name}.weight", outputs, inputs)
        self.tree[f"{name}.bias"] = jnp.zeros(outputs)

    def norm(self, name: str, size: int) -> None:
        self.tree[f"{name}.weight"], self.tree[f"{name}.bias"] = jnp.ones(size), jnp.zeros(size)


def linear(p: Tree, name: str, x: jax.Array) -> jax.Array:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def conv(p: Tree, name: str, x: jax.Array, stride: int = 1, padding: int = 0) -> jax.Array:
    y = lax.conv_general_dilated(
        x, p[f"{name}.weight"], (stride, stride), [(padding, padding)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW")
    )
    bias = p.get(f"{name}.bias")
    return y if bias is None else y + bias[:, None, None]


def max_pool(x: jax.Array, size: int, stride: int, padding: int = 0) -> jax.Array:
    pads = [(0, 0), (0, 0), (padding, padding), (padding, padding)]
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, size, size), (1, 1, stride, stride), pads)


def mlp64() -> tuple[Tree, Tree, Callable]:
    make = Maker()
    sizes = (784, 512, 512, CLASSES)
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        make.linear(str(i), inputs, outputs)

    def apply(p: Tree, state: Tree, x: jax.Array) -> tuple[jax.Array, Tree]:
        for i in range(2):
            x = jax.nn.relu(linear(p, str(i), x))
        return linear(p, "2", x), state

    return make.tree, {}, apply


def lenet32() -> tuple[Tree, Tree, Callable]:
    make = Maker()
    for name, shape in (("conv1", (6, 1, 5, 5)), ("conv2", (16, 6, 5, 5))):
        make.weight(f"{name}.weight", *shape)
        make.tree[f"{name}.bias"] = jnp.zeros(shape[0])
    for name, inputs, outputs in (("fc1", 400, 120), ("fc2", 120, 84), ("fc3", 84, CLASSES)):
        make.linear(name, inputs, outputs)

    def apply(p: Tree, state: Tree, x: jax.Array) -> tuple[jax.Array, Tree]:
        x = max_pool(jax.nn.relu(conv(p, "conv1", x)), 2, 2)
        x = max_pool(jax.nn.relu(conv(p, "conv2", x)), 2, 2).reshape(x.shape[0], -1)
        for name in ("fc1", "fc2"):
            x = jax.nn.relu(linear(p, name, x))
        return linear(p, "fc3", x), state

    return make.tree, {}, apply


def resnet18_32() -> tuple[Tree, Tree, Callable]:
    make = Maker()
    state: Tree = {}

    def norm(name: str, size: int) -> None:
        make.norm(name, size)
        state[f"{name}.mean"], state[f"{name}.var"] = jnp.zeros(size), jnp.ones(size)

    make.weight("conv1.weight", 64, 3, 7, 7)
    norm("bn1", 64)
    blocks = []
    for stage in range(4):
        for block in range(2):
            inputs = 64 << (stage - 1 if stage and not block else stage)
            outputs, stride = 64 << stage, 2 if stage and not block else 1
            name = f"layer{stage + 1}.{block}"
            blocks.append((name, stride))
            make.weight(f"{name}.conv1.weight", outputs, inputs, 3, 3)
            norm(f"{name}.bn1", outputs)
            make.weight(f"{name}.conv2.weight", outputs, outputs, 3, 3)
            norm(f"{name}.bn2", outputs)
            if stride != 1:
                make.weight(f"{name}.down.weight", outputs, inputs, 1, 1)
                norm(f"{name}.downnorm", outputs)
    make.linear("fc", 512, CLASSES)

    def apply(p: Tree, state: Tree, x: jax.Array) -> tuple[jax.Array, Tree]:
        after = dict(state)

        def batch_norm(name: str, x: jax.Array) -> jax.Array:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
            count = x.size // x.shape[1]
            after[f"{name}.mean"] = 0.9 * state[f"{name}.mean"] + 0.1 * mean
            after[f"{name}.var"] = 0.9 * state[f"{name}.var"] + 0.1 * var * count / max(count - 1, 1)
            scale = p[f"{name}.weight"] * lax.rsqrt(var + 1e-5)
            return x * scale[:, None, None] + (p[f"{name}.bias"] - mean * scale)[:, None, None]

        x = max_pool(jax.nn.relu(batch_norm("bn1", conv(p, "conv1", x, 2, 3))), 3, 2, 1)
        for name, stride in blocks:
            y = jax.nn.relu(batch_norm(f"{name}.bn1", conv(p, f"{name}.conv1", x, stride, 1)))
            y = batch_norm(f"{name}.bn2", conv(p, f"{name}.conv2", y, 1, 1))
            x = x if stride == 1 else batch_norm(f"{name}.downnorm", conv(p, f"{name}.down", x, stride))
            x = jax.nn.relu(x + y)
        return linear(p, "fc", x.mean((2, 3))), after

    return make.tree, state, apply


def encoder() -> tuple[Tree, Tree, Callable]:
    make = Maker()
    for i in range(4):
        for name, inputs, outputs in (
            ("qkv", 256, 768), ("out", 256, 256), ("linear1", 256, 1024), ("linear2", 1024, 256),
        ):  # fmt: skip
            make.linear(f"{i}.{name}", inputs, outputs)
        make.norm(f"{i}.norm1", 256)
        make.norm(f"{i}.norm2", 256)
    make.linear("fc", 256, CLASSES)

    def norm(p: Tree, name: str, x: jax.Array) -> jax.Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred * lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
        return scaled * p[f"{name}.weight"] + p[f"{name}.bias"]

    def apply(p: Tree, state: Tree, x: jax.Array) -> tuple[jax.Array, Tree]:
        for i in range(4):
            parts = linear(p, f"{i}.qkv", x).reshape(*x.shape[:2], 3, 4, 64)
            q, k, v = (parts[:, :, j] for j in range(3))
            scores = jax.nn.softmax(jnp.einsum("nlhd,nshd->nhls", q, k) / 8, axis=-1)
            attended = jnp.einsum("nhls,nshd->nlhd", scores, v).reshape(x.shape)
            x = norm(p, f"{i}.norm1", x + linear(p, f"{i}.out", attended))
            hidden = jax.nn.gelu(linear(p, f"{i}.linear1", x), approximate=False)
            x = norm(p, f"{i}.norm2", x + linear(p, f"{i}.linear2", hidden))
        return linear(p, "fc", x.mean(1)), state

    return make.tree, {}, apply


def lstm_classifier() -> tuple[Tree, Tree, Callable]:
    make = Maker()
    for layer, inputs in enumerate((64, 128)):
        make.linear(f"{layer}.ih", inputs, 512)
        make.linear(f"{layer}.hh", 128, 512)
    make.linear("fc", 128, CLASSES)

    def apply(p: Tree, state: Tree, x: jax.Array) -> tuple[jax.Array, Tree]:
        x = x.swapaxes(0, 1)
        for layer in range(2):
            gates = linear(p, f"{layer}.ih", x)

            def step(carry: tuple, gate: jax.Array, layer: int = layer) -> tuple:
                h, c = carry
                i, f, g, o = jnp.split(gate + linear(p, f"{layer}.hh", h), 4, axis=-1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                h = jax.nn.sigmoid(o) * jnp.tanh(c)
                return (h, c), h

            zeros = jnp.zeros((x.shape[1], 128))
            _, x = lax.scan(step, (zeros, zeros), gates)
        return linear(p, "fc", x[-1]), state

    return make.tree, {}, apply


def training_step(name: str, shape: tuple[int, ...]) -> Callable[[], None]:
    """A function that trains one step of Adam and waits for its end."""
    parameters, state, apply = globals()[name]()
    x = jnp.asarray(np.random.default_rng(1).standard_normal(shape), jnp.float32)
    target = jnp.arange(shape[0]) % CLASSES

    def loss(p: Tree, state: Tree) -> tuple[jax.Array, Tree]:
        scores, after = apply(p, state, x)
        return -jnp.take_along_axis(jax.nn.log_softmax(scores), target[:, None], axis=1).mean(), after

    def step(p: Tree, state: Tree, m: Tree, v: Tree, count: jax.Array) -> tuple:
        (value, state), gradients = jax.value_and_grad(loss, has_aux=True)(p, state)
        count = count + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
        root = jnp.sqrt(1 - 0.999**count)
        rate = 1e-3 / (1 - 0.9**count)
        p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + 1e-8), p, m, v)
        return p, state, m, v, count, value

    compiled = jax.jit(step, donate_argnums=(0, 1, 2, 3, 4))
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)  # noqa: E731
    held = [parameters, state, zeros(), zeros(), jnp.zeros(())]

    def run() -> None:
        *held[:], value = compiled(*held)
        value.block_until_ready()

    return run
