import pytest
import torch

from stylegan_ada.augment import AdaController, r_v
from stylegan_ada.errors import UserError


def controller(p: float = 0.0, **settings: float) -> AdaController:
    return AdaController(**{"target": 0.6, **settings}, p=p, device="cpu")


CONFIDENT, UNSURE = torch.tensor([3.0, 1.0, 0.5, 2.0]), torch.tensor([3.0, -1.0, 0.5, -2.0])  # r = 1, r = 0


def test_p_rises_above_the_target_and_falls_below() -> None:
    ada = controller(p=0.5, kimg=100)
    ada.observe_signs(CONFIDENT)
    ada.update(1000)
    assert ada.p.item() == pytest.approx(0.51)
    assert ada.r.item() == 1
    ada.observe_signs(UNSURE)
    ada.update(2000)
    assert ada.p.item() == pytest.approx(0.49)
    assert ada.r.item() == 0


def test_signs_are_averaged_over_calls_and_forgotten_by_an_update() -> None:
    ada = controller(p=0.5)
    ada.observe_signs(torch.tensor([1.0, 5.0, -0.1]))
    ada.observe_signs(torch.tensor([[0.2], [0.0]]))
    assert ada.pending.tolist() == [2, 5]
    ada.update(500)
    assert ada.r.item() == pytest.approx(0.4)
    assert ada.pending.tolist() == [0, 0]


def test_p_goes_from_zero_to_one_in_kimg() -> None:
    ada = controller(kimg=2, cap=1.0)
    steps = 0
    while ada.p < 0.9999:
        ada.observe_signs(CONFIDENT)
        ada.update(32)
        steps += 1
    assert steps == pytest.approx(2000 / 32, abs=1)


@pytest.mark.parametrize(("start", "logits", "end"), [(0.79, CONFIDENT, 0.8), (0.01, UNSURE, 0.0)])
def test_p_stays_between_zero_and_its_cap(start: float, logits: torch.Tensor, end: float) -> None:
    ada = controller(p=start, kimg=1)
    ada.observe_signs(logits)
    ada.update(500)
    assert ada.p.item() == pytest.approx(end)


def test_nothing_observed_changes_nothing() -> None:
    ada = controller(p=0.3)
    ada.observe_signs(CONFIDENT)
    ada.update(64)
    p, r = ada.p.item(), ada.r.item()
    ada.update(64)
    assert (ada.p.item(), ada.r.item()) == (p, r)


@pytest.mark.parametrize("r", ["inf", "nan"])
def test_a_measure_that_is_not_finite_changes_nothing(r: str) -> None:
    ada = controller(p=0.3)
    ada.update(64, r=torch.tensor(float(r)))
    assert ada.p.item() == pytest.approx(0.3)
    assert ada.r.item() == 0


def test_another_measure_can_be_given() -> None:
    ada = controller(p=0.3, target=0.5, kimg=1)
    ada.observe_signs(CONFIDENT)
    ada.update(100, r=torch.tensor(0.25))
    assert ada.p.item() == pytest.approx(0.2)
    assert ada.r.item() == 0.25
    assert ada.pending.tolist() == [0, 0]


def test_two_processes_are_one_with_all_the_images() -> None:
    one, first, second = controller(p=0.4), controller(p=0.4), controller(p=0.4)
    one.observe_signs(torch.cat([CONFIDENT, UNSURE[:2]]))
    first.observe_signs(CONFIDENT)
    second.observe_signs(UNSURE[:2])
    first.pending.add_(second.pending)  # what an all-reduce does
    one.update(64)
    first.update(64)
    assert first.p.item() == one.p.item()
    assert first.r.item() == one.r.item()


def test_p_and_r_are_changed_in_place_without_a_graph() -> None:
    ada = controller()
    p, r, pending = ada.p, ada.r, ada.pending
    ada.observe_signs(CONFIDENT.clone().requires_grad_())
    ada.update(64, r=torch.tensor(0.9, requires_grad=True))
    ada.load_state_dict(ada.state_dict())
    assert ada.p is p
    assert ada.r is r
    assert ada.pending is pending
    assert p.dtype == r.dtype == torch.float32
    assert p.shape == r.shape == ()
    assert not any(tensor.requires_grad for tensor in (p, r, pending))


def test_state_goes_on_where_it_was() -> None:
    ada = controller(p=0.4)
    ada.observe_signs(CONFIDENT)
    ada.update(64)
    ada.observe_signs(UNSURE)
    state = ada.state_dict()
    other = controller()
    other.load_state_dict(state)
    for each in (ada, other):
        each.observe_signs(CONFIDENT)
        each.update(64)
    assert other.p.item() == ada.p.item()
    assert other.r.item() == ada.r.item() == 0.5
    assert state["pending"].tolist() == [0, 4]  # a copy, not the live tensor


def test_r_v_is_equation_one() -> None:
    train, holdout, generated = torch.tensor([2.0, 4.0]), torch.tensor([1.0]), torch.tensor([-1.0, -1.0, -1.0])
    assert r_v(train, holdout, generated).item() == (3 - 1) / (3 - -1)
    assert r_v(train, train, generated).item() == 0
    assert r_v(train, generated, generated).item() == 1


@pytest.mark.parametrize("settings", [{"kimg": 0}, {"p": 0.9}, {"p": -0.1}, {"cap": 1.5}])
def test_figures_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"the controller|both must be"):
        controller(**settings)
