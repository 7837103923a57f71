"""Any sampling rate to the model's, by a Kaiser-windowed sinc that is designed in the graph.

Output `j` lies at the input time `t = j · rate / 16000` (in input samples) and is the direct sum

    y[j] = Σ_n x[n] · h(t − n)        h(t) = c · sinc(c · t) · kaiser(t · c / zero_crossings)

with the cutoff `c` as a share of the input's Nyquist frequency. The filter is symmetric about `t`: linear
phase, no delay. The sum is computed for a block of consecutive outputs at once, as a matrix product, because
all blocks share one filter bank:

    block q:  outputs q·B … q·B + B − 1  =  frame q of the input [K]  @  bank [K, B]

A block begins at an input time with a whole part (where its frame begins) and a fraction `f`. With a small
reduced ratio (44.1 kHz to 16 kHz is 441 : 160) B is a multiple of its outputs, every `f` is 0 and one bank
serves all. With coprime rates `f` differs from block to block; the bank is then a smooth function of `f`, so
a few banks at Chebyshev nodes are interpolated (module constant below).
"""

import dataclasses
import math

import tensorflow as tf

from graph_ops.config import AudioConfig


@dataclasses.dataclass(frozen=True)
class ResamplerDesign:
    """The filter's numbers: those of soxr's quality HQ, librosa's default, as far as one filter has them.

    soxr's response around the lower Nyquist frequency is a Kaiser-windowed sinc too. Where it converts in
    one stage (8, 12, 24, 32, 48 kHz) it has 93 zero crossings and beta 13.04, to 2e-7; in two (96 kHz) 97 and
    13.7, in three (192 kHz) 100 and 14.1; elsewhere (11.025, 22.05, 44.1 kHz, odd rates) another stage adds a
    droop of 1e-3. The numbers here lie between these. Source: tones through soxr 0.1.3, which designs its
    stages for 21 bits, 126 dB, and as measured for 6 dB more where there are twice as many.

    What that leaves, as a difference in the natural logarithm of a mel bin
    (`tests/graph_ops/audio/test_resample_soxr.py`):

    * On speech 0.01 at most and 0.0001 on average; at 11.025 kHz 0.012 and at 88.2 kHz 0.015 at most. soxr's
      own float32 rounding makes 0.005.
    * On noise up to the Nyquist frequency 0.1 at most, in the bins just below the lower one: there the
      response has fallen by 30 to 60 dB, and depends on soxr's stages.
    * In the first frame 0.2 more where soxr takes several stages, unless silence comes before the clip: its
      second stage does not see the ringing of the first one before the first sample.

    Source of the window: J. F. Kaiser, 1974; Oppenheim & Schafer, Discrete-Time Signal Processing, 7.5.3.
    """

    zero_crossings: float = 95.5
    """Half of the window's length, in zero crossings of the sinc."""
    beta: float = 13.45
    """Shape of the Kaiser window: 131 dB of stopband attenuation, by beta = 0.1102 (A − 8.7)."""
    roll_off: float = 0.95687
    """Cutoff (−6 dB) as a share of the lower Nyquist frequency. By Kaiser's length formula, Δω = (A − 8) /
    (2.285 · 2 · zero_crossings), the passband ends at 0.914 of that frequency and the stopband begins at it.
    """
    max_rate: int = 768_000
    """Highest rate that is accepted, in Hz; the highest that converters offer."""
    min_block: int = 96
    """Outputs in a block; about the number of zero crossings takes least time."""
    max_exact_phases: int = 640
    """Largest reduced output ratio that gets a bank of its own; 11.025 kHz has 640, 44.1 kHz 160, 48 kHz
    1.
    """
    max_nodes: int = 10
    """Most Chebyshev nodes between two input samples."""
    node_error: float = 5e-8
    """Interpolation error of one filter tap, relative to the largest tap: below float32's resolution."""


DESIGN = ResamplerDesign()


def num_resampled(length: tf.Tensor, rate: tf.Tensor, *, config: AudioConfig) -> tf.Tensor:
    """Samples that `length` samples at `rate` Hz become: int64 [], ceil(length × 16000 / rate)."""
    length, rate = tf.cast(length, tf.int64), tf.cast(rate, tf.int64)
    return -(-length * config.sampling_rate // rate)


def context(rate: tf.Tensor, *, config: AudioConfig, design: ResamplerDesign = DESIGN) -> tf.Tensor:
    """Input samples on either side of an output that the filter reaches: int64 [], floor(zero_crossings /
    cutoff) + 1.
    """
    return tf.cast(tf.floor(design.zero_crossings / _cutoff(rate, config, design)), tf.int64) + 1


def resample(
    samples: tf.Tensor, rate: tf.Tensor, *, config: AudioConfig, design: ResamplerDesign = DESIGN
) -> tf.Tensor:
    """Resamples a waveform to `config.sampling_rate`.

    Args:
        samples: float32 [T], finite; silence is assumed before and after.
        rate: int32 [], 1 to `design.max_rate`, in Hz.
        config: gives the output's sampling rate.
        design: the filter's numbers.

    Returns:
        float32 [ceil(T × 16000 / rate)]. Sample 0 stays sample 0 (no delay); at 16 kHz the input itself, bit
        for bit.
    """
    return tf.cond(
        tf.equal(rate, config.sampling_rate),
        lambda: tf.identity(samples),
        lambda: _convolve(samples, rate, config, design),
    )


def _convolve(samples: tf.Tensor, rate: tf.Tensor, config: AudioConfig, design: ResamplerDesign) -> tf.Tensor:
    block, exact = _block(rate, config, design)
    num_outputs = num_resampled(tf.size(samples), rate, config=config)
    num_blocks = -(-num_outputs // block)
    whole, fraction = _block_starts(num_blocks, block, rate, config)
    times, taps = _block_times(block, rate, config, design)
    frames = _frames(samples, whole, tf.size(taps), context(rate, config=config, design=design))
    cutoff = _cutoff(rate, config, design)
    nodes = tf.cond(exact, lambda: tf.zeros([1], tf.float64), lambda: _chebyshev_nodes(cutoff, design))

    def share(node_and_weight: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """What the bank at one node contributes to every block: [blocks, B]. One bank at a time, so that
        memory stays small.
        """
        node, weight = node_and_weight
        bank = windowed_sinc(
            node + times[tf.newaxis, :] - taps[:, tf.newaxis], cutoff, design=design
        )  # [K, B]
        return weight[:, tf.newaxis] * tf.matmul(frames, tf.cast(bank, tf.float32))

    shares = tf.map_fn(
        share, (nodes, _lagrange_weights(fraction, nodes)), fn_output_signature=tf.float32
    )  # [nodes, blocks, B]
    return tf.reshape(tf.reduce_sum(shares, 0), [-1])[:num_outputs]


def windowed_sinc(time: tf.Tensor, cutoff: tf.Tensor, *, design: ResamplerDesign = DESIGN) -> tf.Tensor:
    """The filter's impulse response.

    Args:
        time: float64 [...], distance from the output, in input samples.
        cutoff: float64 [], share of the input's Nyquist frequency.
        design: the filter's numbers.

    Returns:
        float64 [...]; 0 beyond `zero_crossings / cutoff`.
    """
    crossings = time * cutoff
    inside = 1 - tf.square(crossings / design.zero_crossings)
    window = tf.math.bessel_i0(design.beta * tf.sqrt(tf.maximum(inside, 0))) / tf.math.bessel_i0(
        tf.constant(design.beta, tf.float64)
    )
    angle = math.pi * crossings
    sinc = tf.where(tf.abs(angle) < 1e-9, tf.ones_like(angle), tf.math.divide_no_nan(tf.sin(angle), angle))
    return tf.where(inside > 0, cutoff * sinc * window, tf.zeros_like(angle))


def _cutoff(rate: tf.Tensor, config: AudioConfig, design: ResamplerDesign) -> tf.Tensor:
    """−6 dB point as a share of the input's Nyquist frequency, float64 []: below the lower of the two Nyquist
    frequencies.
    """
    return design.roll_off * tf.minimum(config.sampling_rate / tf.cast(rate, tf.float64), 1)


def _block(rate: tf.Tensor, config: AudioConfig, design: ResamplerDesign) -> tuple[tf.Tensor, tf.Tensor]:
    """Outputs in a block, int64 [], and whether every block then begins at a whole input sample, bool []."""
    phases = config.sampling_rate // _greatest_common_divisor(tf.cast(rate, tf.int64), config.sampling_rate)
    exact = phases <= design.max_exact_phases
    return tf.where(exact, phases * -(-design.min_block // phases), design.min_block), exact


def _greatest_common_divisor(a: tf.Tensor, b: int) -> tf.Tensor:
    """Euclid's algorithm; at most 30 steps for rates below a million."""
    return tf.while_loop(lambda a, b: b > 0, lambda a, b: (b, a % b), (a, tf.constant(b, tf.int64)))[0]


def _block_starts(
    num_blocks: tf.Tensor, block: tf.Tensor, rate: tf.Tensor, config: AudioConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """Input time of each block's first output: whole samples int64 [blocks] and fraction float64 [blocks] in
    [0, 1).
    """
    start = tf.range(num_blocks) * block * tf.cast(rate, tf.int64)
    return start // config.sampling_rate, tf.cast(
        start % config.sampling_rate, tf.float64
    ) / config.sampling_rate


def _block_times(
    block: tf.Tensor, rate: tf.Tensor, config: AudioConfig, design: ResamplerDesign
) -> tuple[tf.Tensor, tf.Tensor]:
    """Times of a block's outputs, float64 [B], and of its frame's samples, float64 [K], both from the block's
    first whole sample.
    """
    times = tf.range(tf.cast(block, tf.float64), dtype=tf.float64) * (
        tf.cast(rate, tf.float64) / config.sampling_rate
    )
    reach = tf.cast(context(rate, config=config, design=design), tf.float64)
    return times, tf.range(-reach, tf.floor(times[-1]) + reach + 2, dtype=tf.float64)


def _frames(samples: tf.Tensor, starts: tf.Tensor, length: tf.Tensor, reach: tf.Tensor) -> tf.Tensor:
    """The input around each block, float32 [blocks, K]; silence where it lies outside the clip.

    A frame begins `reach` before its block's start, so that padding `reach` on the left makes the start its
    index.
    """
    length = tf.cast(length, tf.int64)
    padded = tf.pad(samples, [[reach, length]])
    return tf.gather(padded, starts[:, tf.newaxis] + tf.range(length))


def _chebyshev_nodes(cutoff: tf.Tensor, design: ResamplerDesign) -> tf.Tensor:
    """Nodes in (0, 1) at which banks are designed, float64 [n]: as few as the filter's bandwidth allows.

    A function of band limit π c radians a sample, interpolated at n Chebyshev nodes of a unit interval, is
    off by at most 2 (π c / 4)^n / n!.
    """
    count = tf.range(1, design.max_nodes, dtype=tf.float64)
    bound = 2 * tf.exp(count * tf.math.log(math.pi / 4 * cutoff) - tf.math.lgamma(count + 1))
    num_nodes = 1 + tf.reduce_sum(tf.cast(bound > design.node_error, tf.float64))
    return 0.5 - 0.5 * tf.cos(math.pi * (tf.range(num_nodes, dtype=tf.float64) + 0.5) / num_nodes)


def _lagrange_weights(fraction: tf.Tensor, nodes: tf.Tensor) -> tf.Tensor:
    """Weight of each node's bank in each block, float32 [nodes, blocks]: Π (f − node_m) / (node_n − node_m)
    over m ≠ n.
    """
    itself = tf.eye(tf.size(nodes), dtype=tf.bool)[:, :, tf.newaxis]
    above = fraction - nodes[tf.newaxis, :, tf.newaxis]  # [1, m, blocks]
    below = (nodes[:, tf.newaxis] - nodes)[:, :, tf.newaxis]  # [n, m, 1]
    one = tf.constant(1, tf.float64)
    factors = tf.where(itself, one, above / tf.where(itself, one, below))
    return tf.cast(tf.reduce_prod(factors, 1), tf.float32)
