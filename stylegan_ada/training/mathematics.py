"""What a step computes that no setting says, noted in every checkpoint: a run goes on by the mathematics that it began
with, or not at all.

Whoever changes one of these changes its text, too. `tests/test_kept_run.py` notices a change of what is computed, and
checkpoints without these notes are of the first texts.
"""

MATHEMATICS = {
    "order of phases": "G, G_pl, D, D_r1",
    "random numbers": "SplitMix64 of seed, stream and image",
    "order of images": "numpy's permutation of seed and epoch",
    "losses": "logistic, non-saturating; R1 and path lengths every k steps times k",
    "optimiser": "Adam, betas 0 and 0.99^c, rate times c",
    "means": "w by class, path lengths by step, generator by half-life in images",
    "augmentation": "ADA's operations; p every 4 steps",
    "networks": "StyleGAN2 with activations scaled by w",
}
