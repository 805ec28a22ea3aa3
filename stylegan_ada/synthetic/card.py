"""The data card of a set: what made it, on what, how it was filtered, what it must not be used for."""

from typing import Any

from ..config import RunConfig
from ..datasets import sample_licence

FILTERS = {  # the option, the reason in dataset.json, what is rejected
    "reject_copies": ("copies", "nearer to a training image than unseen real images are"),
    "reject_mislabelled": ("mislabelled", "a classifier of real images assigns another class"),
    "reject_duplicates": ("duplicates", "the same picture as an earlier one of its class"),
    "keep_best": ("not_best", "not among the densest of its block"),
}


NO_METRICS = ("count", "n_real", "images", "kimg", "measuring_seconds")  # of what an evaluation's row holds


def data_card(facts: dict[str, Any], config: RunConfig | None = None, measured: dict[str, Any] | None = None) -> str:
    """Markdown. facts: what dataset.json holds; config: of the run that trained the generator; measured: a row of its
    evaluations, for the weights that made the set. What is not known is said to be so."""
    parts = [
        _header(facts),
        _classes(facts),
        _attributes(facts),
        _masks(facts),
        _filters(facts),
        _origin(facts, config),
        _weights(facts),
    ]
    return "\n".join(part for part in (*parts, _measured(measured), WARNINGS) if part)


WARNINGS = """## Before use

- These are generated images, not photographs. Train with them, never test with them: a result on synthetic images says
  nothing about real ones. Whether they help is only known from real images that neither the generator nor the
  classifier was trained on.
- Not for diagnosis, acceptance of parts, or any other decision about the things that the images seem to show.
- A generator may repeat its training images. What must not be passed on as a photograph must not be passed on as a
  generated image either, unless someone has looked. The filter `reject_copies` removes near copies, without a
  guarantee.
- The set has the biases of what it was trained on, and fewer kinds of images; truncation below 1 leaves fewer still.
- A label says what was asked of the generator.
"""


def _header(facts: dict[str, Any]) -> str:
    channels, height, width = facts["image_shape"]
    total = sum(one["images"] for one in facts["per_class"])
    place = "tar shards for WebDataset" if facts["shards"] else "folders, one per class" if facts["classes"] else "here"
    kind = "JPEG, quality {quality}".format(**facts) if facts["format"] == "jpg" else "PNG"
    return f"""# {total} synthetic images

Made by stylegan_ada {facts["version"]} (torch {facts["torch"]}, {facts["device"]}, {facts["precision"]}) with seed
{facts["seed"]}, from a generator that was shown {facts["images_seen"]} real images in training (sha256 of its file:
`{facts["generator_sha256"]}`).
Images of {height}x{width} pixels, {channels} channel{"s" * (channels > 1)}, {kind}, in {place}.
`manifest.csv` has each image's seed, label, truncation psi and scores; `dataset.json` the same facts as this page.
"""


def _classes(facts: dict[str, Any]) -> str:
    rows = [
        f"| {_cell(one['name'] or '-')} | {one['images']} | {one['asked']} | {one['psi']:g} | {one['candidates']} |"
        for one in facts["per_class"]
    ]
    head = "| class | images | asked for | truncation psi | candidates |\n|---|---|---|---|---|\n"
    return "## Images\n\n" + head + "\n".join(rows) + "\n"


def _attributes(facts: dict[str, Any]) -> str:
    if "attributes" not in facts:
        return ""
    rows = [f"| {_cell(one['name'])} | {one['kind']} | {_cell(_values_of(one))} |" for one in facts["attributes"]]
    head = "Each image's own values are in `manifest.csv`; training images had:\n\n"
    head += "| attribute | kind | values or range |\n|---|---|---|\n"
    return "## Attributes\n\n" + head + "\n".join(rows) + "\n"


def _masks(facts: dict[str, Any]) -> str:
    if "mask_kinds" not in facts:
        return ""
    place = "`mask.png` in the shards" if facts["shards"] else "the folder `masks`, each with its image's name"
    if facts["masks_as"] == "coco":
        place = "`annotations.json`, as COCO has it"
    values = ", ".join(f"{value} {kind}" for kind, value in facts["mask_kinds"].items())
    if facts["masks_as"] == "coco":
        values = ", ".join(facts["mask_kinds"])
    return f"""## Masks

In {place}: {values}. The generator made them together with the images, and a pixel is marked where it gave half or more
of it to a kind; nobody has drawn or checked them. {facts["empty_masks"]:.1%} of them mark nothing.
`manifest.csv` has the share of each image that is marked (`area_...`).
"""


def _values_of(attribute: dict[str, Any]) -> str:
    return ", ".join(attribute["values"]) if "values" in attribute else "{low:.9g} to {high:.9g}".format(**attribute)


def _filters(facts: dict[str, Any]) -> str:
    lines = []
    for option, (reason, words) in FILTERS.items():
        rejected = sum(one["rejected"][reason] for one in facts["per_class"])
        if option == "keep_best" and facts[option] < 1:
            lines.append(f"- `keep_best` {facts[option]:g} ({words}): {rejected} rejected")
        elif facts[option] is True:
            lines.append(f"- `{option}` ({words}): {rejected} rejected")
    if tuple(facts.get("mask_area", (0, 1))) != (0, 1):
        low, high = facts["mask_area"]
        rejected = sum(one["rejected"]["mask_area"] for one in facts["per_class"])
        lines.append(f"- `mask_area` {low:g}:{high:g} (of the image is marked): {rejected} rejected")
    if not lines:
        return "## Filters\n\nNone: these are the images of consecutive seeds.\n"
    by = f"By features of {facts['features']}. " if "features" in facts else ""
    network = f"\n{by}A rejected image is replaced by that of the class's next seed.\n"
    return "## Filters\n\n" + "\n".join(lines) + "\n" + network


def _origin(facts: dict[str, Any], config: RunConfig | None) -> str:
    if config is None:
        return "## Trained on\n\nNot known: the set was made from a generator's file, not from the folder of its run.\n"
    data = config.data
    licence = sample_licence(data.data) or "not known here; that of the training images holds"
    return f"""## Trained on

`{data.data}`, held out from training: {data.holdout:g} of the images.
Licence of the source: {licence}.
"""


def _weights(facts: dict[str, Any]) -> str:
    if "origin" not in facts:
        return ""
    return (
        f"## Weights\n\nThe generator, or what its training started from, was {facts['origin']}. "
        "What that licence allows holds for these images, too.\n"
    )


def _measured(measured: dict[str, Any] | None) -> str:
    if measured is None:
        return "## Measured\n\nNothing was measured of these weights (`stylegan-ada evaluate RUN`).\n"
    numbers = {name: value for name, value in measured.items() if isinstance(value, int | float)}
    rows = []
    for name, value in numbers.items():
        if name not in NO_METRICS and not name.endswith("_error"):
            error = numbers.get(f"{name}_error")
            rows.append(f"| {_cell(name)} | {value:.4g} | {'' if error is None else f'{error:.2g}'} |")
    head = f"Of the generator, by {measured.get('count', '?')} images without truncation and filters:\n\n"
    head += "| metric | value | standard error |\n|---|---|---|\n"
    return "## Measured\n\n" + head + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
