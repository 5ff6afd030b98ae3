import Foundation
import Torch

/// A graph that grows node by node; what computes the same is in it once.
///
/// So ReLUs, pools and resized maps that several branches read are shared without anybody keeping account of them.
final class GraphBuilder {
    private(set) var graph = Autodeeplab_Onnx_GraphProto()
    private var outputs: [Computation: String] = [:]
    private var names: Set<String> = []

    private struct Computation: Hashable {
        let op: String
        let inputs: [String]
        let attributes: [Autodeeplab_Onnx_AttributeProto]
    }

    /// An attribute's value.
    enum Attribute {
        case integer(Int)
        case integers([Int])
        case text(String)
    }

    /// Adds a node, or finds the one that computes the same; the name of its output.
    func node(
        _ op: String, _ inputs: [String], _ attributes: KeyValuePairs<String, Attribute> = [:], name: String
    ) -> String {
        let list = attributes.map { GraphBuilder.attribute($0, $1) }
        let computation = Computation(op: op, inputs: inputs, attributes: list)
        if let known = outputs[computation] { return known }
        let output = unused(name)
        graph.node.append(
            .with {
                $0.opType = op
                $0.name = output
                $0.input = inputs
                $0.output = [output]
                $0.attribute = list
            })
        outputs[computation] = output
        return output
    }

    /// Whole numbers as a constant `[count]`, or `[]` for a single one that shall be a scalar.
    func constant(_ values: [Int]) -> String {
        let name = "constant." + values.map(String.init).joined(separator: "x")
        return shared(name, .int64, [values.count], values.map { Int64($0).littleEndian })
    }

    /// 64-bit floats as a constant `[count]`.
    func doubles(_ values: [Double], name: String) -> String {
        let name = "double.\(name)." + values.map { String($0) }.joined(separator: "x")
        return shared(name, .double, [values.count], values.map(\.bitPattern.littleEndian))
    }

    /// A 32-bit float as a constant without dimensions.
    func weights(scalar value: Float) -> String {
        shared("constant.\(value)", .float, [], [value.bitPattern.littleEndian])
    }

    /// A byte as a constant without dimensions.
    func byte(_ value: UInt8) -> String { shared("byte.\(value)", .uint8, [], [value]) }

    /// Signed bytes under a name that nothing else has.
    func integers(_ values: [Int8], shape: [Int], name: String) -> String {
        add(unused(name), .int8, shape, values)
    }

    /// Whole numbers of 32 bits under a name that nothing else has.
    func integers(_ values: [Int32], shape: [Int], name: String) -> String {
        add(unused(name), .int32, shape, values.map(\.littleEndian))
    }

    /// A tensor's numbers, as 32-bit floats, under a name that nothing else has.
    func weights(_ tensor: Tensor, name: String) -> String {
        add(unused(name), .float, tensor.shape, tensor.floats())
    }

    /// A constant whose name says its value, which is in the graph once.
    private func shared<Number>(
        _ name: String, _ type: Autodeeplab_Onnx_TensorProto.DataType, _ shape: [Int], _ littleEndian: [Number]
    ) -> String {
        names.insert(name).inserted ? add(name, type, shape, littleEndian) : name
    }

    private func add<Number>(
        _ name: String, _ type: Autodeeplab_Onnx_TensorProto.DataType, _ shape: [Int], _ littleEndian: [Number]
    ) -> String {
        graph.initializer.append(
            .with {
                $0.name = name
                $0.dataType = type
                $0.dims = shape.map(Int64.init)
                $0.rawData = littleEndian.withUnsafeBytes { Data($0) }
            })
        return name
    }

    /// Names something from outside; sizes that are nil stay open under these names.
    func input(_ name: String, _ type: Autodeeplab_Onnx_TensorProto.DataType, _ sizes: [Dimension]) {
        names.insert(name)
        graph.input.append(GraphBuilder.value(name, type, sizes))
    }

    /// Makes a node's output the graph's.
    func output(
        _ source: String, as name: String, _ type: Autodeeplab_Onnx_TensorProto.DataType, _ sizes: [Dimension]
    ) {
        let node = graph.node.lastIndex { $0.output == [source] }
        if let node { graph.node[node].output = [name] }
        graph.output.append(GraphBuilder.value(name, type, sizes))
    }

    /// One size of an input or output.
    enum Dimension {
        case fixed(Int)
        case named(String)
    }

    private func unused(_ name: String) -> String {
        var candidate = name
        var number = 2
        while !names.insert(candidate).inserted {
            candidate = "\(name).\(number)"
            number += 1
        }
        return candidate
    }

    private static func attribute(_ name: String, _ value: Attribute) -> Autodeeplab_Onnx_AttributeProto {
        .with {
            $0.name = name
            switch value {
            case .integer(let number):
                $0.type = .int
                $0.i = Int64(number)
            case .integers(let numbers):
                $0.type = .ints
                $0.ints = numbers.map(Int64.init)
            case .text(let text):
                $0.type = .string
                $0.s = Data(text.utf8)
            }
        }
    }

    private static func value(
        _ name: String, _ type: Autodeeplab_Onnx_TensorProto.DataType, _ sizes: [Dimension]
    ) -> Autodeeplab_Onnx_ValueInfoProto {
        .with {
            $0.name = name
            $0.type.tensorType.elemType = type
            $0.type.tensorType.shape.dim = sizes.map { size in
                .with {
                    switch size {
                    case .fixed(let number): $0.dimValue = Int64(number)
                    case .named(let name): $0.dimParam = name
                    }
                }
            }
        }
    }
}
