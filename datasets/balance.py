"""How often the images of each class are seen."""

import numpy as np
from numpy.typing import NDArray


def balanced(members: NDArray[np.int64], labels: NDArray[np.int64], balance: float) -> NDArray[np.int64]:
    """The images of an epoch in which classes have shares between their own (balance 0) and equal ones (1).

    members [M]: indices of images; labels [M]: their classes. Returns members with repeats: each at least once, and
    those of one class equally often, to within once. The epoch is as long as that requires.
    """
    if balance == 0:
        return members
    classes, counts = np.unique(labels, return_counts=True)
    shares = (1 - balance) * counts / len(labels) + balance / len(classes)
    wanted = np.rint(shares * (counts / shares).max()).astype(int)
    epoch = [np.resize(members[labels == label], count) for label, count in zip(classes, wanted, strict=True)]
    return np.concatenate(epoch)
