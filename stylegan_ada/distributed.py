"""Rank, world size and sums over ranks, by torchrun's environment. Without it there is one process: all is a no-op."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from .errors import PeerError, PeerLost, RunFailed, first_line, is_out_of_memory
from .peers import Peers

T = TypeVar("T")
LONG = timedelta(hours=6)  # the first process may have a large set to pack before it meets the others


def rank() -> int:
    return int(os.environ.get("RANK", 0))


def world_size() -> int:
    return int(os.environ.get("WORLD_SIZE", 1))


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", 0))


def local_world_size() -> int:
    """The number of processes on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


@contextmanager
def group(device: torch.device) -> Iterator[Peers]:
    """Joins the process group that torchrun laid out: gloo for tensors on the CPU, NCCL for those on GPUs. Yields what
    is known of the others.

    Where all goes well, the processes leave together: one that ends while another still works has been seen to abort.
    Where one dies or does not answer, the others end: one with a RunFailed that names it, the rest with a PeerError.
    """
    peers = start(device)
    try:
        yield peers
        wait_for_all()
        peers.leaving = True
    except PeerLost as lost:
        dist.destroy_process_group()  # one that waits for this process then hears of it
        raise peers.explain(lost) from None
    except BaseException:
        peers.leave()
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def start(device: torch.device) -> Peers:
    """Joins the process group for good: `group` without its end. Of a process that is lost all others raise PeerLost.

    RunFailed if the processes do not find each other.
    """
    if world_size() == 1 or dist.is_initialized():
        return Peers(dist.HashStore(), rank(), [])
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")  # torchrun may keep the store of the one before
    try:
        found, _, _ = next(dist.rendezvous("env://", timeout=LONG))
        store = dist.PrefixStore(f"stylegan_ada {attempt}", found)
        calls = store.add(f"calls {rank()}", 1)  # a program may train twice
        store = dist.PrefixStore(str(calls), store)
        peers = Peers.meet(store, rank(), world_size())
        backend = "gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"
        dist.init_process_group(backend, store=store, rank=rank(), world_size=world_size(), timeout=LONG)
    except RuntimeError as error:
        raise RunFailed(f"the processes did not find each other ({first_line(error)}), start them all anew") from None
    return peers


def wait_at_most(time: timedelta) -> None:
    """From now on a process is lost that another one has to wait for so long."""
    if dist.is_initialized():
        dist.distributed_c10d._set_pg_timeout(time)


@contextmanager
def _meeting() -> Iterator[None]:
    """Where all processes meet. PeerLost if one is lost: by torch that is a RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise PeerLost(first_line(error)) from None


@_meeting()
def wait_for_all() -> None:
    """Returns when every rank has come here."""
    if dist.is_initialized():
        dist.barrier()


def first_rank_first(work: Callable[[], T]) -> T:
    """Runs `work` on the first rank and then on the others, so that they find what it made.

    Where it fails on the first rank the others end as well, with a PeerError: one process tells the user.
    """
    if not dist.is_initialized():
        return work()
    if rank() == 0:
        well = torch.zeros(1)
        try:
            result = work()
            well += 1
        finally:
            _take_from_first(well)
        return result
    well = torch.zeros(1)
    _take_from_first(well)
    if not well:
        raise PeerError("the first process failed")
    return work()


def every_rank(work: Callable[[], T]) -> T:
    """Runs `work` on all ranks and returns when all are done. Where it fails on one the others end with a PeerError."""
    failed = True
    try:
        result = work()
        failed = False
    finally:
        failed = any_rank(failed)
    if failed:
        raise PeerError("another process failed")
    return result


def any_rank(value: bool) -> bool:
    """Whether `value` is true on at least one rank. Every rank must ask, and gets the same answer."""
    return bool(sum_over_ranks(torch.tensor(int(value))))


@_meeting()
def sum_over_ranks(tensor: Tensor) -> Tensor:
    """Adds the tensor up over all ranks, in place."""
    if dist.is_initialized():
        dist.all_reduce(tensor)
    return tensor


def broadcast(module: nn.Module) -> None:
    """Gives every rank the parameters and buffers of rank 0."""
    if dist.is_initialized():
        for tensor in [*module.parameters(), *module.buffers()]:
            _take_from_first(tensor.detach())


@_meeting()
def _take_from_first(tensor: Tensor) -> None:
    """Gives every rank the values of rank 0, in place."""
    dist.broadcast(tensor, src=0)


@_meeting()
def gather(tensor: Tensor) -> Tensor:
    """The ranks' tensors [N, ...], all of one shape, one after the other by rank: [world_size * N, ...]."""
    if not dist.is_initialized():
        return tensor
    parts = [torch.empty_like(tensor) for _ in range(world_size())]
    dist.all_gather(parts, tensor.contiguous())
    return torch.cat(parts)


@torch.no_grad()
def reduce_gradients(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Adds gradients up over ranks in one flat all-reduce, and makes them finite. Returns whether they had to be, a
    bool scalar on the device.

    A parameter that the phase gave no gradient takes no part; which ones is the same on every rank.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    if dist.is_initialized():
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        sum_over_ranks(flat)
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))
    scrubbed = ~torch.stack(torch._foreach_norm(gradients, float("inf"))).isfinite().all()
    for gradient in gradients:
        torch.nan_to_num_(gradient, nan=0.0, posinf=1e5, neginf=-1e5)
    return scrubbed
