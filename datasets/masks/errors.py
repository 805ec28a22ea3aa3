"""What is wrong with a set's masks, for those who can do without them."""

from ...errors import UserError


class MaskError(UserError):
    """There are none, or none that can be used."""


class NoKinds(MaskError):
    """No mask has a value that `mask_kinds` names."""
