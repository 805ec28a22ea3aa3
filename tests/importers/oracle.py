"""The functions that stored parameters define, in float64 by numpy and scipy, from the papers' equations.

StyleGAN2, arXiv 1912.04958: equations 1 and 3 (modulation, demodulation), figure 7 (skip connections); StyleGAN, arXiv
1812.04948, appendix B (truncation); progressive growing, arXiv 1710.10196, section 3 (minibatch standard deviation);
projection of labels, arXiv 1802.05637.
"""

from typing import Any

import numpy as np
from scipy.signal import convolve2d, correlate2d

FIR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 16  # with the gain of 4 that inserted zeros need


def _parameters(module: Any) -> dict[str, np.ndarray]:
    named = {**module.state["_parameters"], **module.state["_buffers"]}
    return {name: tensor.detach().double().numpy() for name, tensor in named.items()}


def _dense(module: Any, x: np.ndarray, rate: float = 1.0) -> np.ndarray:
    named = _parameters(module)
    return x @ named["weight"].T * (rate / np.sqrt(x.shape[1])) + named["bias"] * rate


def _lrelu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x) * np.sqrt(2)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-8)


def _clamped(x: np.ndarray, clamp: None) -> np.ndarray:
    return x if clamp is None else np.clip(x, -clamp, clamp)


def _spread(image: np.ndarray) -> np.ndarray:
    """Every pixel followed by a zero, on both axes."""
    wide = np.zeros((2 * image.shape[0], 2 * image.shape[1]))
    wide[::2, ::2] = image
    return wide


def _up_convolved(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """By a transposed convolution of stride 2, then the FIR; a pixel's middle becomes that of its two by two pixels."""
    full = convolve2d(_spread(image), convolve2d(kernel, FIR))
    return full[2 : 2 + 2 * image.shape[0], 2 : 2 + 2 * image.shape[1]]


def _upsampled(image: np.ndarray) -> np.ndarray:
    return convolve2d(_spread(image), FIR)[1 : 1 + 2 * image.shape[0], 1 : 1 + 2 * image.shape[1]]


def _layer(module: Any, x: np.ndarray, w: np.ndarray, up: bool) -> np.ndarray:
    named, clamp = _parameters(module), module.state["conv_clamp"]
    results = []
    for image, style in zip(x, _dense(module.child("affine"), w), strict=True):
        weight = named["weight"] * style[None, :, None, None]
        weight /= np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True) + 1e-8)
        results.append(
            [
                sum(
                    _up_convolved(one, kernel) if up else correlate2d(one, kernel, mode="same")
                    for one, kernel in zip(image, kernels, strict=True)
                )
                for kernels in weight
            ]
        )
    y = np.array(results) + named["noise_const"] * named["noise_strength"]
    return _clamped(_lrelu(y + named["bias"][:, None, None]), clamp)


def _rgb(module: Any, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    named = _parameters(module)
    style = _dense(module.child("affine"), w) / np.sqrt(x.shape[1])
    y = np.einsum("oi,ni,nihw->nohw", named["weight"][:, :, 0, 0], style, x) + named["bias"][:, None, None]
    return _clamped(y, module.state["conv_clamp"])


def mapped(generator: Any, z: np.ndarray, c: np.ndarray) -> np.ndarray:
    """w [N, w_dim]."""
    mapping = generator.child("mapping")
    layers = mapping.state["_modules"]
    x = _unit(z)
    if "embed" in layers:
        x = np.concatenate([x, _unit(_dense(layers["embed"], c))], axis=1)
    for index in range(len(layers) - ("embed" in layers)):
        x = _lrelu(_dense(layers[f"fc{index}"], x, rate=0.01))
    return x


def images(generator: Any, z: np.ndarray, c: np.ndarray, truncation_psi: float = 1.0) -> np.ndarray:
    """[N, channels, H, W], with the constant noise."""
    w_avg = _parameters(generator.child("mapping"))["w_avg"]
    w = w_avg + truncation_psi * (mapped(generator, z, c) - w_avg)
    image = None
    blocks = generator.child("synthesis").state["_modules"]
    for side in sorted(int(name[1:]) for name in blocks):
        block = blocks[f"b{side}"]
        if side == 4:
            x = np.repeat(_parameters(block)["const"][None], len(z), axis=0)
        else:
            x = _layer(block.child("conv0"), x, w, up=True)
        x = _layer(block.child("conv1"), x, w, up=False)
        rgb = _rgb(block.child("torgb"), x, w)
        image = rgb if image is None else np.array([[_upsampled(one) for one in each] for each in image]) + rgb
    return image


def _conv(module: Any, x: np.ndarray, down: bool = False) -> np.ndarray:
    named, clamp = _parameters(module), module.state["conv_clamp"]
    weight = named["weight"] / np.sqrt(named["weight"][0].size)
    side = x.shape[2]

    def one(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        if not down:
            return correlate2d(image, kernel, mode="same")
        whole = convolve2d(image, convolve2d(FIR / 4, kernel[::-1, ::-1]))
        # the middle of a pixel that stays is that of its two by two pixels
        first = 2 + kernel.shape[0] // 2
        return whole[first : first + side : 2, first : first + side : 2]

    y = np.array([[sum(map(one, image, kernels)) for kernels in weight] for image in x])
    if "bias" in named:
        y = y + named["bias"][:, None, None]
    return _clamped(_lrelu(y), clamp) if module.state["activation"] == "lrelu" else y


def logits(discriminator: Any, x: np.ndarray, c: np.ndarray) -> np.ndarray:
    """[N] of images [N, channels, H, W], in groups of four for the minibatch standard deviation."""
    blocks = discriminator.state["_modules"]
    sides = sorted((int(name[1:]) for name in blocks if name != "mapping"), reverse=True)
    x = _conv(blocks[f"b{sides[0]}"].child("fromrgb"), x)
    for side in sides[:-1]:
        block = blocks[f"b{side}"]
        straight = _conv(block.child("skip"), x, down=True)
        x = (straight + _conv(block.child("conv1"), _conv(block.child("conv0"), x), down=True)) * np.sqrt(0.5)
    deviation = np.sqrt(x.reshape(-1, 4, *x.shape[1:]).var(axis=1) + 1e-8).mean(axis=(1, 2, 3)).repeat(4)
    x = np.concatenate([x, np.broadcast_to(deviation[:, None, None, None], (len(x), 1, 4, 4))], axis=1)
    end = blocks["b4"]
    x = _lrelu(_dense(end.child("fc"), _conv(end.child("conv"), x).reshape(len(x), -1)))
    x = _dense(end.child("out"), x)
    if "mapping" not in blocks:
        return x[:, 0]
    layers = blocks["mapping"].state["_modules"]
    label = _unit(_dense(layers["embed"], c))
    for index in range(len(layers) - 1):
        label = _lrelu(_dense(layers[f"fc{index}"], label, rate=0.01))
    return (x * label).sum(axis=1) / np.sqrt(label.shape[1])
