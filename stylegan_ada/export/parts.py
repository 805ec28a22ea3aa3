"""The generator with named inputs and one output, to be traced for any batch."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ..errors import UserError, nearest
from ..networks import Generator
from ..pixels import nhwc, to_uint8

PARTS = ("whole", "mapping", "synthesis")
NOISES = ("const", "input")
TRACED_BATCH = 3


class ExportedPart(nn.Module):
    """The generator, or one of its two networks, as an exported file has it.

    part: "whole": z [N, z_dim], label [N, c_dim] (when labelled), truncation_psi [] -> image;
        "mapping": the same -> w [N, num_ws, w_dim]; "synthesis": w [N, num_ws, w_dim] -> image.
    noise: "const" is the noise kept in the network, the same for every image; "input" an input [N, noise_size],
        standard normal numbers as the network was trained with.
    label_vectors: [n, c_dim], of which examples take some; None: those of classes.
    uint8: the image is uint8 [N, H, W, C] as of `TrainedGenerator.sample`, else float32 [N, C, H, W], about [-1, 1].
        Of a generator that makes masks their channels lie behind the image's, 255 or 1 for all of a pixel.
    UserError for another part or noise, and for uint8 or noise of the mapping network.
    """

    def __init__(
        self,
        network: Generator,
        part: str = "whole",
        noise: str = "const",
        uint8: bool = False,
        label_vectors: Tensor | None = None,
    ):
        super().__init__()
        if part not in PARTS:
            raise UserError(f"`part` {part}: no such choice, {nearest(part, PARTS)}")
        if noise not in NOISES:
            raise UserError(f"`noise` {noise}: no such choice, {nearest(noise, NOISES)}")
        if part == "mapping" and uint8:
            raise UserError("`uint8`: the mapping network makes no images, leave it out or take `part` synthesis")
        if part == "mapping" and noise == "input":
            raise UserError("`noise` input: the mapping network has no noise, leave it out or take `part` synthesis")
        self.network, self.part, self.noise, self.uint8 = network, part, noise, uint8
        self._label_vectors = torch.eye(network.config.c_dim) if label_vectors is None else label_vectors

    @property
    def output_name(self) -> str:
        return "w" if self.part == "mapping" else "image"

    def forward(
        self,
        z: Tensor | None = None,
        label: Tensor | None = None,
        truncation_psi: Tensor | None = None,
        w: Tensor | None = None,
        noise: Tensor | None = None,
    ) -> Tensor:
        if self.part != "synthesis":
            assert z is not None
            assert truncation_psi is not None
            w = self._map(z, label, truncation_psi)
        if self.part == "mapping":
            assert w is not None
            return w
        synthesis = self.network.synthesis
        image = synthesis(w, synthesis.noise_constant[None] if self.noise == "const" else noise).float()
        return nhwc(to_uint8(image)) if self.uint8 else image

    def _map(self, z: Tensor, label: Tensor | None, truncation_psi: Tensor) -> Tensor:
        c = z.new_zeros(z.shape[0], 0) if label is None else label
        w = self.network.truncate(self.network.mapping(z, c), c, truncation_psi)
        return self.network.broadcast(w)

    def example(self, batch: int, truncation_psi: float) -> dict[str, Tensor]:
        """Inputs by name, of random z, noise and labels, by torch's global generator."""
        config, inputs = self.network.config, {}
        if self.part == "synthesis":
            z, c = torch.randn(batch, config.z_dim), self._labels(batch)
            with torch.inference_mode():
                w = self._map(z, c, torch.tensor(truncation_psi))
            inputs["w"] = w.clone()
        else:
            inputs["z"] = torch.randn(batch, config.z_dim)
            label = self._labels(batch)
            if label is not None:
                inputs["label"] = label
            inputs["truncation_psi"] = torch.tensor(truncation_psi)
        if self.noise == "input":
            inputs["noise"] = torch.randn(batch, self.network.synthesis.noise_size)
        return inputs

    def _labels(self, batch: int) -> Tensor | None:
        vectors = self._label_vectors
        return vectors[torch.randint(len(vectors), (batch,))] if self.network.config.c_dim else None

    def trace(self) -> ExportedProgram:
        """The graph, for any batch: the inputs' first dimension is N."""
        with torch.random.fork_rng(devices=[]):
            inputs = {name: tensor.clone() for name, tensor in self.example(TRACED_BATCH, 0.5).items()}
        batch = Dim("N", min=1)
        shapes = {name: {0: batch} if tensor.ndim else None for name, tensor in inputs.items()}
        with torch.no_grad(), quiet():
            return torch.export.export(self.eval(), (), inputs, dynamic_shapes=shapes, strict=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the exporters' warnings about their own future, and torch 2.11's about files that it wrote itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given buffer is not writable")
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
