import Foundation
import TestSupport
import Testing

/// Searches of decoders in the built program.
@Suite(.serialized)
struct DecoderSearchCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--count", "20", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
    }

    private func search(_ output: String, _ settings: String...) -> [String] {
        let all =
            [
                "train.encoderWeights=none", "search.candidates=3", "search.reduction=3", "train.epochs=3",
                "train.stepsPerEpoch=3", "search.decoder.epochs=1", "search.decoder.images=8",
                "search.decoder.channels=4",
            ] + settings
        return [
            "search", "--preset", "instant", "--encoder", "mobilenet-v2", "--data", folder.file("scenes"), "--output",
            folder.file(output), "-q", "--threads", "1",
        ] + all.flatMap { ["--set", $0] }
    }

    private func done(_ arguments: [String]) throws -> String {
        let result = try Command.run(arguments)
        try #require(result.status == 0, "\(arguments): \(result.errors)")
        return result.output
    }

    @Test("Two processes find what one finds; the decoder is trained, drawn, counted, and its model used")
    func road() throws {
        let one = try done(search("one", "search.method=random"))
        let lines = one.split(separator: "\n").map(String.init)
        #expect(lines.count == 5 && lines[0].contains("decoder") && lines[0].contains("reward"), "\(one)")
        let name = try #require(lines.last?.split(separator: " ").last.map(String.init))
        #expect(lines.last?.hasPrefix(folder.file("one/genotype.json") + ": decoder nekrasov:") == true, "\(one)")
        let first = try StartedCommand(search("two", "search.method=random"), errorFile: folder.file("two.err"))
        first.waitForFile(folder.file("two/config.yaml"))
        let second = try done(search("two", "search.method=random") + ["--resume"])
        let (status, errors) = try first.end()
        #expect(
            status == 0 && second.split(separator: "\n").dropLast() == one.split(separator: "\n").dropLast(),
            "\(errors)")
        for file in ["genotype.json", "model.safetensors", "candidates.json"] {
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: folder.file("one/\(file)")))
                    == Data(contentsOf: URL(fileURLWithPath: folder.file("two/\(file)"))), "\(file)")
        }
        let trained = folder.file("trained")
        _ = try done([
            "train", "--preset", "instant", "--encoder", "mobilenet-v2", "--decoder", folder.file("one"), "--data",
            folder.file("scenes"), "--output", trained, "-q", "--threads", "1", "--set", "train.encoderWeights=none",
            "--set", "train.cellChannels=6", "--set", "train.iterations=2",
        ])
        #expect(try done(["inspect", trained]).hasPrefix("mobilenet-v2 with the decoder \(name), channels 6\n"))
        #expect(
            try done(["inspect", folder.file("one")]).hasPrefix("mobilenet-v2 with the decoder \(name), channels 4\n"))
        let counted = try done([
            "inspect", "mobilenet-v2+\(folder.file("one/genotype.json"))", "--classes", "3",
        ])
        #expect(counted.contains("\nclasses from block"))
        for (number, argument) in [folder.file("one"), folder.file("one/genotype.json"), name].enumerated() {
            _ = try done(["draw", argument, "--output", folder.file("\(number).svg"), "--title", "t"])
        }
        let drawings = try (0..<3).map { try String(contentsOfFile: folder.file("\($0).svg"), encoding: .utf8) }
        #expect(Set(drawings).count == 1 && drawings[0].contains("block 3"))
        let image = folder.file("scenes/images/test/0000.png")
        _ = try done(["predict", folder.file("one"), image, "--output", folder.file("masks"), "-q"])
    }

    @Test("Random decoders are written, of a wanted cost, and are those that train and inspect take")
    func sample() throws {
        func rows(_ output: String, _ options: String...) throws -> [[String: Any]] {
            let text = try done(
                ["sample", "--encoder", "mobilenet-v2", "--output", folder.file(output), "--size", "257x257", "--json"]
                    + options)
            return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        }
        let all = try rows("all", "--count", "10")
        let names = all.compactMap { $0["decoder"] as? String }
        #expect(Set(names).count == 10 && names.allSatisfy { $0.hasPrefix("nekrasov:") })
        let near = try rows(
            "near", "--count", "4", "--of", folder.file("all/random-03.json"), "--multiply-adds", "0.9:1.1")
        let factors = near.compactMap { $0["relativeMultiplyAdds"] as? Double }
        #expect(factors.count == 4 && factors.allSatisfy { (0.9...1.1).contains($0) }, "\(factors)")
        let counted = try done([
            "inspect", "mobilenet-v2+\(folder.file("near/random-2.json"))", "--size", "257x257", "--json",
        ])
        let object = try #require(JSONSerialization.jsonObject(with: Data(counted.utf8)) as? [String: Any])
        #expect(object["decoder"] as? String == near[1]["decoder"] as? String)
        #expect(object["multiplyAdds"] as? Int == near[1]["multiplyAdds"] as? Int)
        for (options, words) in [
            (["--layers", "3"], "decoders have no --any-filters"),
            (["--of", "deeplabv3"], "did you mean 'deeplabv3+'?"),
            (["--of", folder.file("all/random-03.json"), "--multiply-adds", "90:91"], "only 0 of 1 decoders found"),
        ] {
            let wrong = try Command.run(
                ["sample", "--encoder", "mobilenet-v2", "--count", "1", "--output", folder.file("none")] + options)
            #expect(wrong.status != 0 && wrong.errors.contains(words), "\(wrong.errors)")
        }
    }

    @Test("--encoder searches by reinforcement where no other method is set, and is seen in the printed settings")
    func settings() throws {
        let printed = try done(search("none") + ["--print-config"])
        #expect(
            printed.contains("  method: reinforcement\n  space: decoders\n")
                && printed.contains("encoder: mobilenet-v2"))
        let race = try done(search("none", "search.method=race") + ["--print-config"])
        #expect(race.contains("  method: race\n  space: decoders\n"))
    }

    @Test("What is missing or does not go together is told of in one line, and nothing is left")
    func refused() throws {
        let base = [
            "search", "--preset", "instant", "--data", folder.file("scenes"), "--output", folder.file("none"), "-q",
        ]
        for (options, words) in [
            (["--set", "search.space=decoders"], "decoders are searched for an encoder: set train.encoder to one of"),
            (
                ["--set", "search.space=decoders", "--set", "train.encoder=mobilenet-v2"],
                "decoders are not found by search.method=paper"
            ),
            (
                ["--encoder", "mobilenet-v2", "--set", "search.method=race", "--set", "search.pool=[paper]"],
                "decoders have no supernet"
            ),
            (["--encoder", "mobilenet-v2"], "no weights of mobilenet-v2 here, nor in "),
            (["--encoder", "mobilenet-v2", "--trials", "2"], "takes neither --trials nor"),
            (["--encoder", "resnet"], "resnet"),
        ] {
            let result = try Command.run(base + options, in: folder.path)
            #expect(result.status != 0 && result.output.isEmpty && result.errors.contains(words), "\(result.errors)")
            #expect(options[1] == "resnet" || result.errors.filter(\.isNewline).count == 1, "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("none")))
        }
        // A decoder where a network is wanted, and the other way round.
        _ = try done(search("found", "search.method=random", "search.candidates=1", "train.epochs=1"))
        let wrong = try Command.run("train", "--genotype", folder.file("found"), "--output", folder.file("none"))
        #expect(wrong.status != 0 && wrong.errors.contains("decoder"), "\(wrong.errors)")
        let sample = try Command.run(
            "sample", "--count", "1", "--output", folder.file("none"), "--of", folder.file("found"))
        #expect(
            sample.status != 0 && sample.errors.contains("but a decoder's, which goes with an encoder"),
            "\(sample.errors)")
        let empty = try Command.run(
            "train", "--encoder", "mobilenet-v2", "--decoder", folder.file("scenes"), "--output", folder.file("none"))
        #expect(
            empty.status != 0 && empty.errors.contains("there is no genotype in this folder yet"), "\(empty.errors)")
    }
}
