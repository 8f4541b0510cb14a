"""The networks that are measured."""

from dataclasses import dataclass
from pathlib import Path


#: What the names of differentiated networks end with.
GRADIENTS = "_gradients"
#: What the names of networks end with whose training steps are measured.
TRAINING = "_training"


@dataclass(frozen=True)
class Network:
    """A network, and where it is among the models that tools/models/export.py writes."""

    name: str
    folder: str
    #: What export.py is asked for to get it.
    export: tuple[str, ...]
    #: Whether its time is mostly in convolutions.
    convolutional: bool = False
    #: Whether it is so small that the peers mostly dispatch.
    small: bool = False
    #: Whether what is measured is the network and the gradients of its first output, by all inputs and parameters.
    differentiated: bool = False
    #: Whether what is measured is a training step: loss, gradients, and an update by Adam.
    trained: bool = False

    def original(self, models: Path) -> Path:
        """The file of the network itself."""
        return models / self.folder / ("model.pt2" if self.trained else "model.onnx")

    def model(self, models: Path) -> Path:
        """The file of what is measured."""
        return models / self.folder / "gradients.lathe" if self.differentiated else self.original(models)


def light(name: str) -> Network:
    """One of the nine that come with the onnx package, with random weights instead of constant ones."""
    return Network(name, f"{name}-random", ("--light", name), convolutional=True)


def exported(name: str, **traits: bool) -> Network:
    """One that PyTorch exports."""
    module = name.removesuffix(GRADIENTS)
    return Network(name, f"{module}-ts17", (module, "--variant", "ts17"), **traits)


def gradients(name: str) -> Network:
    """One that PyTorch exports, differentiated."""
    return exported(name + GRADIENTS, differentiated=True)


def training(name: str) -> Network:
    """One of tools/models/training.py, trained."""
    return Network(name + TRAINING, f"{name}-train", (name,), trained=True)


NETWORKS = [
    light("light_bvlc_alexnet"),
    light("light_densenet121"),
    light("light_inception_v1"),
    light("light_inception_v2"),
    light("light_resnet50"),
    light("light_shufflenet"),
    light("light_squeezenet"),
    light("light_vgg19"),
    light("light_zfnet512"),
    exported("resnet18", convolutional=True),
    exported("resnet50", convolutional=True),
    exported("mobilenet_v2", convolutional=True),
    exported("vgg11_bn", convolutional=True),
    exported("lenet", convolutional=True, small=True),
    exported("mlp", small=True),
    exported("mlp64"),
    exported("bert4"),
    exported("gpt2_4"),
    exported("lstm", small=True),
    gradients("resnet18"),
    gradients("mobilenet_v2"),
    gradients("lenet"),
    gradients("mlp64"),
    gradients("bert4"),
    gradients("gpt2_4"),
    gradients("lstm"),
    training("mlp64"),
    training("lenet32"),
    training("resnet18_32"),
    training("encoder"),
    training("lstm_classifier"),
]
