import Foundation

/// A file of 32-bit floats `[planes, H, W]` that is written some rows at a time, so that they are never all in memory.
///
/// It appears whole or not at all; all rows must be written before ``commit()``.
public final class PlanesFile {
    /// What the file is.
    public enum Format: Sendable {
        /// NumPy's .npy.
        case npy
        /// A safetensors file with one tensor of that name, and free text by key.
        case safetensors(name: String, metadata: [String: String] = [:])
    }

    private let file: AtomicFile
    private let planes: Int
    private let height: Int
    private let width: Int
    private let start: Int

    /// Starts a file that shall replace or become the one at `path`.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - root: A folder above, below which nothing is reached by way of a link; nil for a path that a user named.
    ///   - format: What the file is.
    ///   - planes: Planes, as classes.
    ///   - height: Rows of a plane.
    ///   - width: Numbers in a row.
    /// - Throws: `FileError` where it cannot be written, ``SafetensorsError`` for sizes that a file cannot have.
    public init(
        path: String, below root: String? = nil, format: Format, planes: Int, height: Int, width: Int
    ) throws {
        (self.planes, self.height, self.width) = (planes, height, width)
        let file = try AtomicFile(path: path, below: root)
        self.file = file
        let shape = [planes, height, width]
        switch format {
        case .npy:
            let header = npyHeader(shape: shape)
            try file.write(header)
            start = header.count
        case .safetensors(let name, let metadata):
            let json = try SafetensorsWriter(
                tensors: [.init(name: name, dtype: .float32, shape: shape)], metadata: metadata, file: path
            ).header.json()
            try withUnsafeBytes(of: UInt64(json.count).littleEndian) { try file.write($0) }
            try file.write(Data(json))
            start = 8 + json.count
        }
    }

    /// Writes rows `[planes, rows, W]`, the first of which is `row`.
    public func write(_ rows: Tensor, from row: Int) throws {
        precondition(
            rows.rank == 3 && rows.size(0) == planes && rows.size(2) == width && row + rows.size(1) <= height,
            "rows \(rows.shape) from \(row) of [\(planes), \(height), \(width)]")
        let count = rows.size(1) * width
        let values = rows.contiguous().floats()
        try values.withUnsafeBufferPointer { values in
            for plane in 0..<planes {
                let part = UnsafeRawBufferPointer(
                    UnsafeBufferPointer(rebasing: values[plane * count..<(plane + 1) * count]))
                try file.write(part, at: start + ((plane * height + row) * width) * MemoryLayout<Float>.size)
            }
        }
    }

    /// Brings everything to the disk and gives the file its name.
    public func commit() throws { try file.commit() }
}
