"""The losses of StyleGAN2 as pure functions of tensors. Each gives one value per image, [N]."""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Non-saturating logistic loss, -log sigmoid(D(G(z))): Goodfellow et al. 2014, arXiv 1406.2661, section 3."""
    return softplus(-fake_logits)


def discriminator_loss(logits: Tensor, *, real: bool) -> Tensor:
    """Logistic loss of the discriminator on real or on generated images; same source."""
    return softplus(-logits if real else logits)


def r1_penalty(real_logits: Tensor, real_images: Tensor) -> Tensor:
    """Squared norm of the gradient of each real logit in its image: Mescheder et al. 2018, arXiv 1801.04406, eq. 9.

    real_logits [N] computed from real_images [N, C, H, W], which requires a gradient. To be weighted by gamma / 2.
    """
    (gradient,) = torch.autograd.grad(real_logits.sum(), real_images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


def path_lengths(images: Tensor, ws: Tensor, image_noise: Tensor) -> Tensor:
    """|J^T y| of StyleGAN2 (arXiv 1912.04958) eq. 4, its square averaged over the layers' ws.

    images [N, C, H, W] computed from ws [N, num_ws, w_dim]; image_noise like images, standard normal: divided here by
    sqrt(H * W), so that the lengths do not depend on the resolution (appendix B).
    """
    scale = 1 / math.sqrt(images.shape[2] * images.shape[3])
    (gradient,) = torch.autograd.grad((images * image_noise).sum() * scale, ws, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


def path_length_penalty(lengths: Tensor, mean_length: Tensor) -> Tensor:
    """(|J^T y| - a)^2, arXiv 1912.04958, eq. 4. lengths [N]; mean_length: the running mean a, taken as constant."""
    return (lengths - mean_length.detach()).square()
