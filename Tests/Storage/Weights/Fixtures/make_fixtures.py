"""Writes mixed.safetensors and empty.safetensors with the safetensors library (0.8.0, numpy 2.4.6).

Run in this folder: python3 make_fixtures.py
"""

import numpy as np
from safetensors import TensorSpec, serialize_file

values = np.array([0.0, -0.0, 1.0, -1.5, 3.140625, 65504.0], dtype=np.float32)
bfloat16 = (values.view(np.uint32) >> 16).astype(np.uint16)


kept = []  # the specifications below hold bare addresses


def tensor(dtype, array):
    kept.append(array)
    return TensorSpec(dtype=dtype, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes)


serialize_file(
    {
        "scaler": tensor("float32", np.array(0.25, dtype=np.float32)),
        "proj.0.weight": tensor("float32", np.arange(12, dtype=np.float32).reshape(4, 3) / 8),
        "half": tensor("float16", values.astype(np.float16).reshape(2, 3)),
        "brain": tensor("bfloat16", bfloat16.reshape(3, 2)),
        "wide": tensor("float64", np.array([np.pi, -np.e])),
        "labels": tensor("int64", np.array([-1, 2**40], dtype=np.int64)),
        "ids": tensor("int32", np.array([7, -7, 2**31 - 1], dtype=np.int32)),
        "big": tensor("uint64", np.array([2**64 - 1], dtype=np.uint64)),
        "flags": tensor("bool", np.array([True, False, True])),
        "bytes": tensor("uint8", np.array([0, 127, 255], dtype=np.uint8)),
        "none": tensor("float32", np.zeros((0, 5), dtype=np.float32)),
        "Größe ✓": tensor("int8", np.array([-128], dtype=np.int8)),
    },
    "mixed.safetensors",
    {"note": 'a "quoted" word, a\ttab, ümlaut'},
)
serialize_file({}, "empty.safetensors", None)
