"""Sets of generated images: the same files from the same seed, filtered, described, ready for a classifier's loader."""

from .plan import BLOCK, Recipe, block_seeds, counts_in_shares, counts_to_fill
from .torch_dataset import SyntheticDataset

__all__ = ["BLOCK", "Recipe", "SyntheticDataset", "block_seeds", "counts_in_shares", "counts_to_fill"]
