import Foundation
import Segmentation
import TestSupport
import Testing

/// Every call on a file fails once, is interrupted, does half of its work, or is the program's last.
///
/// Calls of one name on one path (whatever the numbers in it) are one place, of which the first and the last are tried.
/// `make test` tries some of these, `make faults` as many as FAULTS says (of each verb and each fault; of the verbs in
/// FAULT_VERBS, divided by commas, where that is set).
@Suite("Calls on files that fail", .enabled(if: PreloadedLibrary.isPossible, "needs Linux"), .serialized)
struct FileCallTests {
    enum Fault: String, CaseIterable {
        case noSpace = "ENOSPC"
        case inputOutput = "EIO"
        case interrupted = "EINTR"
        case short = "SHORT"
        case killed = "KILL"
    }

    enum Verb: String, CaseIterable { case search, train, evaluate, predict, export, compare }

    /// How many calls are tried of each verb with each fault.
    private static let count = ProcessInfo.processInfo.environment["FAULTS"].flatMap { Int($0) } ?? 1

    private static let verbs =
        ProcessInfo.processInfo.environment["FAULT_VERBS"].map { $0.split(separator: ",") }
        .map { names in Verb.allCases.filter { names.contains($0.rawValue[...]) } } ?? Verb.allCases

    /// Scenes, a trained model, and what a verb makes of them without a fault.
    private struct Bench {
        let temporary: TemporaryFolder
        let library: String
        let verb: Verb
        /// Where the verb writes, made anew for each trial.
        let output: String
        private(set) var whole: [String: Data] = [:]

        init(_ verb: Verb) throws {
            temporary = try TemporaryFolder()
            library = try PreloadedLibrary.build("Faults/calls.c", in: temporary)
            self.verb = verb
            output = temporary.file("trial/run")
            let made = try Command.run("data", "demo", "--count", "12", "--output", temporary.file("scenes"))
            #expect(made.status == 0, "\(made.errors)")
            try Data(
                """
                {"version": 1, "layers": 2, "blocks": 1, "path": [4, 8],
                 "cell": [[["previous", "separable3x3"], ["previous2", "atrous3x3"]]]}
                """.utf8
            ).write(to: URL(fileURLWithPath: temporary.file("genotype.json")))
            if [.evaluate, .predict, .export].contains(verb) {
                let trained = try Command.run(
                    Bench.arguments(.train, in: temporary) + ["--output", temporary.file("model")])
                #expect(trained.status == 0, "\(trained.errors)")
            }
            try prepare()
            let result = try Command.run(arguments)
            #expect(result.status == 0, "\(result.errors)")
            whole = try contents()
        }

        private static func arguments(_ verb: Verb, in folder: TemporaryFolder) -> [String] {
            let settings = [
                "search.layers=2", "search.blocks=1", "search.epochs=2", "train.epochs=1", "data.workers=1",
            ].flatMap { ["--set", $0] }
            let common = ["--preset", "instant", "--data", folder.file("scenes"), "-q", "--threads", "1"] + settings
            return switch verb {
            case .search: ["search"] + common
            case .train: ["train", "--genotype", folder.file("genotype.json")] + common
            case .compare: ["compare", folder.file("genotype.json")] + common
            case .evaluate: ["evaluate", "-q", "--threads", "1"]
            case .predict: ["predict", "-q", "--threads", "1"]
            case .export: ["export", "-q"]
            }
        }

        private var arguments: [String] {
            let own = Bench.arguments(verb, in: temporary)
            return switch verb {
            case .search, .train: own + ["--output", output, "--resume"]
            case .compare: own + ["--output", output]
            case .evaluate: own + [output]
            case .predict: own + [temporary.file("model"), temporary.file("scenes/images/val"), "--output", output]
            case .export: own + [temporary.file("model"), "--output", output + "/model.onnx"]
            }
        }

        /// An empty place for the results, or a run to evaluate.
        func prepare() throws {
            let files = FileManager.default
            try? files.removeItem(atPath: temporary.file("trial"))
            try files.createDirectory(atPath: temporary.file("trial"), withIntermediateDirectories: true)
            if verb == .evaluate { try files.copyItem(atPath: temporary.file("model"), toPath: output) }
            if verb == .export { try files.createDirectory(atPath: output, withIntermediateDirectories: true) }
        }

        /// Runs it with a fault at a call: the exit status and the lines on standard error.
        func run(
            _ fault: Fault, at call: Int, calls: String = ""
        ) throws -> (status: Int32, isKilled: Bool, lines: [String]) {
            let run = try StartedCommand(
                arguments, errorFile: temporary.file("errors"),
                environment: [
                    "LD_PRELOAD": library, "FAULT": fault.rawValue, "FAULT_AT": "\(call)",
                    "FAULT_UNDER": temporary.path.components(separatedBy: "/").last ?? "",
                ].merging(calls.isEmpty ? [:] : ["FAULT_CALLS": calls]) { $1 })
            let (status, lines) = try run.end()
            return (status, run.process.terminationReason == .uncaughtSignal, lines)
        }

        /// The numbers of the first and the last call of each place that can have a fault, and how many calls there are.
        func places(_ fault: Fault) throws -> (places: [Int], calls: Int) {
            let file = temporary.file("calls")
            try? FileManager.default.removeItem(atPath: file)
            try prepare()
            _ = try run(fault, at: 0, calls: file)
            let calls = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            var ends: [String: (first: Int, last: Int)] = [:]
            for (index, call) in calls.enumerated() {
                ends[String(call).replacing(/\d+/, with: "0"), default: (index + 1, index + 1)].last = index + 1
            }
            return (Set(ends.values.flatMap { [$0.first, $0.last] }).sorted(), calls.count)
        }

        func runAgain() throws -> Command.Result { try Command.run(arguments) }

        /// All files of the results; of those that hold times, nothing but the name.
        func contents() throws -> [String: Data] {
            var result: [String: Data] = [:]
            let exact = ["genotype.json", ".safetensors", ".png", ".onnx", "confusion.csv"]
            for name in FileManager.default.enumerator(atPath: output)?.compactMap({ $0 as? String }) ?? [] {
                let url = URL(fileURLWithPath: output + "/" + name)
                guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
                // A run that is broken off saves once more: other steps are kept beside the last.
                if name.contains(/checkpoints\/last-\d+\.safetensors/) { continue }
                // Names of event files have the time of their making.
                let key = name.replacing(/tfevents\.\d+/, with: "tfevents")
                result[key] = exact.contains { name.hasSuffix($0) } ? try Data(contentsOf: url) : Data()
            }
            return result
        }
    }

    @Test(
        "The run ends with a line or as if nothing had happened, and the next one mends all", arguments: verbs)
    func faults(verb: Verb) throws {
        let bench = try Bench(verb)
        var random = RandomStream(seed: 73)
        for fault in Fault.allCases {
            var (places, calls) = try bench.places(fault)
            try #require(!places.isEmpty)
            let all = places.count
            if Self.count < all { places = (0..<Self.count).map { _ in places[random.below(all)] } }
            for place in places {
                try bench.prepare()
                try tryOne(bench, fault, at: place)
            }
            print("faults: \(verb.rawValue): \(fault.rawValue) at \(places.count) of \(all) places (\(calls) calls)")
        }
    }

    private func tryOne(_ bench: Bench, _ fault: Fault, at place: Int) throws {
        let name = "\(bench.verb.rawValue), \(fault.rawValue) at call \(place)"
        let file = bench.temporary.file("calls")
        try? FileManager.default.removeItem(atPath: file)
        let (status, isKilled, lines) = try bench.run(fault, at: place, calls: file)
        // Some calls depend on the time: a run may end before it comes to the place.
        let calls = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").count
        #expect(isKilled == (fault == .killed && calls >= place), "\(name): ended by signal \(status)")
        let left = try bench.contents()
        switch fault {
        case .interrupted, .short:
            #expect(status == 0 && lines.isEmpty, "\(name): \(status) \(lines)")
        case .noSpace, .inputOutput:
            #expect([0, 65, 66, 73].contains(status), "\(name): \(status) \(lines)")
            // Where one run of a comparison or one image of many fails, that is a warning, and the rest goes on.
            let isOneOfMany = [.compare, .predict].contains(bench.verb)
            let said = lines.filter { $0.hasPrefix(isOneOfMany ? "" : "error: ") }
            #expect(said.count == (status == 0 ? 0 : 1), "\(name): \(status) \(lines)")
            #expect(lines.allSatisfy { $0.hasPrefix("error: ") || $0.hasPrefix("warning: ") }, "\(name): \(lines)")
            // What could not be removed is removed by the next run.
            if fault == .noSpace {
                let unknown = left.keys.filter { bench.whole[$0] == nil }
                #expect(unknown.isEmpty, "\(name): \(unknown.sorted()) are left")
            }
        case .killed: break
        }
        if status == 0 && !isKilled { expectWhole(left, bench, name) }
        let again = try bench.runAgain()
        #expect(again.status == 0, "after \(name): \(again.errors)")
        expectWhole(try bench.contents(), bench, "after " + name)
    }

    private func expectWhole(_ contents: [String: Data], _ bench: Bench, _ name: String) {
        let names = Set(contents.keys).symmetricDifference(bench.whole.keys)
        #expect(names.isEmpty, "\(name): \(names.sorted()) are missing or too many")
        for (file, bytes) in bench.whole where contents[file] != nil {
            #expect(contents[file] == bytes, "\(name): \(file) is another")
        }
    }
}
