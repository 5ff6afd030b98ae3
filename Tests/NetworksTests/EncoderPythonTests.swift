import Foundation
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// The published EfficientNet-Lite weights in Swift against PyTorch.
@Suite(.enabled(if: Python.has("torch", "safetensors"), "there is no PyTorch in .venv: see scripts/setup.sh --venv"))
struct EncoderPythonTests {
    private static let files = #filePath.components(separatedBy: "/Tests/")[0] + "/.encoders/"

    private static func isThere(_ kind: EncoderKind) -> Bool {
        FileManager.default.fileExists(atPath: files + kind.rawValue + ".safetensors")
    }

    /// The layers of efficientnet-lite-pytorch 0.1.0, with the padding of the image's own size.
    private static let script = """
        import sys, torch, torch.nn.functional as F
        from safetensors.torch import load_file, save_file
        torch.set_num_threads(1)
        weights, case, result = sys.argv[1:4]
        w = {k: v.double() for k, v in load_file(weights).items()}
        w["_conv_stem.weight"].requires_grad_(True)
        blocks = [(3, 1), (3, 2), (5, 2), (3, 2), (5, 1), (5, 2), (3, 1)]
        repeats = {16: [1, 2, 2, 3, 3, 4, 1], 21: [1, 3, 3, 4, 4, 5, 1]}[
            len({k.split(".")[1] for k in w if k.startswith("_blocks.")})]
        def conv(x, name, stride=1, groups=1):
            kernel = w[name + ".weight"]
            pads = []
            for n in (x.shape[3], x.shape[2]):
                total = max((-(-n // stride) - 1) * stride + kernel.shape[2] - n, 0)
                pads += [total // 2, total - total // 2]
            return F.conv2d(F.pad(x, pads), kernel, stride=stride, groups=groups)
        def norm(x, name):
            return F.batch_norm(x, *(w[f"{name}.{v}"] for v in ("running_mean", "running_var", "weight", "bias")),
                eps=1e-3)
        x = (load_file(case)["images"].double() * 127.5 + 127.5 - 127) / 128
        x = F.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
        maps, index = [], 0
        for (_, stride), count in zip(blocks, repeats):
            if stride == 2: maps.append(x)
            for place in range(count):
                p, step = f"_blocks.{index}.", stride if place == 0 else 1
                y = F.relu6(norm(conv(x, p + "_expand_conv"), p + "_bn0")) if index else x
                y = F.relu6(norm(conv(y, p + "_depthwise_conv", step, y.shape[1]), p + "_bn1"))
                y = norm(conv(y, p + "_project_conv"), p + "_bn2")
                x = x + y if step == 1 and x.shape[1] == y.shape[1] else y
                index += 1
        maps.append(x)
        sum((m * m).mean() for m in maps).backward()
        out = {f"map{i}": m.detach() for i, m in enumerate(maps)}
        out["gradient"] = w["_conv_stem.weight"].grad
        save_file(out, result)
        """

    @Test(
        .enabled(if: isThere(.efficientNetLite0), "there are no weights in .encoders: run make encoders"),
        arguments: [EncoderKind.efficientNetLite0, .efficientNetLite1, .efficientNetLite2].filter(isThere),
        [[224, 224], [129, 161]])
    func publishedWeights(kind: EncoderKind, size: [Int]) throws {
        let folder = try TemporaryFolder()
        let x = images([1, 3] + size)
        try saveTensors(["images": x], to: folder.file("case"))
        let path = EncoderPythonTests.files + kind.rawValue + ".safetensors"
        try Python.run(EncoderPythonTests.script, path, folder.file("case"), folder.file("result"))
        let wanted = try loadTensors(folder.file("result")).tensors
        for (dtype, tolerance) in [(DType.float64, 1e-9), (.float32, 1e-5)] {
            let store = VariableStore(generator: Generator(seed: 1), dtype: dtype)
            let encoder = ImageEncoder(store.root / "encoder", EncoderLayout(kind))
            encoder.load(try EncoderWeights(kind, path: path))
            let maps = encoder(x.to(dtype), mode: .evaluation)
            for (index, map) in maps.enumerated() {
                let want = try #require(wanted["map\(index)"])
                #expect(relativeDifference(map.to(.float64), want) < tolerance, "\(dtype), map \(index)")
            }
            // In 32 bits values beside the corners of ReLU6 fall on either side of them, as rounding has it: the maps hardly
            // notice, but the slope there is 0 or 1.
            guard dtype == .float64 else { continue }
            let loss = maps.reduce(Tensor.zeros([], dtype: dtype)) { $0 + ($1 * $1).mean() }
            let stem = try #require(store.state["encoder.stem.conv.weight"])
            let gradient = try #require(gradients(of: loss, withRespectTo: [stem])[0])
            let want = try #require(wanted["gradient"])
            #expect(relativeDifference(gradient.to(.float64), want) < tolerance, "gradient")
        }
    }
}
