"""Steps of signals and of vision: transforms, sampled grids, boxes of regions."""

import numpy as np
from catalogue import image, step
from growth import F32, Growth, Rejected
from onnx import helper


@step(1)
def signal(g: Growth) -> None:
    kind = g.dtype
    if kind not in (np.dtype("float32"), np.dtype("float64")) or g.opset < 17:
        raise Rejected
    n = g.choose([1, 2, 3, 4, 5, 8, 9, 16])
    match g.integer(0, 4):
        case 0:
            pairs = g.integer(1, 2)
            x = g.source(kind, [g.integer(1, 2), n, pairs])
            onesided = g.integer(0, 1) if pairs == 1 else 0
            more = {"onesided": onesided, "inverse": 0 if onesided else g.integer(0, 1)}
            if g.opset >= 20:
                g.apply("DFT", [x, "", g.hold(np.array(1, np.int64))], **more)
            else:
                g.apply("DFT", [x], axis=1, **more)
        case 1:
            length, step_size, frame = g.integer(8, 20), g.integer(1, 4), g.choose([4, 5, 8])
            x = g.source(kind, [g.integer(1, 2), length, 1])
            operands = [x, g.hold(np.array(step_size, np.int64)), g.source(kind, [frame]) if g.chance(60) else ""]
            operands.append(g.hold(np.array(frame, np.int64)))
            g.apply("STFT", operands, onesided=g.integer(0, 1))
        case 2: g.apply(g.choose(["HannWindow", "HammingWindow", "BlackmanWindow"]), [g.hold(np.array(n, np.int64))], periodic=g.integer(0, 1))
        case 3:
            sizes = [g.hold(np.array(v, np.int64)) for v in (g.integer(2, 8), 16, 16000)]
            ends = [g.hold(np.array(v, np.float32)) for v in (0, 8000)]
            g.apply("MelWeightMatrix", [*sizes, *ends])
        case _: g.apply("Det", [g.source(kind, [g.integer(1, 3), 3, 3])])


@step(1.5)
def sampled(g: Growth) -> None:
    n, c, h, w = g.integer(1, 2), g.integer(1, 3), g.integer(2, 6), g.integer(2, 6)
    x = g.source(F32, [n, c, h, w])
    match g.integer(0, 4):
        case 0:
            if g.opset < 16:
                raise Rejected
            grid = g.hold((g.numpy.random((n, g.integer(1, 5), g.integer(1, 5), 2)) * 2.6 - 1.3).astype(np.float32), False)
            modes = ["linear", "nearest", "cubic"] if g.opset >= 20 else ["bilinear", "nearest", "bicubic"]
            more = {"mode": g.choose(modes), "padding_mode": g.choose(["zeros", "border", "reflection"])}
            g.apply("GridSample", [x, grid], align_corners=g.integer(0, 1), **more)
        case 1:
            theta = g.source(F32, [n, 2, 3])
            g.apply("AffineGrid", [theta, g.integers([n, c, h, w])], align_corners=g.integer(0, 1))
        case 2:
            if not 16 <= g.opset < 22:
                raise Rejected
            count = g.integer(1, 4)
            corner = g.numpy.random((count, 2)) * 3
            rois = g.hold(np.concatenate([corner, corner + 1 + g.numpy.random((count, 2)) * 3], 1).astype(np.float32), False)
            batch = g.hold(g.numpy.integers(0, n, count).astype(np.int64), False)
            more = {"coordinate_transformation_mode": g.choose(["half_pixel", "output_half_pixel"])}
            g.apply("RoiAlign", [x, rois, batch], mode=g.choose(["avg", "max"]), output_height=2, output_width=g.integer(1, 3),
                    sampling_ratio=g.choose([1, 2]), spatial_scale=g.choose([1.0, 0.5]), **more)
        case 3:
            columns = g.source(F32, [n, c * 4, 12])
            g.apply("Col2Im", [columns, g.integers([4, 5]), g.integers([2, 2])])
        case _:
            if g.opset < 19:
                raise Rejected
            weight = g.source(F32, [2, c, 2, 2])
            offset = g.source(F32, [n, 8, h - 1, w - 1])
            g.apply("DeformConv", [x, weight, offset], kernel_shape=[2, 2])
