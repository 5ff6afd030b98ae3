import Configurations
import Foundation
import Networks
import Runs
import SearchSpace
import Torch

extension [Variable] {
    /// Those of an encoder, whatever network it is in.
    var ofEncoder: [Variable] { filter { $0.name.hasPrefix("encoder.") } }

    /// All others.
    var withoutEncoder: [Variable] { filter { !$0.name.hasPrefix("encoder.") } }
}

extension TrainConfiguration {
    /// An encoder with the configured decoder.
    public func network(_ encoder: EncoderKind, classes: Int, channels: Int = 3) -> EncodedConfiguration {
        var result = EncodedConfiguration(encoder, decoder, classes: classes)
        result.imageChannels = channels
        result.unetChannels = unetChannels
        result.lightChannels = lightChannels
        result.cellChannels = cellChannels
        result.cellRepeats = cellRepeats
        result.separable = separableDecoder
        result.asppChannels = asppChannels
        result.decoderChannels = decoderChannels
        result.lowLevelChannels = lowLevelChannels
        result.batchNormDecay = batchNormDecay
        result.dropoutKeep = dropoutKeep
        return result
    }

    /// The stride of the scores of what is trained.
    var scoreStride: Int { encoder.kind.map { network($0, classes: 1).layout.decoder.stride } ?? decoderStride }

    /// Refuses a genotype where an encoder is set.
    ///
    /// - Throws: `ConfigurationError` that says so.
    func refuseGenotype(_ genotype: Genotype?, beside encoder: EncoderKind) throws(ConfigurationError) {
        guard genotype == nil else {
            throw ConfigurationError(
                .contradiction,
                "train.encoder is \(encoder.rawValue), and a genotype is given: leave one of them out "
                    + "(train.encoder=none)")
        }
    }

    /// Puts the trained weights into an encoder, where they are wanted.
    ///
    /// - Returns: A line that says where they come from; nil where they are not wanted.
    /// - Throws: As `weights(of:)`.
    func load(into encoder: ImageEncoder) throws -> String? {
        guard let found = try weights(of: encoder.layout.kind) else { return nil }
        encoder.load(found.weights)
        return "\(encoder.layout.kind.rawValue) has the weights of \(found.path)"
    }

    /// The trained weights of an encoder, from the file that is set or one of those that `make encoders` writes.
    ///
    /// - Returns: The weights and their file; nil where `train.encoderWeights` is `none`.
    /// - Throws: `RunError` where there is no file, `SafetensorsError` where it is not the encoder's.
    func weights(of encoder: EncoderKind) throws -> (weights: EncoderWeights, path: String)? {
        try weightsPath(of: encoder).map { (try EncoderWeights(encoder, path: $0), $0) }
    }

    /// Refuses an encoder whose trained weights are nowhere, before anything is written.
    ///
    /// - Throws: As `weights(of:)`.
    package func refuseMissingWeights(of encoder: EncoderKind?) throws {
        _ = try encoder.flatMap { try weights(of: $0) }
    }

    private func weightsPath(of encoder: EncoderKind) throws(RunError) -> String? {
        if encoderWeights == "none" { return nil }
        guard encoderWeights.isEmpty else { return encoderWeights }
        let folders = Self.encoderFolders(ProcessInfo.processInfo.environment)
        guard let path = Self.weightsFile(of: encoder) else {
            let how =
                encoder.family == .efficientNetLite
                ? "run `make encoders`" : "put a file of timm's or torchvision's weights there"
            throw RunError(
                .missing, path: "\(folders[0])/\(encoder.rawValue).safetensors",
                "no weights of \(encoder.rawValue) here, nor in \(folders.dropFirst().joined(separator: ", ")): \(how), "
                    + "name a file by train.encoderWeights, or train from scratch by train.encoderWeights=none")
        }
        return path
    }

    /// The file with the trained weights of an encoder in the usual folders; nil where there is none.
    package static func weightsFile(of encoder: EncoderKind) -> String? {
        encoderFolders(ProcessInfo.processInfo.environment).map { "\($0)/\(encoder.rawValue).safetensors" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    /// Where files of weights are looked for, the first first.
    private static func encoderFolders(_ environment: [String: String]) -> [String] {
        let own = environment["AUTODEEPLAB_ENCODERS"].flatMap { $0.isEmpty ? nil : $0 }
        let home = environment["HOME"].map { $0 + "/.cache/autodeeplab/encoders" }
        // Where `make encoders` puts them, for a program that lies in the folder where it was built.
        var built: [String] = []
        var folder = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
        while let place = folder, place.pathComponents.count > 1 {
            if place.lastPathComponent == ".build" {
                built = [place.deletingLastPathComponent().appendingPathComponent(".encoders").path]
                break
            }
            folder = place.deletingLastPathComponent()
        }
        return [own, ".encoders", home].compactMap { $0 } + built
    }
}
