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
from stylegan_ada.augment import AugmentPipe
from stylegan_ada.config import NetworkConfig, StartConfig, TrainingConfig
from stylegan_ada.datasets import load_dataset
from stylegan_ada.networks import Discriminator, Generator
from stylegan_ada.random import Draws
from stylegan_ada.training.step.objective import MicroBatch, Objective
from stylegan_ada.training.step.phases import make_optimizer, make_phases

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
    assert found[2].r.item() == 0  # nothing was measured yet
    assert 0 < abs(found[-1].r.item()) <= 1
    assert loss.controller.pending[1] == 8  # of the step since then


def test_what_is_judged_is_augmented() -> None:
    plain, augmented = (AdversarialLoss(network(), ada_p=p) for p in (0.0, 1.0))
    fake = images()
    assert plain.generator_loss(fake).item() == plain.generator_loss(fake).item()
    first, second = augmented.generator_loss(fake).item(), augmented.generator_loss(fake).item()
    assert first != plain.generator_loss(fake).item()
    assert first != second  # each call draws its own


def test_the_discriminator_learns_what_a_runs_does() -> None:
    """Augmented real and generated images and R1, by the phases of `train` on the same images."""
    loss = AdversarialLoss(network(), ada_p=0.7, gamma=0.3, r1_interval=2, learning_rate=0.01)
    config = TrainingConfig(kimg=1, batch=8, gamma=0.3, r1_interval=2, learning_rate=0.01, pl_weight=0)
    twin = Discriminator(loss.network)
    twin.load_state_dict(loss.discriminator.state_dict())
    made: list[Tensor] = []

    class Given(Objective):
        def _generate(self, *_: object, **__: object) -> tuple[Tensor, Tensor, Tensor]:
            return made[-1], torch.zeros(8, 0), torch.zeros(0)

    generator = Generator(loss.network)
    pipe = AugmentPipe(("blit", "geom", "color"), (1, 8, 8))
    p = torch.tensor(0.7)
    objective = Given(generator, twin, pipe, p, torch.zeros(()), torch.zeros(1, 0), config)
    adam = make_optimizer(twin, 0.01, 2)
    _, main, r1 = make_phases(objective, adam, adam, config, StartConfig())
    for number in range(3):
        real = images(seed=2 * number)
        made.append(images(seed=2 * number + 1))
        loss.discriminator_step(real, made[-1])
        batch = MicroBatch(8 * number, torch.arange(8 * number, 8 * number + 8), real, torch.zeros(8, 0))
        for phase in (main, r1) if number % 2 == 0 else (main,):
            phase.gradients([batch], 8)
            phase.step()
    assert all(torch.equal(a, b) for a, b in zip(weights(loss), twin.parameters(), strict=True))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_images_of_other_precisions_are_judged_in_float32(dtype: torch.dtype) -> None:
    real, fake = images().to(dtype), images(seed=1).to(dtype)
    plain, other = AdversarialLoss(network(), ada_p=0.5), AdversarialLoss(network(), ada_p=0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        other.discriminator_step(real, fake)
    plain.discriminator_step(real.float(), fake.float())
    assert all(torch.equal(a, b) for a, b in zip(weights(plain), weights(other), strict=True))
    asked = fake.clone().requires_grad_()
    other.generator_loss(asked).backward()
    assert asked.grad is not None
    assert asked.grad.dtype == dtype


def test_a_step_works_in_any_mode_of_torch() -> None:
    losses = [AdversarialLoss(network(), augment=()) for _ in range(3)]
    losses[0].discriminator_step(images(), images(seed=1))
    with torch.no_grad():
        losses[1].discriminator_step(images(), images(seed=1))
    with torch.inference_mode():
        real, fake = images(), images(seed=1)
    losses[2].discriminator_step(real, fake)
    for loss in losses[1:]:
        assert all(torch.equal(a, b) for a, b in zip(weights(losses[0]), weights(loss), strict=True))


def test_more_generated_than_real_images_draw_their_own_augmentations() -> None:
    loss = AdversarialLoss(network(), ada_p=1.0)
    drawn = []

    def noting(given: Tensor, draws: Draws, p: Tensor) -> Tensor:
        drawn.append(draws.uniform(1).flatten().tolist())
        return given

    loss.pipe = noting
    for _ in range(2):
        loss.discriminator_step(images(4), images(8))
    first, later = drawn[0], drawn[3]  # of generated images; then real ones, and R1 in the first step
    assert len(set(first + later)) == 16


def test_nan_never_enters_the_weights() -> None:
    loss = AdversarialLoss(network())
    found = loss.discriminator_step(images(), torch.full((8, 1, 8, 8), torch.nan))
    assert found.loss.isnan()
    assert all(parameter.isfinite().all() for parameter in weights(loss))


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


def new(**other: Any) -> AdversarialLoss:
    settings = {"ada_target": -0.9, "ada_kimg": 0.2, "r1_interval": 3, **other}
    return AdversarialLoss(network(c_dim=2, label_head="full"), **settings)


@pytest.mark.parametrize("in_a_file", [False, True])
def test_training_goes_on_bit_for_bit(in_a_file: bool) -> None:
    """Stopped between moves of p, which come every four steps, after it has moved once."""
    whole, begun, resumed = new(), new(), new()
    trained(whole, 0, 6)
    trained(begun, 0, 6)
    state = begun.state_dict()
    trained(begun, 20, 23)  # what was saved does not change with it
    if in_a_file:
        file = io.BytesIO()
        torch.save(state, file)
        file.seek(0)
        state = torch.load(file, weights_only=True)
    resumed.load_state_dict(state)
    assert 0 < resumed.controller.p.item() < 0.8
    assert trained(whole, 6, 13) == trained(resumed, 6, 13)
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    ends = [loss.discriminator_step(images(), images(seed=1), classes()) for loss in (whole, resumed)]
    assert ends[0] == ends[1]
    assert torch.equal(whole.controller.pending, resumed.controller.pending)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (lambda: {}, "not a state of an AdversarialLoss"),
        (lambda: None, "not a state of an AdversarialLoss"),
        (lambda: nn.Linear(2, 2).state_dict(), "not a state of an AdversarialLoss"),
        (lambda: {k: v for k, v in new().state_dict().items() if k != "steps"}, "not a state of an AdversarialLoss"),
        (lambda: new(learning_rate=0.01).state_dict(), "`learning_rate` 0.01, and this one has 0.0025"),
        (lambda: new(r1_interval=4).state_dict(), "`r1_interval` 4, and this one has 3"),
        (lambda: new(augment=()).state_dict(), "`augment` (), and this one has ('blit', 'geom', 'color')"),
        (lambda: new(seed=1).state_dict(), "`seed` 1, and this one has 0"),
        (lambda: AdversarialLoss(network()).state_dict(), "`c_dim` 0, and this one has 2"),
    ],
)
def test_a_state_of_another_loss_is_refused(state: Callable[[], Any], words: str) -> None:
    loss = new()
    before = weights(loss)
    with pytest.raises(UserError) as error:
        loss.load_state_dict(state())
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(loss), strict=True))


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
        (lambda: AdversarialLoss(network(), augment="blit,geom"), "give the groups one by one"),
        (lambda: AdversarialLoss(network(), seed=-1), "`seed` -1"),
        (lambda: AdversarialLoss(network(), device="gpu"), "`device` gpu"),
        (lambda: AdversarialLoss("my_images"), "an AdversarialLoss of str: give what load_dataset returns"),
        (lambda: AdversarialLoss(network()).generator_loss(images().numpy()), "as ndarray: give tensors"),
        (lambda: labelled(AdversarialLoss(network(c_dim=2)), classes().numpy()), "as ndarray: give tensors"),
        (lambda: AdversarialLoss(network()).discriminator_step(images() * torch.nan, images()), "values up to nan"),
    ],
)
def test_misuse_is_one_line(misuse: Callable[[], object], words: str) -> None:
    with pytest.raises(UserError) as error:
        misuse()
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_step_that_is_refused_changes_nothing() -> None:
    loss = AdversarialLoss(network())
    before = weights(loss)
    with pytest.raises(UserError):
        loss.discriminator_step(images(), torch.zeros(8, 1, 4, 4))
    assert (loss.steps, loss.images_seen) == (0, 0)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(loss), strict=True))
