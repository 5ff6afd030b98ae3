import Export
import Foundation
import Inference
import Runs
import Torch

extension Model {
    /// Writes the network as a Core ML program (.mlpackage) for one image of a fixed size, by Python's coremltools.
    ///
    /// It takes floats `image` `[1, channels, H, W]`, normalised, colours by 2x / 255 - 1, and gives floats `scores`
    /// `[1, classes, H, W]`; its metadata is that of the model file.
    ///
    /// - Parameters:
    ///   - path: The package, which is replaced if it is there.
    ///   - size: The image's size.
    /// - Returns: The version of coremltools that wrote the package and read its specification back.
    /// - Throws: `RunError` where Python has no coremltools and onnx, or refuses.
    public func exportCoreML(to path: String, size: ONNXOptions.Size) throws -> String {
        let folder = try ScratchFolder()
        let model = folder.file("model.onnx")
        try exportONNX(to: model, options: ONNXOptions(size: size))
        let request = Request(model: model, output: path, metadata: try metadata)
        let result: [String: String] = try Model.coreMLProgram(request, about: path)
        return result["coremltools"] ?? ""
    }

    private struct Request: Encodable {
        let model, output: String
        let metadata: [String: String]
    }

    private static let coreMLProgram = PythonProgram(
        source: """
            import json, sys
            case = json.load(open(sys.argv[1]))
            try:
                import coremltools as ct, onnx
            except ImportError as error:
                sys.exit(f"{error}: install coremltools and onnx, or name another Python by PYTHON")
            from coremltools.converters.mil import Builder as mb
            graph = onnx.load(case["model"]).graph
            weights = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
            shape = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]

            @mb.program(input_specs=[mb.TensorSpec(shape=shape)], opset_version=ct.target.iOS16)
            def program(image):
                maps = {"image": image}
                for node in graph.node:
                    a = {x.name: onnx.helper.get_attribute_value(x) for x in node.attribute}
                    x, name = maps.get(node.input[0]), node.output[0]
                    top, left, bottom, right = a.get("pads", [0] * 4)
                    window = dict(pad_type="custom", strides=a.get("strides"), pad=[top, bottom, left, right])
                    other = node.input[1] if len(node.input) > 1 else None
                    if node.op_type == "Conv":
                        bias = weights[node.input[2]] if len(node.input) > 2 else None
                        y = mb.conv(x=x, weight=weights[node.input[1]], bias=bias, dilations=a["dilations"],
                            groups=a["group"], name=name, **window)
                    elif node.op_type == "MaxPool":
                        y = mb.max_pool(x=x, kernel_sizes=a["kernel_shape"], name=name, **window)
                    elif node.op_type == "AveragePool":
                        y = mb.avg_pool(x=x, kernel_sizes=a["kernel_shape"], exclude_padding_from_average=True,
                            name=name, **window)
                    elif node.op_type == "GlobalAveragePool":
                        y = mb.reduce_mean(x=x, axes=[2, 3], keep_dims=True, name=name)
                    elif node.op_type == "Resize":
                        height, width = (int(n) for n in weights[node.input[3]][2:])
                        aligned = a["coordinate_transformation_mode"] == b"align_corners"
                        y = mb.resize_bilinear(x=x, target_size_height=height, target_size_width=width,
                            sampling_mode="STRICT_ALIGN_CORNERS" if aligned else "UNALIGN_CORNERS", name=name)
                    elif node.op_type == "Concat":
                        y = mb.concat(values=[maps[i] for i in node.input], axis=1, name=name)
                    elif node.op_type in ("Add", "Mul"):
                        y = maps[other] if other in maps else weights[other]
                        y = (mb.add if node.op_type == "Add" else mb.mul)(x=x, y=y, name=name)
                    elif node.op_type == "Clip":
                        y = mb.clip(x=x, alpha=float(weights[other]), beta=float(weights[node.input[2]]), name=name)
                    elif node.op_type == "Relu":
                        y = mb.relu(x=x, name=name)
                    elif node.op_type == "ConstantOfShape":
                        y = mb.fill(shape=[int(n) for n in weights[node.input[0]]], value=0.0, name=name)
                    else:
                        sys.exit(f"no Core ML operation for {node.op_type}")
                    maps[name] = y
                return maps["scores"]

            model = ct.convert(program, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS16,
                compute_precision=ct.precision.FLOAT32)
            model.short_description = "Auto-DeepLab segmentation network"
            for key, value in case["metadata"].items():
                model.user_defined_metadata[key] = value
            model.save(case["output"])
            spec = ct.utils.load_spec(case["output"])
            have = [list(v.type.multiArrayType.shape) for v in spec.description.input], [
                v.name for v in spec.description.output]
            if have != ([shape], ["scores"]):
                sys.exit(f"the package does not read back as it was written: {have}")
            print(json.dumps({"coremltools": ct.__version__}))
            """)
}
