import Foundation
import SwiftProtobuf

/// One thing that TensorBoard shows.
package enum EventValue: Sendable {
    /// A number.
    case scalar(Double)
    /// The distribution of numbers from 0 to 1.
    case shares([Double])
    /// A picture.
    case picture(png: Data)
    /// Markdown.
    case text(String)
    /// The settings of the run, by key.
    case settings([String: String])
}

/// TensorBoard's event file of a run, which grows by whole records.
///
/// A record is its length, the length's masked CRC-32C, an `Event` message, and the message's masked CRC-32C. Used by
/// one thread.
package final class EventFile {
    private let descriptor: Int32
    private let path: String

    /// Opens the event file of a folder behind its last event up to a step, or starts one.
    ///
    /// What was written after that step, and a record that was cut short, is taken off: it will be written again.
    ///
    /// - Parameters:
    ///   - folder: The run's folder.
    ///   - step: The step that the run goes on from; 0 for a new one.
    /// - Throws: ``EventFileError`` where the file cannot be written.
    package init(folder: String, after step: Int) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let name =
            names.sorted().first { $0.hasPrefix("events.out.tfevents.") }
            ?? "events.out.tfevents.\(Int(clamping: Date().timeIntervalSince1970)).autodeeplab"
        path = folder + "/" + name
        // It is to be the folder's own; without O_NONBLOCK a pipe would be waited for before it can be seen to be one.
        descriptor = openFile(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else { throw EventFileError(path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink <= 1 else {
            throw EventFileError(path, code: EINVAL)
        }
        // Taken as empty where it cannot be read, it would lose all that is in it.
        guard let kept = EventFile.length(of: descriptor, size: Int(status.st_size), upTo: step),
            truncateFile(descriptor, to: kept), lseek(descriptor, off_t(kept), SEEK_SET) >= 0
        else { throw EventFileError(path) }
        isNew = kept == 0
        if isNew { try write(.with { $0.fileVersion = "brain.Event:2" }, step: 0, time: Date()) }
    }

    deinit { close(descriptor) }

    /// Whether nothing was in the file.
    package let isNew: Bool

    /// Adds what was measured at a step.
    ///
    /// - Parameters:
    ///   - step: Steps done so far in the whole run.
    ///   - time: When it was measured.
    ///   - values: Names, in which `/` makes groups, with what they name.
    /// - Throws: ``EventFileError`` where it cannot be written.
    package func append(step: Int, time: Date = Date(), _ values: [(String, EventValue)]) throws {
        let summary = Autodeeplab_Tensorboard_Summary.with { $0.value = values.map { $1.summary(tag: $0) } }
        try write(.with { $0.summary = summary }, step: step, time: time)
    }

    private func write(_ event: Autodeeplab_Tensorboard_Event, step: Int, time: Date) throws {
        var event = event
        event.step = Int64(step)
        event.wallTime = time.timeIntervalSince1970
        let record = EventFile.record(try event.serializedData())
        guard record.withUnsafeBytes({ writeFile(descriptor, $0) }) else { throw EventFileError(path) }
    }

    private static func record(_ message: Data) -> Data {
        let length = littleEndian(UInt64(message.count))
        return length + littleEndian(CRC32C.masked(length)) + message + littleEndian(CRC32C.masked(message))
    }

    /// The bytes of the whole records at the beginning whose steps are not beyond one; nil where it cannot be read.
    private static func length(of file: Int32, size: Int, upTo step: Int) -> Int? {
        func bytes(_ count: Int, at offset: Int) -> Data? {
            var data = Data(count: count)
            let found = data.withUnsafeMutableBytes { readFile(file, into: $0, at: offset) }
            return found.map { data.prefix($0) }
        }
        var end = 0
        while size - end >= 16 {
            guard let head = bytes(8, at: end) else { return nil }
            let count = head.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard count <= UInt64(size - end - 16) else { break }
            guard let whole = bytes(16 + Int(count), at: end) else { return nil }
            let message = Data(whole.dropFirst(12).dropLast(4))
            guard whole.elementsEqual(record(message)),
                let event = try? Autodeeplab_Tensorboard_Event(serializedBytes: message), event.step <= step
            else { break }
            end += whole.count
        }
        return end
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> Data {
        withUnsafeBytes(of: value.littleEndian) { Data($0) }
    }
}

/// An event file that cannot be written.
public struct EventFileError: Error, CustomStringConvertible, Hashable, Sendable {
    /// The file, and the system's reason.
    public let description: String

    init(_ path: String, code: Int32 = errno) {
        description = "\(path): cannot be written: \(systemReason(code))"
    }
}

extension EventValue {
    fileprivate func summary(tag: String) -> Autodeeplab_Tensorboard_Summary.Value {
        .with { value in
            value.tag = tag
            switch self {
            case .scalar(let number): value.simpleValue = Float(number)
            case .shares(let numbers): value.histo = EventValue.histogram(of: numbers)
            case .picture(let png):
                // A PNG begins with its size, 4 bytes each.
                func side(_ start: Int) -> Int32 { png.dropFirst(start).prefix(4).reduce(0) { $0 << 8 | Int32($1) } }
                value.image = .with {
                    $0.width = side(16)
                    $0.height = side(20)
                    $0.colorspace = 3
                    $0.encodedImageString = png
                }
            case .text(let text):
                value.metadata.pluginData.pluginName = "text"
                value.tensor.dtype = 7
                value.tensor.stringVal = [Data(text.utf8)]
            case .settings(let settings):
                value.metadata.pluginData.pluginName = "hparams"
                value.metadata.pluginData.content = EventValue.content(of: settings)
            }
        }
    }

    /// Twenty buckets of equal width from 0 to 1.
    private static func histogram(of numbers: [Double]) -> Autodeeplab_Tensorboard_HistogramProto {
        var buckets = [Double](repeating: 0, count: 20)
        for number in numbers where number.isFinite { buckets[Int(clamping: min(max(number, 0), 0.999_999) * 20)] += 1 }
        return .with {
            $0.min = numbers.min() ?? 0
            $0.max = numbers.max() ?? 0
            $0.num = Double(numbers.count)
            $0.sum = numbers.reduce(0, +)
            $0.sumSquares = numbers.reduce(0) { $0 + $1 * $1 }
            $0.bucketLimit = (1...20).map { Double($0) / 20 }
            $0.bucket = buckets
        }
    }

    private static func content(of settings: [String: String]) -> Data {
        let message = Autodeeplab_Tensorboard_HParamsPluginData.with {
            $0.sessionStartInfo.startTimeSecs = Date().timeIntervalSince1970
            $0.sessionStartInfo.hparams = settings.mapValues { text in
                .with {
                    if let number = Double(text) {
                        $0.numberValue = number
                    } else if let truth = Bool(text) {
                        $0.boolValue = truth
                    } else {
                        $0.stringValue = text
                    }
                }
            }
        }
        // Serialising fails for messages of 2 GiB only.
        return (try? message.serializedData()) ?? Data()
    }
}
