"""A network that `autodeeplab train` wrote, as a plain PyTorch module.

    python Examples/load_in_pytorch.py runs/train/model.safetensors image.png mask.png

Needs torch, safetensors, numpy and pillow. The module's parameters have the names of the file, except that batch
normalisation's `runningMean` and `runningVariance` are PyTorch's `running_mean` and `running_var`. `docs/EXPORT.md`
lists the names.
"""

import json
import sys

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional as F


def convolution(inputs, outputs, kernel, stride=1, dilation=1, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, dilation * (kernel - 1) // 2, dilation, groups, bias=False)


def resize(x, size, aligned=True):
    return x if x.shape[2:] == size else F.interpolate(x, size, mode="bilinear", align_corners=aligned)


class ConvNorm(nn.Module):
    """Convolution and batch normalisation; the caller applies ReLU."""

    def __init__(self, inputs, outputs, kernel, stride=1, dilation=1, eps=1e-3):
        super().__init__()
        self.conv = convolution(inputs, outputs, kernel, stride, dilation)
        self.norm = nn.BatchNorm2d(outputs, eps)

    def forward(self, x):
        return self.norm(self.conv(x))


class Unit(nn.Module):
    """One or two convolutions of a map that has been through ReLU, then batch normalisation."""

    def __init__(self, eps, **convolutions):
        super().__init__()
        self.steps = list(convolutions)
        for name, step in convolutions.items():
            setattr(self, name, step)
        self.norm = nn.BatchNorm2d(step.out_channels, eps)

    def forward(self, x):
        for name in self.steps:
            x = getattr(self, name)(x)
        return self.norm(x)


# Kind, side of the window, and the atrous rate.
OPERATORS = {
    "separable3x3": ("separable", 3, 1),
    "separable5x5": ("separable", 5, 1),
    "atrous3x3": ("atrous", 3, 2),
    "atrous5x5": ("atrous", 5, 2),
    "averagePool3x3": ("averagePool", 3, 1),
    "maxPool3x3": ("maxPool", 3, 1),
    "skip": ("skip", 1, 1),
    "none": ("none", 1, 1),
}


class Operator(nn.ModuleDict):
    """One operator of the cell; its units are numbered from 1."""

    def __init__(self, name, channels, stride, atrous, eps):
        kind, kernel, rate = OPERATORS[name]

        def separable(stride=1, dilation=1):
            return Unit(
                eps, depthwise=convolution(channels, channels, kernel, stride, dilation, channels),
                pointwise=convolution(channels, channels, 1))

        units = []
        if kind == "separable":
            units = [separable(stride), separable()]
        elif kind == "atrous":
            rate = rate if stride == 1 else 1
            dense = Unit(eps, dense=convolution(channels, channels, kernel, dilation=rate))
            units = [dense if atrous == "dense" else separable(dilation=rate)]
        elif kind == "skip" and stride > 1:
            units = [Unit(eps, pointwise=convolution(channels, channels, 1, stride))]
        super().__init__({str(number): unit for number, unit in enumerate(units, 1)})
        self.kind, self.kernel, self.stride = kind, kernel, stride

    def forward(self, x, size):
        if self.kind == "none":
            return 0
        if self.kind == "maxPool":
            return F.max_pool2d(x, self.kernel, self.stride, self.kernel // 2)
        if self.kind == "averagePool":
            return F.avg_pool2d(x, self.kernel, self.stride, self.kernel // 2, count_include_pad=False)
        for number, unit in self.items():
            x = F.relu(x)
            # A strided atrous convolution has stride 1 itself: its input is resized.
            if self.kind == "atrous":
                x = resize(x, size)
            x = unit(x)
        return x


class Cell(nn.Module):
    def __init__(self, blocks, channels, inputs, inputs2, down, atrous, eps):
        super().__init__()
        self.blocks = blocks
        self.channels = channels
        self.previous = Unit(eps, pointwise=convolution(inputs, channels, 1))
        self.previous2 = Unit(eps, pointwise=convolution(inputs2, channels, 1)) if inputs2 != channels else None
        for number, block in enumerate(blocks, 1):
            sides = {}
            for side, (source, name) in zip(("first", "second"), block):
                stride = 2 if down and source.startswith("previous") else 1
                sides[side] = Operator(name, channels, stride, atrous, eps)
            setattr(self, f"block{number}", nn.ModuleDict(sides))

    def forward(self, previous, previous2, entry, size):
        previous, previous2 = resize(previous, entry), resize(previous2, entry)
        maps = {
            "previous": self.previous(F.relu(previous)),
            "previous2": self.previous2(F.relu(previous2)) if self.previous2 else previous2,
        }
        zeros = previous.new_zeros(previous.shape[0], self.channels, *size)
        for number, block in enumerate(self.blocks, 1):
            operators = getattr(self, f"block{number}")
            terms = [operators[side](maps[source], size) for side, (source, _) in zip(operators, block)]
            maps[f"block{number}"] = zeros + terms[0] + terms[1]
        return torch.cat([maps[f"block{number}"] for number in range(1, len(self.blocks) + 1)], 1)


class ASPP(nn.Module):
    def __init__(self, inputs, channels, stride, eps):
        super().__init__()
        self.point = ConvNorm(inputs, channels, 1, eps=eps)
        for number in (1, 2, 3):
            rate = number * 96 // stride
            setattr(self, f"atrous{number}", ConvNorm(inputs, channels, 3, dilation=rate, eps=eps))
        self.image = ConvNorm(inputs, channels, 1, eps=eps)
        self.projection = ConvNorm(5 * channels, channels, 1, eps=eps)

    def forward(self, x):
        maps = [branch(x) for branch in (self.point, self.atrous1, self.atrous2, self.atrous3)]
        maps.append(self.image(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:]))
        return F.relu(self.projection(F.relu(torch.cat(maps, 1))))


class Decoder(nn.Module):
    def __init__(self, low_level, configuration):
        super().__init__()
        eps, channels = configuration["headEpsilon"], configuration["decoderChannels"]
        reduced = configuration["lowLevelChannels"]
        self.lowLevel = ConvNorm(low_level, reduced, 1, eps=eps)
        self.refine1 = ConvNorm(configuration["asppChannels"] + reduced, channels, 3, eps=eps)
        self.refine2 = ConvNorm(channels, channels, 3, eps=eps)
        self.logits = nn.Conv2d(channels, configuration["classes"], 1)

    def forward(self, context, low_level):
        x = torch.cat([resize(context, low_level.shape[2:]), F.relu(self.lowLevel(low_level))], 1)
        return self.logits(F.relu(self.refine2(F.relu(self.refine1(x)))))


class Network(nn.Module):
    """The network of a genotype; `configuration` is that of the model file's metadata."""

    def __init__(self, genotype, configuration):
        super().__init__()
        eps = configuration["backboneEpsilon"]
        first, second, third = configuration["stemChannels"]
        stem = genotype.get("stem", "paper")
        self.encoder = None
        if stem == "paper":
            self.stem = nn.ModuleDict({
                "1": ConvNorm(configuration.get("imageChannels", 3), first, 3, 2, eps=eps),
                "2": ConvNorm(first, second, 3, eps=eps),
                "3": ConvNorm(second, third, 3, 2, eps=eps),
            })
        else:
            # An encoder's blocks up to a stride: `efficientnet-lite0@4`.
            name, last = stem.split("@")
            self.encoder = Encoder(ENCODERS[name], int(last))
            self.stem = nn.ModuleDict({
                f"adapter{stride}": ConvNorm(self.encoder.widths[stride], width, 1, eps=eps)
                for stride, width in ((2, second), (4, third))})
        self.path = genotype["path"]
        self.residual = configuration.get("residual", False)
        self.cells = nn.ModuleDict()
        self.entries = []
        # The layer that each cell's second input comes from: the one before the last, or a long skip's; -1 and 0 are the
        # stem's maps.
        skips = genotype.get("skips") or [None] * len(self.path)
        self.seconds = [index - 1 if skip is None else skip for index, skip in enumerate(skips)]
        outputs = [second, third]
        inputs, before = third, 4
        # The decoder reads the last map at stride 4 before the path first leaves it; 0 is the stem's.
        self.low_level_layer, low_level = 0, third
        for layer, stride in enumerate(self.path, 1):
            channels = configuration["filters"] * stride // 4
            self.cells[str(layer)] = Cell(
                genotype["cell"], channels, inputs, outputs[self.seconds[layer - 1] + 1], stride > before,
                genotype.get("atrous", "dense"), eps)
            self.entries.append(min(stride, before))
            inputs, before = channels * len(genotype["cell"]), stride
            outputs.append(inputs)
            if stride == 4 and self.low_level_layer == layer - 1:
                self.low_level_layer, low_level = layer, inputs
        self.aspp = ASPP(inputs, configuration["asppChannels"], before, configuration["headEpsilon"])
        self.decoder = Decoder(low_level, configuration)

    def forward(self, images):
        """Scores `[N, classes, H, W]` of normalised images `[N, channels, H, W]`, colours by 2x / 255 - 1."""

        def at(stride):
            return tuple((size + stride - 1) // stride for size in images.shape[2:])

        if self.encoder:
            seen = self.encoder(images)
            maps = [self.stem[f"adapter{stride}"](seen[stride]) for stride in (2, 4)]
        else:
            half = self.stem["2"](F.relu(self.stem["1"](images)))
            maps = [half, self.stem["3"](F.relu(half))]
        for layer, cell in enumerate(self.cells.values()):
            stride = self.path[layer]
            output = cell(maps[-1], maps[self.seconds[layer] + 1], at(self.entries[layer]), at(stride))
            if self.residual and layer > 0 and stride == self.path[layer - 1]:
                output = output + maps[-1]
            maps.append(output)
        previous, low_level = maps[-1], maps[self.low_level_layer + 1]
        return resize(self.decoder(self.aspp(F.relu(previous)), low_level), images.shape[2:])


class Same(nn.Conv2d):
    """A convolution that pads as TensorFlow does: by the size of the map, the odd zero behind it."""

    def forward(self, x):
        pads = []
        for size in (x.shape[3], x.shape[2]):
            kernel, stride = self.kernel_size[0], self.stride[0]
            total = max(-(-size // stride) * stride - stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, None, self.stride, 0, 1, self.groups)


# Channels and blocks of the stages, sides of their kernels, epsilon, and the values that the encoder learnt from.
LITE = {
    "kernels": (3, 3, 5, 3, 5, 5, 3), "eps": 1e-3, "same": True, "mean": (127.0,) * 3, "deviation": (128.0,) * 3}
ENCODERS = {
    "efficientnet-lite0": dict(LITE, channels=(16, 24, 40, 80, 112, 192, 320), blocks=(1, 2, 2, 3, 3, 4, 1)),
    "efficientnet-lite1": dict(LITE, channels=(16, 24, 40, 80, 112, 192, 320), blocks=(1, 3, 3, 4, 4, 5, 1)),
    "efficientnet-lite2": dict(LITE, channels=(16, 24, 48, 88, 120, 208, 352), blocks=(1, 3, 3, 4, 4, 5, 1)),
    "mobilenet-v2": {
        "channels": (16, 24, 32, 64, 96, 160, 320), "blocks": (1, 2, 3, 4, 3, 3, 1), "kernels": (3,) * 7, "eps": 1e-5,
        "same": False, "mean": (123.675, 116.28, 103.53), "deviation": (58.395, 57.12, 57.375)},
}


class Normalized(nn.Module):
    """Any convolution and its batch normalisation; the caller applies the activation."""

    def __init__(self, conv, eps):
        super().__init__()
        self.conv = conv
        self.norm = nn.BatchNorm2d(conv.out_channels, eps)

    def forward(self, x):
        return self.norm(self.conv(x))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, inner, outputs, kernel, stride, own):
        super().__init__()
        kind = Same if own["same"] else nn.Conv2d
        self.adds = stride == 1 and inputs == outputs
        self.expand = None
        if inner != inputs:
            self.expand = Normalized(nn.Conv2d(inputs, inner, 1, bias=False), own["eps"])
        padding = 0 if own["same"] else kernel // 2
        self.depthwise = Normalized(kind(inner, inner, kernel, stride, padding, 1, inner, bias=False), own["eps"])
        self.project = Normalized(nn.Conv2d(inner, outputs, 1, bias=False), own["eps"])

    def forward(self, x):
        y = F.relu6(self.expand(x)) if self.expand else x
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.adds else y


class Encoder(nn.Module):
    """Maps at strides 2, 4, 8, 16 and 32, by their strides; or at the first of them, as far as the blocks go."""

    def __init__(self, own, last=32, channels=3):
        super().__init__()
        kind, padding = (Same, 0) if own["same"] else (nn.Conv2d, 1)
        self.own, self.sees_colors = own, channels == 3
        self.stem = Normalized(kind(channels, 32, 3, 2, padding, bias=False), own["eps"])
        self.blocks, self.strides, self.widths = nn.ModuleList(), [], {}
        inputs, stride = 32, 2
        for stage, (outputs, count, kernel) in enumerate(zip(own["channels"], own["blocks"], own["kernels"])):
            for place in range(count):
                step = (1, 2, 2, 2, 1, 2, 1)[stage] if place == 0 else 1
                inner = inputs * (6 if stage else 1)
                if stride * step > last:
                    return
                self.blocks.append(InvertedResidual(inputs, inner, outputs, kernel, step, own))
                inputs, stride = outputs, stride * step
                self.strides.append(stride)
                self.widths[stride] = outputs

    def forward(self, images):
        if self.sees_colors:
            mean, deviation = (torch.tensor(self.own[key]).view(1, 3, 1, 1) for key in ("mean", "deviation"))
            images = (images * 127.5 + 127.5 - mean) / deviation
        x = F.relu6(self.stem(images))
        maps = {}
        for stride, block in zip(self.strides, self.blocks):
            maps[stride] = x = block(x)
        return maps


def spatial(inputs, outputs, separable, rate=1, eps=1e-5):
    """A 3x3 convolution, or a depthwise and a pointwise one, each with batch normalisation."""
    if not separable:
        return Normalized(convolution(inputs, outputs, 3, 1, rate), eps)
    return nn.ModuleDict({
        "depthwise": Normalized(convolution(inputs, inputs, 3, 1, rate, inputs), eps),
        "pointwise": Normalized(convolution(inputs, outputs, 1), eps)})


def apply(unit, x):
    for part in unit.values() if isinstance(unit, nn.ModuleDict) else [unit]:
        x = F.relu(part(x))
    return x


SEARCHED = {
    "arch0": "8-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0", "arch1": "2-1.0.3.6-0.1.2.8-2.0.6.1-2.3-3.1-4.4",
    "arch2": "5-0.0.4.1-3.2.0.1-5.6.5.0-1.3-4.3-2.2"}


def searched(name):
    """Cell and picked maps of a decoder's genotype; the cell is node 0's operation, and positions and operations."""
    text = name.partition(":")[2]
    first, *rest = [[int(n) for n in group.split(".")] for group in SEARCHED.get(text, text).split("-")]
    return (first[0], rest[:3]), rest[3:]


def loose_maps(picks):
    """The blocks' maps that no block reads."""
    return [number for number in (4, 5, 6) if not any(number in pair for pair in picks)]


class SearchedOperation(nn.Module):
    """An operation of a searched decoder's cell, by its number."""

    def __init__(self, number, channels, repeats, eps):
        super().__init__()
        self.number = number
        if number in (0, 1, 4, 5, 6):
            kernel, rate = {0: (1, 1), 1: (3, 1), 4: (1, 1), 5: (3, 3), 6: (3, 12)}[number]
            self.conv = convolution(channels, channels, kernel, 1, rate)
            self.norm = nn.BatchNorm2d(channels, eps=eps)
        elif number < 9:
            kernel, rate = {2: (3, 1), 3: (5, 1), 7: (3, 3), 8: (5, 6)}[number]
            for pair in range(1, repeats + 1):
                unit = Normalized(convolution(channels, channels, 1), eps)
                unit.depthwise = convolution(channels, channels, kernel, 1, rate, channels)
                self.add_module(f"pair{pair}", unit)

    def forward(self, x):
        if self.number == 9:
            return x
        if self.number == 10:
            return torch.zeros_like(x)
        if self.number in (2, 3, 7, 8):
            for unit in self.children():
                x = F.relu(unit(unit.depthwise(x)))
            return x
        y = x.mean((2, 3), keepdim=True) if self.number == 4 else x
        return F.relu(self.norm(self.conv(y))).expand_as(x)


class SearchedCell(nn.Module):
    """The cell of a searched decoder."""

    def __init__(self, cell, channels, repeats, eps):
        super().__init__()
        first, self.genotype = cell
        self.node0 = SearchedOperation(first, channels, repeats, eps)
        self.nodes = []
        for number, node in enumerate(self.genotype, 1):
            branches = nn.ModuleDict({
                side: SearchedOperation(op, channels, repeats, eps) for side, op in zip(("first", "second"), node[2:])})
            self.add_module(f"node{number}", branches)
            self.nodes.append(branches)

    def forward(self, x):
        positions = [x, self.node0(x)]
        for node, branches in zip(self.genotype, self.nodes):
            values = [branch(positions[place]) for branch, place in zip(branches.values(), node)]
            positions += values + [values[0] + values[1]]
        read = {place for node in self.genotype for place in node[:2]}
        return sum(positions[place] for place in (1, 4, 7, 10) if place not in read)


class EncodedNetwork(nn.Module):
    """An encoder with a decoder; `configuration` is that of the model file's metadata."""

    def __init__(self, configuration):
        super().__init__()
        self.kind = configuration["decoder"]
        self.encoder = Encoder(ENCODERS[configuration["encoder"]], channels=configuration.get("imageChannels", 3))
        widths, eps = self.encoder.widths, configuration["epsilon"]
        separable = configuration["separable"]
        self.decoder = parts = nn.ModuleDict()
        if self.kind == "unet":
            inputs = widths[32]
            for stride, outputs in zip((16, 8, 4, 2), configuration["unetChannels"]):
                parts[f"level{stride}"] = nn.ModuleDict({
                    "refine1": spatial(inputs + widths[stride], outputs, separable, eps=eps),
                    "refine2": spatial(outputs, outputs, separable, eps=eps)})
                inputs = outputs
        elif self.kind == "deeplabv3+":
            channels, inputs = configuration["asppChannels"], configuration["decoderChannels"]
            reduced = configuration["lowLevelChannels"]
            parts["aspp"] = aspp = nn.ModuleDict({
                "point": Normalized(convolution(widths[32], channels, 1), eps),
                "image": Normalized(convolution(widths[32], channels, 1), eps),
                "projection": Normalized(convolution(5 * channels, channels, 1), eps)})
            for number in (1, 2, 3):
                aspp[f"atrous{number}"] = spatial(widths[32], channels, True, 3 * number, eps)
            parts["lowLevel"] = Normalized(convolution(widths[4], reduced, 1), eps)
            parts["refine1"] = spatial(channels + reduced, inputs, True, eps=eps)
            parts["refine2"] = spatial(inputs, inputs, True, eps=eps)
        elif self.kind.startswith("nekrasov:"):
            inputs, repeats = configuration["cellChannels"], configuration["cellRepeats"]
            cell, self.picks = searched(self.kind)
            for stride in (4, 8, 16, 32):
                parts[f"adapter{stride}"] = Normalized(convolution(widths[stride], inputs, 1), eps)
            for number in (1, 2, 3):
                sides = {}
                for side in ("first", "second"):
                    sides[side] = SearchedCell(cell, inputs, repeats, eps)
                    sides[side].projection = Normalized(convolution(inputs, inputs, 1), eps)
                parts[f"block{number}"] = nn.ModuleDict(sides)
            parts["output"] = Normalized(convolution(inputs * len(loose_maps(self.picks)), inputs, 1), eps)
        else:
            inputs = configuration["lightChannels"]
            for stride in (4, 8, 16, 32):
                parts[f"lateral{stride}"] = Normalized(convolution(widths[stride], inputs, 1), eps)
            parts["refine"] = spatial(inputs, inputs, separable, eps=eps)
            if self.kind == "fine":
                half = (inputs + 1) // 2
                parts["reduce"] = Normalized(convolution(inputs, half, 1), eps)
                parts["lateral2"] = Normalized(convolution(widths[2], half, 1), eps)
                parts["refine2"] = spatial(half, half, separable, eps=eps)
                inputs = half
        side = 3 if self.kind.startswith("nekrasov:") else 1
        parts["logits"] = nn.Conv2d(inputs, configuration["classes"], side, padding=side // 2)

    def forward(self, images):
        """Scores `[N, classes, H, W]` of images `[N, 3, H, W]`, whose values are 2x / 255 - 1."""
        maps, parts = self.encoder(images), self.decoder
        x = maps[32]
        if self.kind == "unet":
            for stride in (16, 8, 4, 2):
                x = torch.cat([resize(x, maps[stride].shape[2:]), maps[stride]], 1)
                level = parts[f"level{stride}"]
                x = apply(level["refine2"], apply(level["refine1"], x))
        elif self.kind == "deeplabv3+":
            aspp = parts["aspp"]
            branches = [apply(aspp[name], x) for name in ("point", "atrous1", "atrous2", "atrous3")]
            image = apply(aspp["image"], x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
            context = apply(aspp["projection"], torch.cat(branches + [image], 1))
            x = torch.cat([resize(context, maps[4].shape[2:]), apply(parts["lowLevel"], maps[4])], 1)
            x = apply(parts["refine2"], apply(parts["refine1"], x))
        elif self.kind.startswith("nekrasov:"):
            pool = [apply(parts[f"adapter{stride}"], maps[stride]) for stride in (4, 8, 16, 32)]
            for number, pair in enumerate(self.picks, 1):
                sides = zip(parts[f"block{number}"].values(), pair)
                x, y = (F.relu(cell.projection(cell(pool[pick]))) for cell, pick in sides)
                size = max(x.shape[2:], y.shape[2:])
                pool.append(resize(x, size, False) + resize(y, size, False))
            loose = [pool[number] for number in loose_maps(self.picks)]
            size = max(x.shape[2:] for x in loose)
            x = apply(parts["output"], F.relu(torch.cat([resize(x, size, False) for x in loose], 1)))
        else:
            x = parts["lateral32"](x)
            for stride in (16, 8, 4):
                x = parts[f"lateral{stride}"](maps[stride]) + resize(x, maps[stride].shape[2:])
            x = apply(parts["refine"], x)
            if self.kind == "fine":
                x = parts["lateral2"](maps[2]) + resize(parts["reduce"](x), maps[2].shape[2:])
                x = apply(parts["refine2"], x)
        return resize(parts["logits"](x), images.shape[2:])


def load(path):
    """The network of a model file, ready for evaluation, and the file's metadata."""
    with safe_open(path, "pt") as file:
        metadata = {key: value for key, value in file.metadata().items()}
        state = {name: file.get_tensor(name) for name in file.keys()}
    configuration = json.loads(metadata["configuration"])
    if metadata.get("network") == "encoded":
        network = EncodedNetwork(configuration)
    else:
        network = Network(json.loads(metadata["genotype"]), configuration)
    names = {"runningMean": "running_mean", "runningVariance": "running_var"}
    renamed = {}
    for name, tensor in state.items():
        stem, _, last = name.rpartition(".")
        renamed[f"{stem}.{names.get(last, last)}"] = tensor
    # PyTorch counts batches too, which nothing here reads; everything else must be there.
    missing, unexpected = network.load_state_dict(renamed, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unexpected {unexpected}")
    return network.eval(), metadata


def segment(network, image, metadata):
    """The class of each pixel of an image `[H, W, channels]` of bytes, padded to 32 n + 1 pixels as `predict` does."""
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    if "normalization" in metadata:
        own = json.loads(metadata["normalization"])
        mean, deviation = (torch.tensor(own[key]).view(1, -1, 1, 1) for key in ("means", "deviations"))
        x = (x - mean) / deviation
    else:
        x = x * (2 / 255) - 1
    height, width = image.shape[:2]
    x = F.pad(x, (0, -(width - 1) % 32, 0, -(height - 1) % 32))
    with torch.no_grad():
        return network(x)[0, :, :height, :width].argmax(0).byte().numpy()


if __name__ == "__main__":
    import numpy
    from PIL import Image

    if len(sys.argv) != 4:
        sys.exit("usage: load_in_pytorch.py MODEL.safetensors IMAGE MASK.png")
    model, info = load(sys.argv[1])
    if "longerSide" in info:
        sys.exit(f"resize the image to a longer side of {info['longerSide']} first, as in the training")
    if float(info["resize"]) != 1:
        sys.exit(f"resize the image by {info['resize']} first, as in the training")
    if "normalization" in info:
        sys.exit("the network sees other channels than colours: read them as [H, W, channels] and call segment()")
    pixels = numpy.array(Image.open(sys.argv[2]).convert("RGB"))
    mask = Image.fromarray(segment(model, pixels, info), "P")
    palette = [channel for c in json.loads(info["classes"])["palette"] for channel in (c["red"], c["green"], c["blue"])]
    mask.putpalette(palette)
    mask.save(sys.argv[3])
