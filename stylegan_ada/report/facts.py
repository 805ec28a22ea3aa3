"""The facts of a run: its data and its training."""

from ..config import RunConfig
from ..config.data import kind_of_images
from ..metrics.evaluate import RealImages
from ..sampling import TrainedGenerator


def run_facts(config: RunConfig, generator: TrainedGenerator, real: RealImages) -> list[tuple[str, str]]:
    """Pairs of a name and what there is to say: of the images, the generator and its network."""
    channels, height, width = config.network.image_shape
    info = generator.info
    facts = [
        ("images", f"{height}x{width} pixels, {kind_of_images(channels)}, of {config.data.data}"),
    ]
    if real.trained_on is not None:
        held = 0 if real.held_out is None else len(real.held_out)
        facts.append(("trained on", f"{len(real.trained_on)} images" + (f", {held} held out" if held else "")))
    if info.classes:
        counts = zip(info.classes, info.class_counts, strict=True)
        facts.append(("classes", ", ".join(f"{name} ({count})" for name, count in counts)))
    if info.balance:
        facts.append(("balance", f"{info.balance:g}: 0 shows classes as often as they occur, 1 equally often"))
    shown = f"after {info.images_seen / 1000:g} of {config.training.kimg:g} thousand images shown"
    facts.append(("this generator", shown))
    start = config.start
    if start.init_from is not None:
        origin = "" if start.origin is None else f", {start.origin}"
        facts.append(("started from", f"networks of sha256 {start.init_from[:12]}{origin}"))
    numbers = sum(parameter.numel() for parameter in generator.network.parameters())
    facts.append(("network", f"{numbers:,} numbers, trained in {config.network.precision}"))
    return facts
