"""Where a graph is going to run, as facts that the steps ask for."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Target:
    """A runtime. A step that can be computed in several ways asks these facts, never for the name."""

    name: str
    """For readers."""
    float64: bool
    """Whether there is float64."""
    fft: bool
    """Whether there is an FFT."""
    static_sizes: bool
    """Whether all sizes of float tensors must be known before a run. LiteRT 2.3's float kernels (XNNPACK) may
    read stale memory, from the second run on, where they learn a size only while they run.
    """
    parallel_ops: bool
    """Whether ops that do not depend on one another are computed side by side."""
    exact_division: bool
    """Whether a division by a constant stays one. LiteRT's converter makes it a product with the
    reciprocal.
    """
    longest_side: int | None
    """Longest side of an image, in pixels, or None for any. Ours: on devices JPEG's, since resampling weights
    take about 1 kB for each pixel of a side.
    """


TENSORFLOW = Target(
    "TensorFlow",
    float64=True,
    fft=True,
    static_sizes=False,
    parallel_ops=True,
    exact_division=True,
    longest_side=None,
)
LITERT = Target(
    "LiteRT",
    float64=False,
    fft=False,
    static_sizes=True,
    parallel_ops=False,
    exact_division=False,
    longest_side=65_535,
)
