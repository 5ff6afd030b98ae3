/// Why a safetensors file was refused or could not be written, in one line.
public struct SafetensorsError: Error, CustomStringConvertible, Hashable, Sendable {
    /// The file, as the caller named it.
    public let file: String
    /// The tensor that the error is about, if it is about one.
    public let tensor: String?
    /// What is wrong.
    public let reason: String

    /// An error about a file, or about one tensor in it.
    public init(file: String, tensor: String? = nil, reason: String) {
        self.file = file
        self.tensor = tensor
        self.reason = reason
    }

    /// The file, the tensor and the reason.
    public var description: String {
        guard let tensor else { return "\(file): \(reason)" }
        return "\(file): tensor \(SafetensorsError.quoted(tensor)): \(reason)"
    }

    /// A text from a file as part of a message: on one line, and not endless.
    static func quoted(_ text: String) -> String {
        let shown = text.count > 80 ? text.prefix(80) + "..." : text[...]
        return String(shown).debugDescription
    }
}
