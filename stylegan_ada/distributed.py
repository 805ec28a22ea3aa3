"""Rank, world size and sums over ranks, by torchrun's environment. Without it there is one process: all is a no-op."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from .errors import PeerError

T = TypeVar("T")


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
def group(device: torch.device) -> Iterator[None]:
    """Joins the process group that torchrun laid out: gloo for tensors on the CPU, NCCL for those on GPUs.

    Where all goes well, the processes leave together: one that ends while another still works has been seen to abort.
    """
    start(device)
    try:
        yield
        wait_for_all()
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def start(device: torch.device) -> None:
    """Joins the process group for good: `group` without its end."""
    if world_size() > 1 and not dist.is_initialized():
        # hours, since the first process may have a large set to pack before it meets the others
        dist.init_process_group("gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl", timeout=timedelta(hours=6))


def wait_for_all() -> None:
    """Returns when every rank has come here. PeerError if one has left the group instead."""
    if dist.is_initialized():
        try:
            dist.barrier()
        except RuntimeError:
            raise PeerError("another process failed") from None


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
            dist.broadcast(well, src=0)
        return result
    well = torch.zeros(1)
    dist.broadcast(well, src=0)
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


def sum_over_ranks(tensor: Tensor) -> Tensor:
    """Adds the tensor up over all ranks, in place."""
    if dist.is_initialized():
        dist.all_reduce(tensor)
    return tensor


def broadcast(module: nn.Module) -> None:
    """Gives every rank the parameters and buffers of rank 0."""
    if dist.is_initialized():
        for tensor in [*module.parameters(), *module.buffers()]:
            dist.broadcast(tensor.detach(), src=0)


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
