"""The augmentation pipe of ADA and its controller.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", arXiv 2006.06676: appendix B for the
pipe, section 3 for the controller.
"""

from .controller import AdaController, r_v
from .pipe import AugmentParameters, AugmentPipe

__all__ = ["AdaController", "AugmentParameters", "AugmentPipe", "r_v"]
