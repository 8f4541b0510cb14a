"""Writes a small MobileNetV3 of torchvision's with random weights, an input and its output, as torch.save and as
safetensors write them, to Tests/NNTests/Goldens; run with torchvision and safetensors."""
import pathlib
import sys

import safetensors.torch
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent / "models"))
from networks import torchvision_models

mobilenet = torchvision_models().mobilenetv3
folder = pathlib.Path(__file__).parent.parent / "Tests/NNTests/Goldens"
torch.manual_seed(0)
setting = [mobilenet.InvertedResidualConfig(*row, width_mult=1.0) for row in [
    (8, 3, 8, 8, True, "RE", 2, 1), (8, 5, 24, 16, False, "HS", 2, 1), (16, 5, 32, 16, True, "HS", 1, 1)]]
model = mobilenet.MobileNetV3(setting, last_channel=32, num_classes=10).eval()
for module in model.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
            torch.nn.init.uniform_(tensor, 0.5, 1.5)
image = torch.rand(2, 3, 32, 32)
with torch.no_grad():
    output = model(image)
torch.save({"model": model.state_dict(), "epoch": 3, "input": image, "output": output}, folder / "mobilenet.pth")
safetensors.torch.save_file(model.state_dict(), folder / "mobilenet.safetensors", {"format": "pt"})
