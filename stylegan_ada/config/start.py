"""The weights that a run starts from."""

from dataclasses import dataclass

from ..errors import UserError
from .settings import NOT_NEGATIVE, check, setting


@dataclass(frozen=True, kw_only=True)
class StartConfig:
    """Trained networks that training starts from, and which parts of them do not learn."""

    init_from: str | None = setting(  # in the configuration of a run its sha256
        None,
        "A run's folder, or a .safetensors file, whose networks training starts from.",
        unset="networks that know nothing",
    )
    freeze_d: int = setting(  # FreezeD, arXiv 2002.10964
        0, "Blocks of the discriminator, from the image on, that do not learn.", within=NOT_NEGATIVE
    )
    freeze_g: int = setting(
        0, "Blocks of the synthesis network, from the lowest on, that do not learn.", within=NOT_NEGATIVE
    )
    freeze_mapping: bool = setting(False, "The generator's mapping network does not learn.", unset="it learns")
    origin: str | None = None  # where weights come from that were imported or have a licence, in words
    licence: str | None = None  # of these weights

    def __post_init__(self) -> None:
        check(self)
        for name in ("freeze_d", "freeze_g", "freeze_mapping"):
            if getattr(self, name) and self.init_from is None:
                raise UserError(f"`{name}`: what does not learn must have learned before, give `init_from` as well")
