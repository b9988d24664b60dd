"""Makes blocks.gguf and blocks.f32: some blocks of every type that GGUF tensors are read in, and what they stand for.

    pip install gguf numpy && python make_fixtures.py

The numbers are those of the `gguf` package's own de-quantisation, one tensor after the other in the file's order. Blocks
are random bytes, so that every bit of every field counts, but for their scales: most are small numbers, some zero,
negative, the smallest and the largest that float16 has, infinite. Metadata holds one entry of every kind.
"""
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

HERE = pathlib.Path(__file__).parent
# Where in a block its float16 scales stand.
SCALES = {
    Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q2_K: [80, 82],
    Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208],
}
EXTREMES = [0.0, -0.0, 6e-8, 6.1e-5, 65504.0, -65504.0, -0.37, float('inf')]
random = np.random.default_rng(20240)


def blocks(kind):
    size, width = gguf.GGML_QUANT_SIZES[kind]
    count = 12 if size == 32 else 4
    data = random.integers(0, 256, (count, width), dtype=np.uint8)
    for place in SCALES[kind]:
        scales = random.normal(0, 0.1, count).astype(np.float16)
        extremes = [EXTREMES[i] for i in random.permutation(len(EXTREMES))[:count - 2]]
        scales[2:2 + len(extremes)] = extremes
        data[:, place:place + 2] = scales.view(np.uint8).reshape(count, 2)
    data[0, :] = [0xff if i not in [p + d for p in SCALES[kind] for d in (0, 1)] else b for i, b in enumerate(data[0])]
    return data.reshape(2, -1)


def main():
    writer = gguf.GGUFWriter(HERE / 'blocks.gguf', 'llama')
    writer.add_uint8('kind.uint8', 255)
    writer.add_int8('kind.int8', -128)
    writer.add_uint16('kind.uint16', 65535)
    writer.add_int16('kind.int16', -32768)
    writer.add_uint32('kind.uint32', 2**32 - 1)
    writer.add_int32('kind.int32', -2**31)
    writer.add_uint64('kind.uint64', 2**64 - 1)
    writer.add_int64('kind.int64', -2**63)
    writer.add_float32('kind.float32', 1e-5)
    writer.add_float64('kind.float64', 0.1)
    writer.add_bool('kind.bool', True)
    writer.add_string('kind.string', 'naïve 🙂')
    writer.add_array('kind.strings', ['', 'a', 'Ġthe'])
    writer.add_array('kind.integers', [1, -2, 3])
    writer.add_array('kind.numbers', [0.5, -1.5])
    expected = []
    halves = np.array([0, 1, -2, 0.1, 65504, 6e-8, np.inf, -np.inf], dtype=np.float16)
    for name, data in [
        ('f32', np.array([[0, -0.0, 1e-45, 3.4e38], [-1, 0.1, np.inf, 7]], dtype=np.float32)),
        ('f16', np.concatenate([halves, -halves]).reshape(2, 8)),
    ]:
        writer.add_tensor(name, data)
        expected.append(data.astype(np.float32))
    wide = random.normal(0, 10, (3, 8)).astype(np.float32)
    writer.add_tensor('bf16', gguf.quantize(wide, Type.BF16), raw_dtype=Type.BF16)
    expected.append(gguf.dequantize(gguf.quantize(wide, Type.BF16), Type.BF16))
    for kind in SCALES:
        data = blocks(kind)
        writer.add_tensor(kind.name, data, raw_dtype=kind)
        with np.errstate(invalid='ignore', over='ignore'):
            expected.append(gguf.dequantize(data, kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    np.concatenate([part.ravel() for part in expected]).astype('<f4').tofile(HERE / 'blocks.f32')


main()
