"""What a torch.autograd.Function cannot know by itself."""

from typing import Any

import torch


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
