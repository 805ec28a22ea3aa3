"""The discriminator as a loss for any generator."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor, nn
from torch.nn.functional import softplus

from stylegan_ada import AdversarialLoss, UserError
from stylegan_ada.config import NetworkConfig
from stylegan_ada.datasets import load_dataset
from stylegan_ada.networks import Discriminator

SMALL = {"channel_base": 128, "channel_max": 16}


def network(**other: Any) -> NetworkConfig:
    return NetworkConfig(**{"channels": 1, "height": 8, "width": 8, **SMALL, **other})


def images(count: int = 8, seed: int = 0, channels: int = 1) -> Tensor:
    return torch.rand(count, channels, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def classes(count: int = 8) -> Tensor:
    return torch.arange(count) % 2


def weights(loss: AdversarialLoss) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in loss.discriminator.parameters()]


def test_the_generators_loss_by_its_definition() -> None:
    loss = AdversarialLoss(network(c_dim=2), augment=(), seed=3)
    fake = images().requires_grad_()
    value = loss.generator_loss(fake, classes())
    value.backward()
    twin = Discriminator(loss.network).double()
    twin.load_state_dict({name: tensor.double() for name, tensor in loss.discriminator.state_dict().items()})
    same = images().double().requires_grad_()
    expected = -torch.sigmoid(twin(same, torch.eye(2, dtype=torch.float64)[classes()])).log().mean()
    expected.backward()
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    assert fake.grad is not None
    torch.testing.assert_close(fake.grad.double(), same.grad, rtol=1e-4, atol=1e-7)
    assert all(parameter.grad is None for parameter in loss.discriminator.parameters())


def test_the_discriminators_steps_by_their_definition() -> None:
    """Three steps of the logistic loss and of lazy R1, every second one, by torch's plain Adam in float64."""
    rate, gamma, interval = 0.01, 0.3, 2
    loss = AdversarialLoss(network(), augment=(), learning_rate=rate, gamma=gamma, r1_interval=interval)
    twin = Discriminator(loss.network).double()
    twin.load_state_dict({name: tensor.double() for name, tensor in loss.discriminator.state_dict().items()})
    c = interval / (interval + 1)
    adam = torch.optim.Adam(twin.parameters(), lr=rate * c, betas=(0.0, 0.99**c), eps=1e-8)
    nothing = torch.zeros(8, 0, dtype=torch.float64)
    for step in range(3):
        real, fake = images(seed=2 * step), images(seed=2 * step + 1)
        found = loss.discriminator_step(real, fake)
        logistic = softplus(twin(fake.double(), nothing)).mean() + softplus(-twin(real.double(), nothing)).mean()
        adam.zero_grad()
        logistic.backward()
        adam.step()
        if step % interval == 0:
            seen = real.double().requires_grad_()
            (slope,) = torch.autograd.grad(twin(seen, nothing).sum(), seen, create_graph=True)
            adam.zero_grad()
            (interval * gamma / 2 * slope.square().sum(dim=(1, 2, 3)).mean()).backward()
            adam.step()
        assert found.loss.item() == pytest.approx(logistic.item(), rel=1e-4)
    for ours, theirs in zip(loss.discriminator.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-3, atol=1e-4)


def test_gamma_that_is_chosen_follows_the_batch() -> None:
    chosen, given = (AdversarialLoss(network(), augment=(), gamma=gamma) for gamma in (None, 0.0002 * 64 / 8))
    for loss in (chosen, given):
        loss.discriminator_step(images(seed=1), images(seed=2))
    assert all(torch.equal(a, b) for a, b in zip(weights(chosen), weights(given), strict=True))


def test_p_rises_while_real_logits_are_positive() -> None:
    loss = AdversarialLoss(network(), ada_target=-0.9, ada_kimg=0.1)
    found = [loss.discriminator_step(images(seed=step), images(seed=9)) for step in range(8)]
    # 4 steps of 8 images are 32 of the 100 in which p may rise from 0 to 1
    assert [round(step.p.item(), 3) for step in found] == [0, 0, 0, 0.32, 0.32, 0.32, 0.32, 0.64]
    assert -1 <= found[-1].r.item() <= 1


@pytest.mark.parametrize(("options", "p"), [({"ada_p": 0.3}, 0.3), ({"augment": ()}, 0.0)])
def test_p_that_does_not_adapt(options: dict[str, Any], p: float) -> None:
    loss = AdversarialLoss(network(), ada_target=-0.9, ada_kimg=0.01, **options)
    found = [loss.discriminator_step(images(seed=step), images(seed=9)) for step in range(5)]
    assert found[-1].p.item() == pytest.approx(p)


def test_what_is_judged_is_augmented() -> None:
    plain, augmented = (AdversarialLoss(network(), ada_p=p) for p in (0.0, 1.0))
    fake = images()
    assert plain.generator_loss(fake).item() == plain.generator_loss(fake).item()
    first, second = augmented.generator_loss(fake).item(), augmented.generator_loss(fake).item()
    assert first != plain.generator_loss(fake).item()
    assert first != second  # each call draws its own


def test_a_loss_of_before_a_step_cannot_be_differentiated_after_it() -> None:
    loss = AdversarialLoss(network())
    before = loss.generator_loss(images().requires_grad_())
    loss.discriminator_step(images(seed=1), images(seed=2))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        before.backward()


def trained(loss: AdversarialLoss, first: int, last: int) -> list[float]:
    """Steps first ... last - 1 against fixed fake images; the generator's losses."""
    values = []
    for step in range(first, last):
        values.append(loss.generator_loss(images(seed=100 + step), classes()).item())
        loss.discriminator_step(images(seed=step), images(seed=200 + step), classes())
    return values


def test_training_goes_on_bit_for_bit() -> None:
    def new(seed: int = 0) -> AdversarialLoss:
        return AdversarialLoss(
            network(c_dim=2, label_head="full"), ada_target=-0.9, ada_kimg=0.05, r1_interval=3, seed=seed
        )

    whole = new()
    trained(whole, 0, 6)
    begun = new()
    trained(begun, 0, 3)
    file = io.BytesIO()
    torch.save(begun.state_dict(), file)
    file.seek(0)
    resumed = new()
    resumed.load_state_dict(torch.load(file, weights_only=True))
    assert resumed.controller.p.item() == begun.controller.p.item()
    trained(resumed, 3, 6)
    assert whole.controller.p.item() > 0
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    assert trained(whole, 6, 8) == trained(resumed, 6, 8)


def test_a_toy_generator_comes_nearer_with_it() -> None:
    """Flat images that are either dark or bright, by scipy's distance between distributions of brightness: a generator
    that is trained by squared differences from real images alone learns their mean."""

    def brightness(rng: np.random.Generator, count: int) -> Tensor:
        return torch.from_numpy(rng.choice([-0.7, 0.7], count) + rng.normal(0, 0.05, count)).float()

    def flat_images(values: Tensor) -> Tensor:
        return values.view(-1, 1, 1, 1).expand(-1, 1, 8, 8)

    def distance_after_training(adversarial: AdversarialLoss | None) -> float:
        torch.manual_seed(0)
        toy = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1), nn.Tanh(), nn.Flatten(0))
        adam = torch.optim.Adam(toy.parameters(), lr=0.01, betas=(0.0, 0.99))
        rng = np.random.default_rng(1)
        for _ in range(60):
            real, fake = brightness(rng, 16), toy(torch.randn(16, 4))
            if adversarial is None:
                loss = (fake - real).square().mean()
            else:
                loss = adversarial.generator_loss(flat_images(fake))
            adam.zero_grad()
            loss.backward()
            adam.step()
            if adversarial is not None:
                adversarial.discriminator_step(flat_images(real), flat_images(fake))
        with torch.no_grad():
            return wasserstein_distance(toy(torch.randn(500, 4)).numpy(), brightness(rng, 500).numpy())

    without = distance_after_training(None)
    assert distance_after_training(AdversarialLoss(network(), learning_rate=0.005)) < 0.6 * without


def test_of_a_set(image_folder: Any) -> None:
    dataset = load_dataset(str(image_folder))
    loss = AdversarialLoss(dataset, **SMALL)
    assert (loss.network.image_shape, loss.network.c_dim) == (dataset.image_shape, 2)
    real = torch.tensor(dataset.images[:4]) / 127.5 - 1
    vectors = torch.from_numpy(dataset.label_vectors(range(4)))
    by_vector = loss.generator_loss(real, vectors).item()
    assert by_vector == loss.generator_loss(real, torch.tensor(dataset.labels[:4])).item()


def test_masks_are_judged_with_their_images() -> None:
    loss = AdversarialLoss(network(mask_channels=1), ada_p=0.5)
    found = loss.discriminator_step(images(channels=2), images(channels=2, seed=1))
    assert found.loss.isfinite()


def labelled(loss: AdversarialLoss, labels: Tensor | None) -> None:
    loss.generator_loss(images(), labels)


@pytest.mark.parametrize(
    ("misuse", "words"),
    [
        (
            lambda: AdversarialLoss(network()).generator_loss(torch.zeros(8, 1, 16, 16)),
            "(8, 1, 16, 16): this loss judges",
        ),
        (lambda: AdversarialLoss(network()).generator_loss(torch.zeros(8, 3, 8, 8)), "(N, 1, 8, 8)"),
        (lambda: AdversarialLoss(network()).generator_loss(torch.zeros(1, 8, 8)), "(N, 1, 8, 8)"),
        (lambda: AdversarialLoss(network()).generator_loss(torch.zeros(0, 1, 8, 8)), "(0, 1, 8, 8)"),
        (lambda: AdversarialLoss(network()).generator_loss(images().to(torch.uint8)), "floating-point values from -1"),
        (lambda: AdversarialLoss(network()).discriminator_step(images() * 127.5, images()), "give them from -1 to 1"),
        (lambda: AdversarialLoss(network()).discriminator_step(images(), images()[:, :, :4]), "(8, 1, 4, 8)"),
        (lambda: labelled(AdversarialLoss(network()), classes()), "made for images without: leave them out"),
        (lambda: labelled(AdversarialLoss(network(c_dim=2)), None), "label vectors of 2, give each image's"),
        (lambda: labelled(AdversarialLoss(network(c_dim=2)), classes(7)), "7 labels for 8 images"),
        (
            lambda: labelled(AdversarialLoss(network(c_dim=2)), classes() + 1),
            "classes from 1 to 2: this loss knows 0 to 1",
        ),
        (lambda: labelled(AdversarialLoss(network(c_dim=2)), torch.zeros(8, 3)), "(8, 3) for 8 images: give (8, 2)"),
        (lambda: labelled(AdversarialLoss(network(c_dim=2)), torch.zeros(8)), "(8,) for 8 images"),
        (lambda: labelled(AdversarialLoss(network(c_dim=3, attributes=True)), classes()), "give (8, 3)"),
        (lambda: AdversarialLoss(network(), augment=("bilt",)), "blit"),
        (lambda: AdversarialLoss(network(), ada_p=2), "ada_p"),
        (lambda: AdversarialLoss(network(), gamma=-1), "`gamma` -1"),
        (lambda: AdversarialLoss(network(), gamma=float("nan")), "`gamma` nan"),
        (lambda: AdversarialLoss(network(), learning_rate=0), "`learning_rate` 0"),
        (lambda: AdversarialLoss(network(), r1_interval=0), "`r1_interval` 0"),
        (lambda: AdversarialLoss(network(), channel_max=8), "the NetworkConfig has them"),
        (lambda: AdversarialLoss(network(c_dim=2, transitional=True)), "`transitional`"),
        (lambda: AdversarialLoss(network(height=9)), "nearest size"),
    ],
)
def test_misuse_is_one_line(misuse: Callable[[], object], words: str) -> None:
    with pytest.raises(UserError) as error:
        misuse()
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_state_of_another_network_is_refused() -> None:
    loss = AdversarialLoss(network())
    before = weights(loss)
    with pytest.raises(UserError, match="`c_dim` 2, and this one has 0"):
        loss.load_state_dict(AdversarialLoss(network(c_dim=2), seed=1).state_dict())
    assert all(torch.equal(a, b) for a, b in zip(before, weights(loss), strict=True))


def test_a_step_that_is_refused_changes_nothing() -> None:
    loss = AdversarialLoss(network())
    before = weights(loss)
    with pytest.raises(UserError):
        loss.discriminator_step(images(), torch.zeros(8, 1, 4, 4))
    assert (loss.steps, loss.images_seen) == (0, 0)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(loss), strict=True))
