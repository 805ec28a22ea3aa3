"""Our discriminator with adaptive augmentation as a loss for any generator of images."""

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from ..augment import AdaController, AugmentPipe
from ..config import AugmentConfig, NetworkConfig, TrainingConfig
from ..config.resolve import chosen_widths
from ..datasets import ImageDataset
from ..errors import UserError
from ..networks import Discriminator
from ..random import Draws
from .schedule import CONTROLLER_INTERVAL
from .step import losses
from .step.phases import make_optimizer

GAMMA_PER_PIXEL = 0.0002  # times pixels / batch: arXiv 2006.06676, appendix C


@dataclass(frozen=True)
class DiscriminatorStep:
    """What a step of the discriminator found, 0-dim tensors on its device. loss: the logistic loss of generated and of
    real images, before the step. r: the mean sign of real logits over the four steps before p was last moved. p: the
    probability of augmentations from now on."""

    loss: Tensor
    r: Tensor
    p: Tensor


class AdversarialLoss:
    """The discriminator of StyleGAN2 with its optimizer, R1, and augmentation whose strength adapts (ADA, arXiv
    2006.06676): what a generator of any kind needs to be trained against, in one process.

        fake = my_network(noise, labels)
        loss.generator_loss(fake, labels).backward()                 # and a step of your optimizer
        loss.discriminator_step(real, fake, labels)

    Images are float [N, C, H, W] in [-1, 1] (masks, where there are any, behind the channels, as [N, C + K, H, W]), and
    are judged in float32. Labels are float vectors [N, c_dim], as `ImageDataset.label_vectors` gives them, or, of
    classes, int64 [N]; these are checked, for which a GPU has to be waited for. None where there are none.

    data: a set from `load_dataset`, or the shape of the images and of the discriminator as a `NetworkConfig`. gamma:
    weight of R1; None takes 0.0002 * pixels / batch, of the batch at hand. r1_interval: steps between R1's, by which it
    is multiplied. augment: groups of augmentations, () for none. ada_target: of the mean sign of real logits. ada_kimg:
    thousands of images in which p may rise from 0 to 1. ada_p: a fixed p. channel_base, channel_max: the
    discriminator's width, of a set only; None chooses by size and device, as `train` does. seed: of the first weights
    and of all augmentations. UserError for what is out of range.
    """

    def __init__(
        self,
        data: ImageDataset | NetworkConfig,
        *,
        learning_rate: float = 0.0025,
        gamma: float | None = None,
        r1_interval: int = 16,
        augment: Sequence[str] = ("blit", "geom", "color"),
        ada_target: float = 0.6,
        ada_kimg: float = 500,
        ada_p: float | None = None,
        channel_base: int | None = None,
        channel_max: int | None = None,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        self.device = _device(device)
        if isinstance(augment, str):
            raise UserError(f"`augment` {augment!r}: give the groups one by one, such as ('blit', 'geom')")
        if isinstance(data, ImageDataset):
            self.network = _network_of(data, channel_base, channel_max, self.device)
        elif isinstance(data, NetworkConfig):
            if channel_base is not None or channel_max is not None:
                raise UserError("`channel_base`, `channel_max`: the NetworkConfig has them, leave them out")
            self.network = data
        else:
            raise UserError(
                f"an AdversarialLoss of {type(data).__name__}: give what load_dataset returns, or a NetworkConfig"
            )
        if self.network.transitional:
            raise UserError("`transitional`: this loss has no schedule by which to blend labels in, leave it out")
        self.augmentation = AugmentConfig(
            augment=tuple(augment), ada_target=ada_target, ada_kimg=ada_kimg, ada_p=ada_p if augment else 0.0
        )
        if r1_interval < 1 or r1_interval != int(r1_interval):
            raise UserError(f"`r1_interval` {r1_interval}: give 1 or more steps")
        # checks them
        TrainingConfig(kimg=1, learning_rate=learning_rate, gamma=0 if gamma is None else gamma, seed=seed)
        self.gamma, self.r1_interval, self.seed = gamma, r1_interval, seed
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.discriminator = Discriminator(self.network).to(self.device).requires_grad_(False)
        self.optimizer = make_optimizer(self.discriminator, learning_rate, None if gamma == 0 else r1_interval)
        self._made_with = {
            **asdict(self.network),
            **asdict(self.augmentation),
            "learning_rate": learning_rate,
            "gamma": gamma,
            "r1_interval": r1_interval,
            "seed": seed,
        }
        augments = bool(augment) and ada_p != 0
        shape, masks = self.network.image_shape, self.network.mask_channels
        self.pipe = AugmentPipe(augment, shape, mask_channels=masks).to(self.device) if augments else None
        fixed = self.augmentation.ada_p
        self.controller = AdaController(
            target=ada_target,
            kimg=ada_kimg,
            cap=self.augmentation.ada_max if fixed is None else 1.0,
            p=fixed or 0.0,
            device=self.device,
        )
        self.steps = 0
        self.images_seen = 0  # real ones
        self._counts = {"generator": 0, "discriminator": 0, "moved_at": 0}  # images drawn for; images_seen at p's move

    def generator_loss(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Scalar: the non-saturating logistic loss of generated images, augmented at p; its gradient goes into the
        images, not into the discriminator. To be differentiated before the next `discriminator_step`, or torch raises
        RuntimeError. UserError for another shape, or labels that do not go with it."""
        c = self._checked(images, labels)
        logits = self._judge(images, c, "G/augment", self._counts["generator"])
        self._counts["generator"] += len(images)
        return losses.generator_loss(logits).mean()

    def discriminator_step(
        self, real: Tensor, fake: Tensor, labels: Tensor | None = None, fake_labels: Tensor | None = None
    ) -> DiscriminatorStep:
        """One step of the discriminator, and each fourth time of p; every `r1_interval` steps another one by R1.

        labels: of the real images, and of the generated ones, too, unless fake_labels are given. Nothing of it reaches
        the generator. NaN or infinite gradients are made finite, as `train` does; a logit that is NaN counts as 0 in r.
        UserError as `generator_loss`, and nothing has changed then.
        """
        real_c = self._checked(real, labels)
        fake_c = self._checked(fake, labels if fake_labels is None else fake_labels)
        real, fake = _plain(real), _plain(fake)
        if self.steps == 0 and not real.abs().max() <= 1.01:  # once, since a GPU has to be waited for
            raise UserError(f"real images with values up to {real.abs().max():g}: give them from -1 to 1")
        first = self._counts["discriminator"]
        self.discriminator.requires_grad_(True)
        try:
            with torch.enable_grad(), torch.autocast(self.device.type, enabled=False):
                fake_logits = self._judge(fake, fake_c, "D/augment_fake", first)
                real_logits = self._judge(real, real_c, "D/augment_real", first)
                loss = losses.discriminator_loss(fake_logits, real=False).mean()
                loss = loss + losses.discriminator_loss(real_logits, real=True).mean()
                self._descend(loss)
                if self.gamma != 0 and self.steps % self.r1_interval == 0:
                    self._descend(self._r1(real, real_c, first))
        finally:
            self.discriminator.requires_grad_(False)
        self._counts["discriminator"] += max(len(real), len(fake))
        self.images_seen += len(real)
        self.steps += 1
        self.controller.observe_signs(real_logits)
        if self.steps % CONTROLLER_INTERVAL == 0:
            self.controller.update(self.images_seen - self._counts["moved_at"])
            self._counts["moved_at"] = self.images_seen
            if self.augmentation.ada_p is not None:
                self.controller.p.fill_(self.augmentation.ada_p)  # r is measured all the same
        return DiscriminatorStep(loss.detach(), self.controller.r.clone(), self.controller.p.clone())

    def state_dict(self) -> dict[str, Any]:
        """All that training goes on from, copied: tensors and numbers, which `torch.load(weights_only=True)` reads."""
        return copy.deepcopy(
            {
                "made_with": self._made_with,
                "discriminator": self.discriminator.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "controller": self.controller.state_dict(),
                "steps": self.steps,
                "images_seen": self.images_seen,
                "counts": self._counts,
            }
        )

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a `state_dict`, as if it had never stopped. UserError for one of a loss that was made with other
        arguments, and for what is no such state; nothing has changed then."""
        own = self.state_dict()
        if not isinstance(state, dict) or set(state) != set(own):
            raise UserError("not a state of an AdversarialLoss: give what its state_dict returned")
        for name, value in own["made_with"].items():
            if state["made_with"].get(name) != value:
                raise UserError(
                    f"the state is of a loss with `{name}` {state['made_with'].get(name)}, and this one has {value}: "
                    "make it with the same arguments"
                )
        state = copy.deepcopy(state)
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.controller.load_state_dict(state["controller"])
        self.steps, self.images_seen, self._counts = state["steps"], state["images_seen"], state["counts"]

    def _r1(self, real: Tensor, c: Tensor, first: int) -> Tensor:
        height, width = self.network.height, self.network.width
        gamma = GAMMA_PER_PIXEL * height * width / len(real) if self.gamma is None else self.gamma
        images = real.clone().requires_grad_(True)
        logits = self._judge(images, c, "D_r1/augment", first)
        return self.r1_interval * gamma / 2 * losses.r1_penalty(logits, images).mean()

    def _descend(self, loss: Tensor) -> None:
        loss.backward()
        for parameter in self.discriminator.parameters():
            if parameter.grad is not None:
                torch.nan_to_num_(parameter.grad, nan=0.0, posinf=1e5, neginf=-1e5)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        # fused Adam does not tell autograd that it changed them, and a generator's loss of before would be
        # differentiated through half of each
        increment_version(list(self.discriminator.parameters()))

    def _judge(self, images: Tensor, c: Tensor, stream: str, first: int) -> Tensor:
        """Logits [N]. first: the number of the first image in its stream."""
        # in half precision R1 would vanish
        with torch.autocast(self.device.type, enabled=False):
            images = images.float()
            if self.pipe is not None:
                indices = torch.arange(first, first + len(images), device=self.device)
                images = self.pipe(images, Draws(self.seed, stream, indices), self.controller.p)
            return self.discriminator(images, c)

    def _checked(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Label vectors [N, c_dim] of images that are as they should be."""
        config = self.network
        wanted = (config.all_channels, config.height, config.width)
        if not isinstance(images, Tensor) or not isinstance(labels, Tensor | None):
            given = type(images if not isinstance(images, Tensor) else labels).__name__
            raise UserError(f"images or labels as {given}: give tensors")
        if images.ndim != 4 or not len(images) or tuple(images.shape[1:]) != wanted:
            raise UserError(
                f"images of shape {tuple(images.shape)}: this loss judges (N, {', '.join(map(str, wanted))})"
            )
        if not images.is_floating_point():
            raise UserError(f"images of {images.dtype}: give floating-point values from -1 to 1")
        if images.device.type != self.device.type:
            raise UserError(f"images on {images.device}, and the loss is on {self.device}: give it the same `device`")
        if labels is None:
            if config.c_dim:
                raise UserError(f"no labels: this loss was made for label vectors of {config.c_dim}, give each image's")
            return torch.zeros(len(images), 0, device=self.device)
        if not config.c_dim:
            raise UserError("labels, and this loss was made for images without: leave them out, or declare `c_dim`")
        labels = labels.detach().to(self.device)
        if labels.ndim == 1 and not labels.is_floating_point() and not config.attributes:
            return self._one_hot(labels.long(), len(images))
        if tuple(labels.shape) != (len(images), config.c_dim):
            raise UserError(
                f"labels of shape {tuple(labels.shape)} for {len(images)} images: give ({len(images)}, {config.c_dim})"
            )
        return labels.float()

    def _one_hot(self, labels: Tensor, count: int) -> Tensor:
        c_dim = self.network.c_dim
        if len(labels) != count:
            raise UserError(f"{len(labels)} labels for {count} images: give one each")
        if labels.min() < 0 or labels.max() >= c_dim:
            raise UserError(
                f"classes from {int(labels.min())} to {int(labels.max())}: this loss knows 0 to {c_dim - 1}"
            )
        return torch.nn.functional.one_hot(labels, c_dim).float()


def _plain(images: Tensor) -> Tensor:
    """float32, without a graph, and not made in inference mode."""
    images = images.detach()
    return (images.clone() if images.is_inference() else images).float()


def _device(name: torch.device | str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"`device` {name}: torch knows no such device, give cpu or cuda") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"`device` {device}: torch finds no GPU here, use cpu or install a CUDA build of torch")
    return device


def _network_of(
    dataset: ImageDataset, channel_base: int | None, channel_max: int | None, device: torch.device
) -> NetworkConfig:
    """The discriminator that `train` chooses for a set, in fp32."""
    channels, height, width = dataset.image_shape
    base, most = chosen_widths(max(height, width), device.type == "cuda")
    return NetworkConfig(
        channels=channels,
        height=height,
        width=width,
        mask_channels=len(dataset.mask_kinds),
        c_dim=dataset.c_dim,
        attributes=bool(dataset.attributes),
        channel_base=base if channel_base is None else channel_base,
        channel_max=most if channel_max is None else channel_max,
        label_head="full" if dataset.c_dim else "inner",
        label_depth=0 if dataset.c_dim else None,
    )
