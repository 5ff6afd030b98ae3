import Configurations
import Foundation
import Runs
import SearchSpace
import TestSupport
import Testing
import Torch

@Suite("Inputs")
struct InputTests {
    @Test("A genotype by name, by file and by run folder")
    func genotypes() throws {
        let published = try KnownDesign.autoDeepLab.genotype()
        #expect(try loadGenotype("auto-deeplab") == published)
        let temporary = try TemporaryFolder()
        try published.json().write(to: URL(fileURLWithPath: temporary.file("genotype.json")))
        #expect(try loadGenotype(temporary.file("genotype.json")) == published)
        #expect(try loadGenotype(temporary.path) == published)
    }

    @Test("What is no genotype is refused in one line")
    func faults() throws {
        let unknown = #expect(throws: RunError.self) { try loadGenotype("autodeeplab") }
        #expect(
            unknown?.description == "autodeeplab: neither a file nor a known network; did you mean 'auto-deeplab'? "
                + "(known: auto-deeplab, deeplabv3, conv-deconv, stacked-hourglass, unet)")
        let temporary = try TemporaryFolder()
        let empty = #expect(throws: RunError.self) { try loadGenotype(temporary.path) }
        #expect(empty?.reason == .missing)
        try Data(count: Genotype.maximumBytes + 1).write(to: URL(fileURLWithPath: temporary.file("big")))
        let big = #expect(throws: FileError.self) { try loadGenotype(temporary.file("big")) }
        #expect(big?.kind == .damaged)
    }

    @Test("Configured classes and labels reach the data set")
    func dataset() throws {
        let missing = #expect(throws: ConfigurationError.self) { try DataConfiguration().dataset() }
        #expect(missing?.isUsage == true)
        let temporary = try TemporaryFolder()
        var data = DataConfiguration()
        data.root = temporary.path
        data.format = .folders
        data.classes.names = ["a", "b"]
        data.labels.ignore = [7]
        data.labels.map = [9: 1]
        let dataset = try data.dataset()
        #expect(dataset.classes.names == ["a", "b"])
        #expect(
            dataset.labels[7] == 255 && dataset.labels[9] == 1 && dataset.labels[1] == 1 && dataset.labels[2] == nil)
        data.classes = ClassConfiguration()
        data.classes.file = "names.txt"
        try Data("x\ny\nz\n".utf8).write(to: URL(fileURLWithPath: temporary.file("names.txt")))
        #expect(try data.dataset().classes.count == 3)
    }

    @Test("A crop of the configuration is the augmentation's")
    func augmentation() throws {
        let configuration = try Configuration.resolve(overrides: ["search.crop=[33, 65]", "train.scales=[1.5]"])
        #expect(configuration.search.augmentation.cropHeight == 33 && configuration.search.augmentation.cropWidth == 65)
        #expect(configuration.train.augmentation.scales == [1.5])
        #expect(try DeviceChoice.cpu.device() == .cpu)
    }
}
