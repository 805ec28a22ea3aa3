"""Adaptive strength of augmentation (arXiv 2006.06676, section 3): p follows a measure r of overfitting."""

import torch
from torch import Tensor

from ..errors import UserError


def r_v(logits_train: Tensor, logits_holdout: Tensor, logits_generated: Tensor) -> Tensor:
    """Equation (1), left: (E[D_train] - E[D_holdout]) / (E[D_train] - E[D_generated]), a 0-dim tensor.

    0: held-out images are judged like those trained on, no overfitting. 1: like generated ones. Not finite if the
    logits of real and generated images have the same mean.
    """
    train = logits_train.mean()
    return (train - logits_holdout.mean()) / (train - logits_generated.mean())


class AdaController:
    """p is adjusted so that r reaches its target.

    r is r_t = E[sign(D(real))], equation (1), right, from the logits that `observe_signs` saw since the last update; or
    whatever is handed to `update`, such as `r_v`. All state is on the device, nothing waits for it.

    target: of r. kimg: thousands of images in which p would go from 0 to 1. cap: the largest p; the paper finds that
    generators hardly ever show augmentations below 0.8. p: to begin with.
    Raises UserError for figures out of range.

    p: float32, 0-dim, read by the pipe. r: float32, 0-dim, the last measured; 0 before the first. Both are tensors that
    are changed in place, never replaced. pending: float64 [2], sum and count of the signs since the last update.
    """

    def __init__(
        self, *, target: float, kimg: float = 500, cap: float = 0.8, p: float = 0.0, device: torch.device | str
    ):
        if not kimg > 0:
            raise UserError(f"the controller cannot move p over {kimg} thousand images: give a positive number")
        if not 0 <= p <= cap <= 1:
            raise UserError(f"p = {p} with a cap of {cap}: both must be from 0 to 1, and p not above the cap")
        self.target = target
        self.kimg = kimg
        self.cap = cap
        self.p = torch.tensor(p, dtype=torch.float32, device=device)
        self.r = torch.tensor(0.0, dtype=torch.float32, device=device)
        self.pending = torch.zeros(2, dtype=torch.float64, device=device)

    def observe_signs(self, logits_real: Tensor) -> None:
        """Take in the discriminator's logits for real images, of any shape. One that is NaN counts as 0."""
        self.pending[0] += logits_real.detach().sign().sum(dtype=torch.float64)
        self.pending[1] += logits_real.numel()

    def update(self, images: int, r: Tensor | None = None) -> None:
        """Move p by images / (1000 kimg) towards the target, within [0, cap], and forget the signs.

        images: the number of training images seen since the last update, over all processes. r: 0-dim, on the device,
        used instead of r_t. With no signs seen, or r not finite, p and r stay.
        """
        if r is None:
            r = self.pending[0] / self.pending[1]  # not finite if none were seen
        r = r.detach().to(self.r.dtype)
        measured = r.isfinite()
        step = (r - self.target).sign() * (images / (self.kimg * 1000))
        self.p.copy_(torch.where(measured, (self.p + step).clamp(0, self.cap), self.p))
        self.r.copy_(torch.where(measured, r, self.r))
        self.pending.zero_()

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of p, r and the pending signs."""
        return {"p": self.p.clone(), "r": self.r.clone(), "pending": self.pending.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue from a state_dict, from whatever device."""
        self.p.copy_(state["p"])
        self.r.copy_(state["r"])
        self.pending.copy_(state["pending"])
