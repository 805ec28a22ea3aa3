"""An operation in both of the forms that torch knows."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Operator:
    """An operation registered with torch, for graphs that are compiled or exported, and as an autograd.Function, which
    takes a part of the registered one's time and serves wherever no graph is made.

    body: the computation, with types as torch.library.custom_op reads them. fake: an empty result, from the same
    arguments. keep: as setup_context of an autograd.Function. backward: as there; without it the result cannot be
    differentiated.
    """

    def __init__(
        self,
        name: str,
        body: Callable[..., Tensor],
        fake: Callable[..., Tensor],
        keep: Callable[[Any, tuple[Any, ...], Tensor], None] | None = None,
        backward: Callable[..., tuple[Tensor | None, ...]] | None = None,
    ):
        self.registered = torch.library.custom_op(f"stylegan_ada::{name}", body, mutates_args=())
        self.registered.register_fake(fake)
        if backward is not None:
            self.registered.register_autograd(backward, setup_context=keep)

        class Short(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *arguments: Any) -> Tensor:
                # as one method: torch binds the arguments of a setup_context anew in each call, which takes longer
                output = body(*arguments)
                if keep is not None:
                    keep(ctx, arguments, output)
                return output

            @staticmethod
            def backward(ctx: Any, *gradients: Tensor) -> Any:
                if backward is None:
                    raise NotImplementedError(f"{name} cannot be differentiated")
                return backward(ctx, *gradients)

        self._short = Short.apply

    def __call__(self, x: Tensor, *arguments: Any) -> Tensor:
        at_once = type(x) in (Tensor, nn.Parameter) and not torch.compiler.is_compiling()
        return (self._short if at_once else self.registered)(x, *arguments)


def wanted(ctx: Any, index: int) -> bool:
    """Whether the backward pass that is going on needs the gradient of a Function's input.

    ctx.needs_input_grad says only whether any pass might: of autograd.grad with few inputs, as in path lengths and R1,
    it knows nothing (pytorch issue 174017), and the gradients of all weights would be computed in vain.
    """
    if not ctx.needs_input_grad[index] or torch.compiler.is_compiling():
        return bool(ctx.needs_input_grad[index])
    node = ctx.next_functions[index][0]
    try:
        return torch._C._will_engine_execute_node(node)
    except RuntimeError:  # a leaf under autograd.grad, of which the engine cannot tell: then it may be
        return True
