"""Networks of segmentation_models.pytorch, trained for so many minutes of processor time and measured on the test split.

usage: python peer_training.py DATA CLASSES MINUTES NAME [SEED] [ENCODERS]

DATA holds train.txt and test.txt with the folders that they name, as `autodeeplab` takes them; labels from CLASSES on are
ignored. NAME is unet-lite0, deeplabv3+-lite0 (with the ImageNet weights that ENCODERS/efficientnet-lite0.safetensors holds,
see `make encoders`), or, from scratch, unet-resnet18 or deeplabv3+-mobilenetv2. One thread; what is evaluated is not
counted. Crops, batches, loss, class weights, schedule and augmentation are those that `autodeeplab run` plans for the same
minutes (PEER_CROP, 193, and PEER_BATCH, 8); batch normalisation, initial values and learning rates are the library's and
PEER_RATE (0.001; a fifth of it in a trained encoder).

Needs: pip install segmentation-models-pytorch safetensors pillow (and torch)
"""

import json
import os
import random
import re
import sys
import time

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

try:
    import torchvision  # noqa: F401
except (RuntimeError, AttributeError):
    # torchvision's wheel for another torch: nothing here calls its operators, but they must have names.
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    OPERATORS = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        OPERATORS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import segmentation_models_pytorch as smp  # noqa: E402

SCALES = (0.75, 1.0, 1.25, 1.5)


def samples(root, split):
    with open(os.path.join(root, split + ".txt")) as file:
        return [[os.path.join(root, name) for name in line.split()] for line in file if line.strip()]


def read(sample, classes, cache):
    """Image and labels, decoded once."""
    if sample[0] not in cache:
        image, mask = Image.open(sample[0]).convert("RGB"), np.asarray(Image.open(sample[1]))
        cache[sample[0]] = image, Image.fromarray(np.where(mask < classes, mask, 255).astype(np.uint8))
    return cache[sample[0]]


def crop_of(sample, classes, size, cache, draw):
    image, mask = read(sample, classes, cache)
    scale = draw.choice(SCALES)
    shape = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    left = draw.randint(0, max(0, shape[0] - size))
    top = draw.randint(0, max(0, shape[1] - size))
    right, bottom = min(left + size, shape[0]), min(top + size, shape[1])
    # Only what is seen is scaled.
    box = (left / scale, top / scale, min(right / scale, image.width), min(bottom / scale, image.height))
    pixels = np.asarray(image.resize((right - left, bottom - top), Image.BILINEAR, box=box), np.float32)
    labels = np.asarray(mask.resize((right - left, bottom - top), Image.NEAREST, box=box))
    if draw.random() < 0.5:
        pixels, labels = pixels[:, ::-1], labels[:, ::-1]
    x, y = np.zeros((size, size, 3), np.float32), np.full((size, size), 255, np.uint8)
    height, width = labels.shape
    x[:height, :width], y[:height, :width] = pixels * (2 / 255) - 1, labels
    return x, y


def batch_of(train, count, classes, size, cache, draw):
    crops = [crop_of(draw.choice(train), classes, size, cache, draw) for _ in range(count)]
    images = torch.from_numpy(np.stack([x for x, _ in crops])).permute(0, 3, 1, 2)
    labels = torch.from_numpy(np.stack([y for _, y in crops])).long()
    return images.contiguous(memory_format=torch.channels_last), labels


def class_weights(train, classes, cache):
    """One over the root of the classes' shares, the mean pixel's weight 1."""
    counts = np.zeros(classes)
    for sample in train[:200]:
        counts += np.bincount(np.asarray(read(sample, classes, cache)[1]).ravel(), minlength=256)[:classes]
    shares = counts / counts.sum()
    roots = np.where(shares > 0, 1 / np.sqrt(np.maximum(shares, 1e-12)), 0)
    mean = (roots * shares).sum()
    return torch.tensor([min(8, max(0.2, root / mean)) if root else 1.0 for root in roots], dtype=torch.float32)


def loss_of(scores, labels, weights):
    """Cross entropy, and Dice over the classes that are there."""
    entropy = F.cross_entropy(scores, labels, weights, ignore_index=255)
    seen = (labels != 255).float()
    truth = F.one_hot(labels * (labels != 255), scores.shape[1]).permute(0, 3, 1, 2) * seen[:, None]
    guess = scores.softmax(1) * seen[:, None]
    both, either = (truth * guess).sum((0, 2, 3)), (truth + guess).sum((0, 2, 3))
    present = truth.sum((0, 2, 3)) > 0
    return entropy + (1 - 2 * both[present] / either[present]).mean()


def timm_names(state):
    """The encoder's weights under timm's names, from those of efficientnet-lite-pytorch."""
    renamed = {}
    blocks = [2, 2, 3, 3, 4, 1]
    places = [(0, 0)] + [(stage + 1, index) for stage, count in enumerate(blocks) for index in range(count)]
    parts = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
             "_project_conv": "conv_pwl", "_bn2": "bn3"}
    first = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    for name, tensor in state.items():
        match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
        if match:
            number, part, kind = int(match[1]), match[2], match[3]
            stage, index = places[number]
            renamed[f"blocks.{stage}.{index}.{(parts if number else first)[part]}.{kind}"] = tensor
        elif name.startswith(("_conv_stem.", "_bn0.")):
            renamed[name.replace("_conv_stem", "conv_stem").replace("_bn0", "bn1")] = tensor
    return renamed


def network_of(name, classes, encoders):
    kinds = {"unet": smp.Unet, "deeplabv3+": smp.DeepLabV3Plus}
    decoder, encoder = name.rsplit("-", 1)
    names = {"lite0": "timm-tf_efficientnet_lite0", "resnet18": "resnet18", "mobilenetv2": "mobilenet_v2"}
    network = kinds[decoder](names[encoder], encoder_weights=None, classes=classes)
    if encoder == "lite0":
        from safetensors.torch import load_file

        state = timm_names(load_file(os.path.join(encoders, "efficientnet-lite0.safetensors")))
        missing, unexpected = torch.nn.Module.load_state_dict(network.encoder, state, strict=False)
        missing = [name for name in missing if not name.startswith(("conv_head", "bn2"))]
        if missing or unexpected:
            raise ValueError(f"missing {missing}, unexpected {unexpected}")
    return network.to(memory_format=torch.channels_last), encoder == "lite0"


def evaluate(network, root, classes):
    """Each class's IoU over the test images, each seen at once."""
    network.eval()
    confusion = np.zeros((classes, classes), np.int64)
    with torch.no_grad():
        for sample in samples(root, "test"):
            image, mask = read(sample, classes, {})
            x = torch.from_numpy(np.asarray(image, np.float32) * (2 / 255) - 1).permute(2, 0, 1)[None]
            height, width = x.shape[2:]
            x = F.pad(x, (0, -width % 32, 0, -height % 32))
            guess = network(x.contiguous(memory_format=torch.channels_last))[0, :, :height, :width].argmax(0).numpy()
            truth = np.asarray(mask)
            known = truth < classes
            pairs = truth[known].astype(np.int64) * classes + guess[known]
            confusion += np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    hits = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - hits
    return [float(h / u) if u else None for h, u in zip(hits, union)]


def main():
    root, classes, minutes, name = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    encoders = sys.argv[6] if len(sys.argv) > 6 else ".encoders"
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    draw, cache = random.Random(seed), {}
    begin = time.process_time()
    network, is_trained = network_of(name, classes, encoders)
    train = samples(root, "train")
    # Their sides are multiples of 16, where those of a plan are one more.
    size, count = (int(os.environ.get(name, usual)) for name, usual in (("PEER_CROP", 193), ("PEER_BATCH", 8)))
    size = size // 16 * 16
    rate = float(os.environ.get("PEER_RATE", 0.001))
    weights = class_weights(train, classes, cache)
    own = [p for n, p in network.named_parameters() if not n.startswith("encoder.")]
    groups = [{"params": own, "lr": rate},
              {"params": network.encoder.parameters(), "lr": rate * (0.2 if is_trained else 1)}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    rates = [group["lr"] for group in groups]
    network.train()
    steps, total = 0, 60 * minutes
    while (gone := time.process_time() - begin) < total:
        # The cosine goes by time, since it is time that is given.
        progress = gone / total
        factor = min(1, progress / 0.05) * 0.5 * (1 + np.cos(np.pi * progress))
        for group, own_rate in zip(optimizer.param_groups, rates):
            group["lr"] = own_rate * factor
        images, labels = batch_of(train, count, classes, size, cache, draw)
        loss = loss_of(network(images), labels, weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    ious = evaluate(network, root, classes)
    found = [iou for iou in ious if iou is not None]
    print(json.dumps({"name": name, "seed": seed, "minutes": minutes, "steps": steps, "rate": rate,
                      "mIOU": round(sum(found) / len(found), 4), "IOU": [iou and round(iou, 3) for iou in ious]}),
          flush=True)


main()
