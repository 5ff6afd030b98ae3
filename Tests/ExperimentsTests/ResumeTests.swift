import Configurations
import Experiments
import Foundation
import Runs
import Segmentation
import TestSupport
import Testing
import Torch

/// Runs that are stopped, damaged, changed and made longer; the uninterrupted run says what must come out.
@Suite("Going on", .serialized)
struct ResumeTests {
    @Test("Classes of other names are refused: what was learnt would be called something else")
    func otherClasses() throws {
        let instant = try InstantRun(.train)
        #expect(failure { try instant.run("a", watcher: Watcher(stopAfter: 2)) } != nil)
        let file = instant.data + "/classes.txt"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        var names = text.split(separator: "\n").map(String.init)
        names.swapAt(1, 2)
        try Data((names.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: file))
        let error = failure { try instant.run("a", resume: true) }
        #expect(error?.contains("the classes are not those of the run (`") == true, "\(error ?? "none")")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try instant.run("a", resume: true)
    }

    @Test("A stop at any step goes on to the same bytes and the same log", arguments: InstantRun.Stage.allCases)
    func everyStep(stage: InstantRun.Stage) throws {
        let instant = try InstantRun(stage)
        let settings = ["train.iterations=9", "train.validateEvery=1"]
        try instant.run("whole", settings)
        let wanted = try instant.bytes("whole")
        // A step within an epoch, and the last one of an epoch: of the first in the search, of all in the training.
        for step in stage == .search ? [5, 7] : [8, 9] {
            let watcher = Watcher(stopAfter: step)
            let line = failure { try instant.run("broken", settings, watcher: watcher) }
            #expect(
                line
                    == "stopped after step \(step); resume the run in \(instant.folder("broken"))")
            try instant.run("broken", settings, resume: true)
            #expect(try instant.bytes("broken") == wanted, "stopped after step \(step)")
            #expect(try instant.logged("broken") == instant.logged("whole"), "stopped after step \(step)")
            try FileManager.default.removeItem(atPath: instant.folder("broken"))
        }
    }

    @Test(
        "An image that is gone for a while, in whichever half, costs no batch of the others",
        arguments: InstantRun.Stage.allCases)
    func awayImage(stage: InstantRun.Stage) throws {
        let instant = try InstantRun(stage)
        let settings = ["train.iterations=9", "train.accumulate=2", "search.epochs=4"]
        try instant.run("whole", settings)
        for image in ["0000", "0001", "0002", "0003"] {
            let path = instant.data + "/images/train/\(image).png"
            // Batches are prepared ahead: what the first steps read has been read by then.
            let watcher = Watcher(onStep: { if $0 == 1 { rename(path, path + ".away") } })
            let line = failure { try instant.run(image, settings, watcher: watcher) }
            #expect(line?.contains("is saved: mend this and resume the run in ") == true, "\(image): \(line ?? "")")
            rename(path + ".away", path)
            try instant.run(image, settings, resume: true)
            #expect(try instant.bytes(image) == instant.bytes("whole"), "\(image)")
            #expect(try instant.logged(image) == instant.logged("whole"), "\(image)")
        }
    }

    @Test("Damaged checkpoints are reported, set aside, and the one before is used")
    func damaged() throws {
        let instant = try InstantRun(.search)
        let settings = ["checkpoint.every=1 steps", "checkpoint.keep=3"]
        try instant.run("whole", settings)
        let wanted = try instant.bytes("whole")
        #expect(failure { try instant.run("stopped", settings, watcher: Watcher(stopAfter: 4)) } != nil)
        var random = RandomStream(seed: 5)
        let size = try instant.bytes("stopped").count
        let damages: [(name: String, newest: Int, change: (inout Data) -> Void)] = [
            ("cut", 1, { $0 = $0.prefix(random.below(size)) }),
            ("bit", 1, { $0[random.below(size)] ^= 1 << UInt8(random.below(8)) }),
            ("empty", 2, { $0 = Data() }),
            ("zeros", 2, { $0.replaceSubrange(size / 2..<size, with: Data(count: size - size / 2)) }),
        ]
        for damage in damages {
            try instant.copy("stopped", to: damage.name)
            for file in ["last", "last-1"].prefix(damage.newest) {
                var bytes = try instant.bytes(damage.name, file)
                damage.change(&bytes)
                try bytes.write(to: URL(fileURLWithPath: instant.checkpoint(damage.name, file)))
            }
            let watcher = Watcher()
            try instant.run(damage.name, settings, resume: true, watcher: watcher)
            #expect(try instant.bytes(damage.name) == wanted, "\(damage.name)")
            #expect(try instant.logged(damage.name) == instant.logged("whole"), "\(damage.name)")
            #expect(watcher.warnings.count == damage.newest + 1, "\(watcher.warnings)")
            let newest = instant.checkpoint(damage.name)
            #expect(watcher.warnings.first?.hasPrefix(newest + ": ") == true)
            #expect(watcher.warnings.first?.hasSuffix("; set aside as \(newest).damaged") == true)
            let used = instant.checkpoint(damage.name, "last-\(damage.newest)")
            #expect(watcher.warnings.last == "going on from the checkpoint before, \(used)")
        }
    }

    @Test("Where no checkpoint is whole, nothing is run")
    func allDamaged() throws {
        let instant = try InstantRun(.search)
        #expect(failure { try instant.run("run", watcher: Watcher(stopAfter: 2)) } != nil)
        try Data("no checkpoint".utf8).write(to: URL(fileURLWithPath: instant.checkpoint("run")))
        let line = failure { try instant.run("run", resume: true) }
        #expect(line?.hasPrefix(instant.checkpoint("run") + ": ") == true)
        #expect(line?.hasSuffix("it is not whole: start anew in another folder, or put a copy back") == true)
    }

    @Test("What a killed process left half written is removed")
    func leftovers() throws {
        let instant = try InstantRun(.search)
        #expect(failure { try instant.run("run", watcher: Watcher(stopAfter: 2)) } != nil)
        let names = ["checkpoints/next.safetensors", "checkpoints/.autodeeplab-1x.tmp", ".autodeeplab-2.tmp"]
        for name in names { try Data("half".utf8).write(to: URL(fileURLWithPath: instant.folder("run") + "/" + name)) }
        _ = try RunFolder(at: instant.folder("run"), resume: true)
        for name in names { #expect(!FileManager.default.fileExists(atPath: instant.folder("run") + "/" + name)) }
        #expect(FileManager.default.fileExists(atPath: instant.checkpoint("run")))
    }

    @Test("A checkpoint that is asked for is written after the step", arguments: InstantRun.Stage.allCases)
    func onDemand(stage: InstantRun.Stage) throws {
        let instant = try InstantRun(stage)
        let path = instant.checkpoint("run")
        let seen = Seen()
        // Epochs have 5 and 10 steps: without being asked there is none after step 2.
        let watcher = Watcher(
            stopAfter: 4, saveAfter: 2,
            onStep: { step in if step == 3 { seen.set(FileManager.default.fileExists(atPath: path)) } })
        #expect(failure { try instant.run("run", watcher: watcher) } != nil)
        #expect(seen.value)
    }

    @Test("An image that is gone stops the run between two steps, which are kept", arguments: InstantRun.Stage.allCases)
    func missingImage(stage: InstantRun.Stage) throws {
        let instant = try InstantRun(stage)
        try instant.run("whole")
        let image = instant.data + "/images/train/0007.png"
        let hidden = instant.folder("hidden.png")
        let line = failure {
            try instant.run("run", watcher: Watcher(onStep: { if $0 == 2 { rename(image, hidden) } }))
        }
        #expect(line?.hasPrefix("\(image): cannot be opened") == true, "\(line ?? "went on")")
        #expect(line?.hasSuffix("mend this and resume the run in \(instant.folder("run"))") == true)
        #expect(FileManager.default.fileExists(atPath: instant.checkpoint("run")))
        rename(hidden, image)
        try instant.run("run", resume: true)
        #expect(try instant.bytes("run") == instant.bytes("whole"))
        #expect(try instant.logged("run") == instant.logged("whole"))
    }

    @Test("A finished run is made longer, and no run shorter than what is done", arguments: InstantRun.Stage.allCases)
    func longer(stage: InstantRun.Stage) throws {
        let instant = try InstantRun(stage)
        try instant.run("run")
        let watcher = Watcher()
        try instant.run("run", ["\(stage).epochs=3"], resume: true, watcher: watcher)
        #expect(try instant.logged("run").map { $0["epoch"] } == [0, 1, 2])
        let steps = stage == .search ? (10, 15) : (20, 30)
        #expect(watcher.noted.contains("going on with a change: \(stage).epochs was 2 and is 3"))
        #expect(watcher.noted.contains { $0.hasPrefix("\(steps.1) steps instead of \(steps.0): ") })
        let line = failure { try instant.run("run", ["\(stage).epochs=2"], resume: true) }
        #expect(
            line == "\(instant.folder("run")): the run has made \(steps.1) steps, and now is to have \(steps.0): "
                + "it can be made longer, or as short as what is done")
    }

    @Test("A run that was stopped is made shorter, and ends there", arguments: InstantRun.Stage.allCases)
    func shorter(stage: InstantRun.Stage) throws {
        let instant = try InstantRun(stage)
        #expect(failure { try instant.run("run", ["\(stage).epochs=3"], watcher: Watcher(stopAfter: 2)) } != nil)
        let watcher = Watcher()
        try instant.run("run", ["\(stage).epochs=2"], resume: true, watcher: watcher)
        #expect(try instant.logged("run").map { $0["epoch"] } == [0, 1])
        #expect(watcher.noted.contains { $0.contains(": by the shorter schedule the learning rate goes on at ") })
    }

    @Test("Other images and another network are refused")
    func otherData() throws {
        let instant = try InstantRun(.train)
        #expect(failure { try instant.run("run", watcher: Watcher(stopAfter: 2)) } != nil)
        let folder = try RunFolder(at: instant.folder("run"), resume: true)
        let other = failure {
            _ = try Training(
                loadGenotype("stacked-hourglass"), instant.configuration(), folder: folder, reporter: SilentReporter(),
                interruption: Interruption())
        }
        #expect(other?.hasPrefix("\(instant.folder("run")): the run trains another network than the one given") == true)
        for kind in ["images", "masks"] {
            try FileManager.default.removeItem(atPath: instant.data + "/\(kind)/train/0003.png")
        }
        let fewer = failure {
            _ = try Training(
                nil, instant.configuration(), folder: folder, reporter: SilentReporter(), interruption: Interruption())
        }
        #expect(
            fewer == "\(instant.folder("run")): the training images are not those of the run (20 images then, 19 now): "
                + "put them back, or start a new run")
    }

    @Test("Changes of the configuration: the harmless ones pass, the others are shown")
    func changes() throws {
        let saved = try Configuration.resolve(preset: "instant")
        var now = saved
        now.threads = 3
        now.device = .cpu
        now.data.workers = 4
        now.checkpoint.every = .steps(5)
        now.evaluate.flip = true
        now.train.batch = 7
        #expect(
            try now.changes(since: saved, stage: "search", run: "r") == [
                "data.workers was 1 and is 4", "checkpoint.every was epoch and is 5 steps", "threads was 0 and is 3",
                "device was auto and is cpu",
            ])
        now.search.crop.width = 65
        now.seed = 1
        let line = failure { _ = try now.changes(since: saved, stage: "search", run: "r") }
        #expect(
            line?.hasPrefix(
                "r: the run cannot go on so: search.crop was [33, 33] and is [33, 65]; seed was 0 and is 1: leave it as "
                    + "it was, or start a new run (may change: data.root, ") == true)
    }
}

/// A flag that crosses threads.
final class Seen: @unchecked Sendable {
    private let lock = NSLock()
    private var flag = false

    var value: Bool { lock.withLock { flag } }
    func set(_ value: Bool) { lock.withLock { flag = value } }
}
