"""The model card: what a person who did not train the model has to know before using it."""

from model.job import Job
from model.metrics import Metrics


def text(job: Job, metrics: Metrics, *, learnt: int, difference: float) -> str:
    """Markdown. `difference` is the largest one between the probabilities of the exported files and the network's."""
    recipe, spec = job.recipe, job.spec
    rows = [
        f"| {each.label} | {each.precision:.3f} | {each.recall:.3f} | {each.f1:.3f} | {each.images} |"
        for each in metrics.per_class
    ]
    version = f", version {job.source.version}" if job.source.version else ""
    begun = "random weights" if job.begun_with is None else f"{recipe.weights} weights (sha256 {job.begun_with[:12]})"
    weakest = min(metrics.per_class, key=lambda each: each.f1)
    lines = [
        "# Model card",
        "",
        f"Classifies product images into {len(metrics.per_class)} classes. An image that shows none of them is given "
        "one all the same; ask for the confidence.",
        "",
        f"- **Network**: {recipe.architecture}, {recipe.width} channels in its first stage, begun with {begun}",
        f"- **Input**: {spec.channels} x {spec.size} x {spec.size}, uint8, on {spec.background}; "
        "normalisation is inside",
        f"- **Trained on**: {learnt} images of {job.source_name}{version}, sha256 {job.fingerprint[:12]}",
        f"- **Measured on**: {metrics.images} images that it did not learn from",
        f"- **Recipe**: `{recipe.model_dump_json()}`",
        f"- **Files**: `model.pt` (TorchScript) and `model.onnx`; their probabilities differ from the network's by "
        f"{difference:.0e} at most, over all measured images",
        "",
        f"Accuracy {metrics.accuracy:.1%}, recall {metrics.recall:.3f}, F1 {metrics.f1:.3f} (means over classes); "
        f"weakest: {weakest.label}. `confusion.png` shows which classes are taken for which.",
        "",
        "| class | precision | recall | F1 | images |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(lines)
