import Configurations
import Datasets
import Foundation
import Images
import TestSupport
import Testing

@Suite("A data set's own settings")
struct DataFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func resolve(
        _ text: String, preset: String? = nil, file: String? = nil, overrides: [String] = []
    ) throws -> Configuration {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("data.yaml")))
        return try Configuration.resolve(preset: preset, file: file, overrides: overrides, dataFolder: folder.path)
    }

    private func failure(_ text: String) -> String? {
        do {
            _ = try resolve(text)
            return nil
        } catch { return "\(error)" }
    }

    @Test("Classes, form, labels and splits are taken, and written with the other settings")
    func values() throws {
        let configuration = try resolve(
            """
            classes: [road, "traffic light"]
            masks: indices
            labels: {ignore: [7], map: {9: 1}}
            splits:
              val: valid
            """)
        #expect(configuration.data.classes.names == ["road", "traffic light"])
        #expect(configuration.data.masks == .indices && configuration.data.labels.ignore == [7])
        #expect(configuration.data.labels.map == [9: 1] && configuration.data.splits.val == "valid")
        #expect(configuration.data.root == folder.path)
        #expect(try Configuration.parse(yaml: configuration.yaml(), source: "x") == configuration)
    }

    @Test("Names with colours")
    func colors() throws {
        let text = "classes:\n  road: \"#804080\"\n  sky: [70, 130, 180]\n  tree: 1 2 3\n"
        let data = try resolve(text).data
        #expect(data.classes.names == ["road", "sky", "tree"])
        #expect(data.classes.colors == ["#804080", "#4682b4", "#010203"])
        let table = try data.dataset(layoutFor: folder).classes
        #expect(table.palette == [Color(128, 64, 128), Color(70, 130, 180), Color(1, 2, 3)])
        #expect(table.legend[Color(70, 130, 180)] == 1)
    }

    @Test("A preset gives way, a file and --set do not")
    func precedence() throws {
        let text = "classes: [a, b]\nmasks: binary\nformat: list\n"
        let over = try resolve(text, preset: "coco")
        #expect(over.data.classes.names == ["a", "b"] && over.data.classes.known == .none)
        #expect(over.data.format == .list && over.data.masks == .binary)
        let file = folder.file("own.yaml")
        try Data("data: {masks: colors}\n".utf8).write(to: URL(fileURLWithPath: file))
        let under = try resolve(text, file: file, overrides: ["data.classes.known=voc"])
        #expect(under.data.masks == .colors && under.data.format == .list)
        #expect(under.data.classes.known == .voc && under.data.classes.names.isEmpty)
        // The folder may also be the configuration's own.
        #expect(
            try Configuration.resolve(
                preset: nil, file: nil, overrides: ["data.root=\(folder.path)"], dataFolder: nil
            ).data.format == .list)
    }

    @Test(
        "Faults name the file, the line and the nearest key",
        arguments: [
            ("masks: indices\nclases: [a]\n", "data.yaml:2: unknown key 'clases'; did you mean 'classes'?"),
            ("lables: {ignore: [1]}\n", "data.yaml:1: unknown key 'lables'; did you mean 'labels'?"),
            ("masks: colours\n", "data.yaml:1: data.masks: 'colours'"),
            ("names: [a]\nnc: 1\ntrain: images/train\n", "data.yaml: this is YOLO's file (it has names, nc, train)"),
            ("path: x\ntrain: y\nnames: {0: a}\n", "this is YOLO's file"),
            ("root: /elsewhere\n", "data.yaml:1: 'root' is not for the data's own file to say"),
            ("allowOutsideRoot: true\n", "'allowOutsideRoot' is not for the data's own file to say"),
            ("workers: 4\n", "'workers' is not for the data's own file to say"),
            ("classes: {file: ../x.txt}\n", "data.yaml:1: classes.file: '../x.txt' lies outside"),
            ("classes:\n  road: #804080\n  sky: [1, 2, 3]\n", "data.yaml:2: classes: 'road' needs a colour"),
            ("classes: [a, a]\n", "a name is empty or stands there twice"),
            ("- a\n- b\n", "data.yaml:1: the file: ['a', 'b'] where a mapping of keys belongs"),
            ("search: {layers: 4}\n", "data.yaml:1: unknown key 'search'"),
        ])
    func faults(text: String, message: String) {
        let found = failure(text)
        #expect(found?.contains(message) == true, "\(found ?? "no error")")
    }
}

extension DataConfiguration {
    /// The data set of a folder in which an image makes sure of the layout.
    fileprivate func dataset(layoutFor folder: TemporaryFolder) throws -> Dataset {
        try FileManager.default.createDirectory(atPath: folder.file("images"), withIntermediateDirectories: true)
        return try dataset()
    }
}
