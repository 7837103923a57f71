"""Pixels -> patches, positions and soft-token count: what Gemma 4's vision encoder eats.

An image is shrunk or enlarged to the largest size, in multiples of 48 pixels, that keeps its aspect ratio within 2,520 patches of 16 × 16
pixels, and cut into those patches. The resize is Pillow's bicubic bit for bit, written as matrix products.
"""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from graph_ops.config import ImageConfig
from graph_ops.faults import Fault
from graph_ops.image_decoding import decode_image

CUBIC_A = -0.5
"""Shape of the Keys cubic. Source: Pillow's BICUBIC filter (Resample.c)."""
CUBIC_SUPPORT = 2
"""Reach of the Keys cubic to either side, in pixels (of the smaller image)."""
WEIGHT_BITS = 22
"""Fractional bits of a resampling weight. Source: Pillow's PRECISION_BITS, 32 - 8 - 2."""
LOW_BITS = 7
"""Bits of a weight that go into its low half. Ours: with 7, no partial sum of a 256-fold shrink exceeds float32's exact 2^24."""
ROWS_FIRST_RATIO = 2
"""Pillow resamples rows first where the height shrinks by more than this many times what the width shrinks by, in pixels. Source: observed
on Pillow 13.0, which introduced it."""
BLOCK = 8
"""Output rows that share one window of input rows in a matrix product. Ours: the fastest of 8, 12, 16, 24."""
BLOCKS_AT_ONCE = 16
"""Blocks that are multiplied before the next ones are gathered. Ours: what they touch stays in the processor's cache."""
VALUES_AT_ONCE = 1 << 24
"""float32 values that a resampling pass holds at once (64 MB). Ours: a large image is resampled in several steps."""


def target_size(height: tf.Tensor, width: tf.Tensor, *, config: ImageConfig) -> tuple[tf.Tensor, tf.Tensor]:
    """The size that an image of `height` × `width` is resized to.

    Args:
      height: int32 [...], in pixels.
      width: int32 [...], in pixels.
      config: patch and pooling sizes and the soft-token budget.

    Returns:
      Target height and width, int32 [...], multiples of `config.side_multiple`: for 480 × 640, 672 × 912. Both are 0 where nothing is
      left of the image (the reference's "0 x 0" error) or where it is empty.

    Source: transformers' `get_aspect_ratio_preserving_size`, in float64 as there: at sizes whose ideal target is an exact multiple, the
    answer hangs on the rounding.
    """
    multiple, longest = config.side_multiple, config.max_soft_tokens * config.side_multiple
    budget = config.max_patches * config.patch_size**2
    tall, wide = tf.cast(height, tf.float64), tf.cast(width, tf.float64)
    factor = tf.sqrt(tf.math.divide_no_nan(tf.cast(budget, tf.float64), tall * wide))
    # `//` and not `/`: graph optimisation turns a division by a constant into a product with its reciprocal, which rounds differently.
    rows, columns = tf.cast(factor * tall // multiple, tf.int32), tf.cast(factor * wide // multiple, tf.int32)
    strip_height = tf.minimum(height // tf.maximum(width, 1) * multiple, longest)
    strip_width = tf.minimum(width // tf.maximum(height, 1) * multiple, longest)
    target_height = tf.where(rows > 0, tf.where(columns > 0, rows * multiple, strip_height), multiple)
    target_width = tf.where(columns > 0, tf.where(rows > 0, columns * multiple, strip_width), multiple)
    good = (height > 0) & (width > 0) & ((rows > 0) | (columns > 0)) & (target_height * target_width <= budget)
    return tf.where(good, target_height, 0), tf.where(good, target_width, 0)


def bicubic_weights(
    in_size: tf.Tensor,
    out_size: tf.Tensor,
    *,
    first_block: tf.Tensor | int = 0,
    blocks: tf.Tensor | None = None,
    dtype: tf.DType = tf.float64,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Pillow's antialiased bicubic along one axis, as one small matrix for each block of `BLOCK` outputs.

    Output o of block n is `floor(sum(weight[n, o] * pixels[start[n] : start[n] + window]) + 0.5)`, where a weight is quantised to
    `WEIGHT_BITS` bits and handed out in two halves, `weight * 2^(WEIGHT_BITS - LOW_BITS) = high + low`, so that float32 sums are exact.

    Args:
      in_size: int32 [], positive.
      out_size: int32 [], positive.
      first_block: int32 [], where to begin.
      blocks: int32 [], how many; None for all ceil(out_size / BLOCK).
      dtype: of the computation; float64 equals Pillow, float32 is a unit of the last quantised bit off here and there.

    Returns:
      start int32 [blocks], high float32 [blocks, BLOCK, window] of integers, low float32 [blocks, BLOCK, window] in [-0.5, 0.5). What the
      last block has beyond `out_size` repeats the last output.
    """
    blocks = -(-out_size // BLOCK) if blocks is None else blocks
    # Not `/`: see target_size. No divisor is 0.
    scale = tf.math.divide_no_nan(tf.cast(in_size, dtype), tf.cast(out_size, dtype))
    stretch = tf.maximum(scale, 1)
    outputs = tf.minimum(tf.reshape(first_block * BLOCK + tf.range(blocks * BLOCK), [-1, BLOCK]), out_size - 1)
    whole, center = _centers(outputs, in_size, out_size, scale)
    first = tf.maximum(whole + tf.cast(tf.floor(center - CUBIC_SUPPORT * stretch + 0.5), tf.int32), 0)
    end = tf.minimum(whole + tf.cast(tf.floor(center + CUBIC_SUPPORT * stretch + 0.5), tf.int32), in_size)
    window = tf.reduce_max(end[:, -1] - first[:, 0])
    start = tf.minimum(first[:, 0], in_size - window)
    # [blocks, 1, window] input positions against [blocks, BLOCK, 1] outputs.
    position = (start[:, tf.newaxis] + tf.range(window))[:, tf.newaxis, :]
    offset = tf.cast(position - whole[..., tf.newaxis], dtype) - center[..., tf.newaxis] + 0.5
    distance = offset * tf.math.divide_no_nan(tf.ones([], dtype), stretch)
    inside = (position >= first[..., tf.newaxis]) & (position < end[..., tf.newaxis])
    weight = tf.where(inside, _keys_cubic(tf.abs(distance)), tf.zeros([], dtype))
    # A running sum, because its order of additions is Pillow's.
    weight = tf.math.divide_no_nan(weight, tf.cumsum(weight, axis=-1)[..., -1:])
    return start, *_quantised_halves(weight)


def _known_weights(in_size: int | tf.Tensor, out_size: int | tf.Tensor) -> tuple[tf.Tensor, ...] | None:
    """`bicubic_weights` as constants, if both sizes are known while tracing."""
    sizes = tf.get_static_value(in_size), tf.get_static_value(out_size)
    if None in sizes:
        return None
    with tf.init_scope():
        weights = [tf.get_static_value(part) for part in bicubic_weights(*sizes)]
    return tuple(tf.constant(part) for part in weights)


def _centers(outputs: tf.Tensor, in_size: tf.Tensor, out_size: tf.Tensor, scale: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Where outputs lie on the input axis: an int32 plus a floating-point number of `scale`'s dtype."""
    if scale.dtype == tf.float64:
        return tf.zeros_like(outputs), (tf.cast(outputs, scale.dtype) + 0.5) * scale
    # float32 has too few bits for a position and its fraction: (outputs + 0.5) * in_size / out_size in whole numbers.
    numerator, denominator = (2 * outputs + 1) * in_size, 2 * out_size
    fraction = tf.cast(numerator % denominator, scale.dtype) / tf.cast(denominator, scale.dtype)
    return numerator // denominator, fraction


def _keys_cubic(x: tf.Tensor) -> tf.Tensor:
    a = CUBIC_A
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return tf.where(x < 1, near, tf.where(x < 2, far, tf.zeros_like(x)))


def _quantised_halves(weight: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    quantised = tf.sign(weight) * tf.floor(tf.abs(weight) * 2.0**WEIGHT_BITS + 0.5)
    high = tf.floor(quantised * 2.0**-LOW_BITS + 0.5)
    low = quantised * 2.0**-LOW_BITS - high
    return tf.cast(high, tf.float32), tf.cast(low, tf.float32)


def resize_bicubic(
    pixels: tf.Tensor,
    target_height: tf.Tensor,
    target_width: tf.Tensor,
    *,
    dtype: tf.DType = tf.float64,
    values_at_once: int | None = VALUES_AT_ONCE,
) -> tf.Tensor:
    """`Image.resize((target_width, target_height), BICUBIC)` of Pillow, bit for bit.

    Args:
      pixels: uint8 [H, W, 3], not empty.
      target_height: int32 [], positive.
      target_width: int32 [], positive.
      dtype: of the computation of weights where a size is unknown while tracing (else they are constants, exact everywhere). With float32
        about one value in 10,000 is off by one.
      values_at_once: float32 values to hold at once; None resamples in one step, without a loop.

    Returns:
      uint8 [target_height, target_width, 3].

    Exact for any shrink up to 256-fold a side; beyond, sums of thousands of pixels may round. Pillow 13 resamples columns first, or rows
    first where those shrink by much more; up to Pillow 12 it was always columns, which differs by 1/255 here and there.
    """
    resample = functools.partial(_resample_rows, dtype=dtype, values_at_once=values_at_once)

    def resample_height(pixels: tf.Tensor) -> tf.Tensor:
        height, width = _size(pixels, 0), _size(pixels, 1)
        rows = resample(tf.reshape(pixels, [height, width * 3]), target_height)
        return tf.reshape(rows, [target_height, width, 3])

    def resample_width(pixels: tf.Tensor) -> tf.Tensor:
        # [H, W * 3] -> [W * 3, H] -> [W, 3 * H]: an image column becomes a row.
        height, width = _size(pixels, 0), _size(pixels, 1)
        columns = tf.reshape(tf.transpose(tf.reshape(pixels, [height, width * 3])), [width, 3 * height])
        rows = tf.transpose(tf.reshape(resample(columns, target_width), [target_width * 3, height]))
        return tf.reshape(rows, [height, target_width, 3])

    shrink_height, shrink_width = _size(pixels, 0) - target_height, _size(pixels, 1) - target_width
    height_first = (shrink_height > 0) & (shrink_height > ROWS_FIRST_RATIO * shrink_width)
    if (known := tf.get_static_value(height_first)) is not None:
        return resample_width(resample_height(pixels)) if known else resample_height(resample_width(pixels))
    return tf.cond(height_first, lambda: resample_width(resample_height(pixels)), lambda: resample_height(resample_width(pixels)))


def _size(tensor: tf.Tensor, axis: int) -> int | tf.Tensor:
    """An axis' length: a number if it is known while tracing."""
    return tf.shape(tensor)[axis] if tensor.shape[axis] is None else tensor.shape[axis]


def _resample_rows(rows: tf.Tensor, out_size: tf.Tensor, *, dtype: tf.DType, values_at_once: int | None) -> tf.Tensor:
    """uint8 [in_size, N] -> uint8 [out_size, N]. With equal sizes the weights are 0 and 1, so nothing changes, as in Pillow."""
    in_size, length, blocks = _size(rows, 0), _size(rows, 1), -(-out_size // BLOCK)
    known = _known_weights(in_size, out_size)

    def resample(first: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
        if known:
            start, high, low = (part[first : first + count] for part in known)
        else:
            start, high, low = bicubic_weights(in_size, out_size, first_block=first, blocks=count, dtype=dtype)

        def products(begin: tf.Tensor | int, end: tf.Tensor | int) -> tf.Tensor:
            window = start[begin:end, tf.newaxis] + tf.range(_size(high, 2))
            pixels = tf.cast(tf.gather(rows, window), tf.float32)
            # high + floor(low) loses nothing that the final floor could see: high is an integer in the same unit.
            sums = (high[begin:end] @ pixels + tf.floor(low[begin:end] @ pixels)) * 2.0 ** (LOW_BITS - WEIGHT_BITS) + 0.5
            return tf.reshape(tf.cast(tf.clip_by_value(sums, 0, 255), tf.uint8), [-1, length])

        return products(0, count) if values_at_once is None else _in_steps(products, count, BLOCKS_AT_ONCE, parallel_iterations=2)

    if values_at_once is None:
        return resample(0, blocks)[:out_size]
    # A block looks at BLOCK * scale + 2 * CUBIC_SUPPORT * stretch rows; of the weights there are about 16 arrays at a time.
    window = (BLOCK + 2 * CUBIC_SUPPORT) * (in_size // out_size + 1) + 1
    count = tf.minimum(tf.maximum(values_at_once // (window * (length + 16 * BLOCK)), 1), blocks)
    return _in_steps(lambda begin, end: resample(begin, end - begin), blocks, count, parallel_iterations=1)[:out_size]


def _in_steps(rows: Callable, total: tf.Tensor, step: int | tf.Tensor, *, parallel_iterations: int) -> tf.Tensor:
    """`rows(begin, end)`, uint8 [..., N] each, of `step` at a time, one after the other: uint8 [..., N]."""
    parts = tf.TensorArray(tf.uint8, size=-(-total // step), infer_shape=False, element_shape=[None, None])
    _, parts = tf.while_loop(
        lambda index, _: index * step < total,
        lambda index, parts: (index + 1, parts.write(index, rows(index * step, tf.minimum(index * step + step, total)))),
        (0, parts),
        parallel_iterations=parallel_iterations,
    )
    return parts.concat()


def image_to_patches(pixels: tf.Tensor, *, config: ImageConfig) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """One image as the vision encoder takes it.

    Args:
      pixels: uint8 [H, W, 3].
      config: sizes, scale and offset.

    Returns:
      pixel_values: float32 [max_patches, patch_dim], `pixel * scale + offset` in (row, column, channel) order, 0.0 in the padding.
        Without offset equal to `Gemma4ImageProcessorPil`'s to the last bit.
      pixel_position_ids: int32 [max_patches, 2], (x, y) of each patch, -1 in the padding.
      num_soft_tokens: int32 [], patches / 9.
      fault: int32 [], NONE or IMAGE_TOO_THIN; then all is padding and the count 0.
      detail: int32 [2], the image's height and width if there is a fault, else 0.
    """
    patches, positions, *rest = _resized_patches(tf.convert_to_tensor(pixels), config=config)
    return _scaled(patches, positions, config=config), positions, *rest


def _resized_patches(pixels: tf.Tensor, *, config: ImageConfig) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """`image_to_patches` before scaling: uint8 [max_patches, patch_dim], a quarter of the bytes to move. Padding is 0."""
    size = tf.shape(pixels)[:2]
    target_height, target_width = target_size(size[0], size[1], config=config)
    thin = tf.equal(target_height, 0)
    patches = tf.cond(
        thin,
        lambda: tf.zeros([config.max_patches, config.patch_dim], tf.uint8),
        lambda: _patches(resize_bicubic(pixels, target_height, target_width), config=config),
    )
    patches = tf.ensure_shape(patches, [config.max_patches, config.patch_dim])
    patch_rows, patch_columns = target_height // config.patch_size, target_width // config.patch_size
    num_soft_tokens = patch_rows * patch_columns // config.pooling_kernel_size**2
    fault = tf.where(thin, tf.constant(Fault.IMAGE_TOO_THIN, tf.int32), Fault.NONE)
    return patches, _positions(patch_rows, patch_columns, config=config), num_soft_tokens, fault, tf.where(thin, size, 0)


def _patches(pixels: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """uint8 [height, width, 3], multiples of the patch size -> uint8 [max_patches, patch_dim]."""
    side = config.patch_size
    rows, columns = tf.shape(pixels)[0] // side, tf.shape(pixels)[1] // side
    # [rows, 16, columns, 16 * 3] -> [rows, columns, 16, 16 * 3]: whole runs of 48 bytes move.
    patches = tf.transpose(tf.reshape(pixels, [rows, side, columns, side * 3]), [0, 2, 1, 3])
    return tf.pad(tf.reshape(patches, [rows * columns, config.patch_dim]), [[0, config.max_patches - rows * columns], [0, 0]])


def _scaled(patches: tf.Tensor, positions: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """uint8 [..., P, D] -> float32 `patches * scale + offset`, 0 in the padding, whose positions are -1."""
    values = tf.cast(patches, tf.float32)
    if config.scale is not None:
        values = _times(values, _per_value(config.scale, config=config))
    if config.offset is not None:
        shifted = values + _per_value(config.offset, config=config).astype(np.float32)
        values = tf.where(positions[..., :1] >= 0, shifted, 0.0)
    return values


def _times(values: tf.Tensor, scale: np.ndarray) -> tf.Tensor:
    """float32 values in 0…255 times a float64 scale: the float64 product, rounded (for 1/255 always, else nearly), as the reference's."""
    divisor = np.rint(1 / scale).astype(np.float32)
    levels = np.arange(256, dtype=np.float32)
    if scale.size == 1 and np.array_equal(levels / divisor, (levels * scale).astype(np.float32)):
        return tf.math.divide_no_nan(values, divisor)  # not `/`: see target_size
    # The 16 leading bits of a float32 hold 8 of its significant bits; times a uint8 that is exact.
    coarse = (scale.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return values * coarse + values * (scale - coarse).astype(np.float32)


def _per_value(setting: float | tuple[float, ...], *, config: ImageConfig) -> np.ndarray:
    """A number as float64 [1], three numbers (one per channel) as float64 [patch_dim]."""
    numbers = np.atleast_1d(np.asarray(setting, np.float64))
    return numbers if numbers.size == 1 else np.tile(numbers, config.patch_dim // numbers.size)


def _positions(patch_rows: tf.Tensor, patch_columns: tf.Tensor, *, config: ImageConfig) -> tf.Tensor:
    """int32 [max_patches, 2]: (x, y) of each patch, row by row, -1 in the padding. 2 × 3 patches: 00 10 20 01 11 21 -1-1 ..."""
    index = tf.range(config.max_patches)
    columns = tf.maximum(patch_columns, 1)
    positions = tf.stack([index % columns, index // columns], axis=-1)
    return tf.where(index[:, tf.newaxis] < patch_rows * patch_columns, positions, -1)


def encode_images(encoded: tf.Tensor, *, config: ImageConfig) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """`image_to_patches` of encoded files.

    Args:
      encoded: string [N], JPEG, PNG, GIF, BMP or WebP files; "" = no image.
      config: sizes, scale, offset and `max_image_pixels`.

    Returns:
      pixel_values float32 [N, max_patches, patch_dim], pixel_position_ids int32 [N, max_patches, 2], num_soft_tokens int32 [N], fault
      int32 [N] and detail int32 [N, 2] (see `Fault`). "" and faulty images are all padding (0.0 and -1), with count 0.
    """

    def encode(index: tf.Tensor) -> tuple[tf.Tensor, ...]:
        pixels, fault, detail = decode_image(encoded[index], config=config)
        return _first_fault(fault, detail, _resized_patches(pixels, config=config))

    return _each(encode, absent=tf.equal(encoded, ""), config=config)


def encode_image_arrays(
    images: tf.Tensor, sizes: tf.Tensor, *, config: ImageConfig
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """`image_to_patches` of images that share one array, each in its top left corner.

    Args:
      images: uint8 [N, H, W, 3]; what lies outside an image's true size is ignored.
      sizes: int32 [N, 2], each image's height and width, at most H and W; 0, 0 = no image.
      config: sizes, scale and offset.

    Returns:
      As `encode_images`. An image with one side 0 is IMAGE_TOO_THIN.
    """

    def encode(index: tf.Tensor) -> tuple[tf.Tensor, ...]:
        size = sizes[index]
        return _resized_patches(images[index, : size[0], : size[1]], config=config)

    return _each(encode, absent=tf.reduce_all(tf.equal(sizes, 0), axis=-1), config=config)


def _each(encode: Callable[[tf.Tensor], tuple[tf.Tensor, ...]], *, absent: tf.Tensor, config: ImageConfig) -> tuple[tf.Tensor, ...]:
    """Unscaled patches of `encode(index)` for each index of `absent` [N], scaled; an absent image becomes padding without a fault."""

    def encode_if_present(index: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tf.cond(absent[index], lambda: _no_image(config=config), lambda: encode(index))

    signature = tuple(tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in _no_image(config=config))
    # One at a time: the largest image that is allowed takes some 700 MB while it is resized.
    patches, positions, *rest = tf.map_fn(
        encode_if_present, tf.range(tf.shape(absent)[0]), fn_output_signature=signature, parallel_iterations=1
    )
    return _scaled(patches, positions, config=config), positions, *rest


def _no_image(*, config: ImageConfig) -> tuple[tf.Tensor, ...]:
    zero = tf.zeros([], tf.int32)
    patches = tf.zeros([config.max_patches, config.patch_dim], tf.uint8)
    return patches, _positions(zero, zero, config=config), zero, tf.constant(Fault.NONE, tf.int32), tf.zeros([2], tf.int32)


def _first_fault(fault: tf.Tensor, detail: tf.Tensor, outputs: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
    """A fault of decoding hides the one that its empty image would cause."""
    *features, later_fault, later_detail = outputs
    decoded = tf.equal(fault, Fault.NONE)
    return *features, tf.where(decoded, later_fault, fault), tf.where(decoded, later_detail, detail)
