import Configurations
import Foundation
import Images
import SearchSpace
import Segmentation
import Torch

extension Reader {
    /// Files that are right, for libFuzzer to begin with.
    ///
    /// - Throws: An error of the writers.
    func seeds(_ folder: String) throws -> [Data] {
        func written(_ write: (String) throws -> Void) throws -> Data {
            let path = folder + "/seed"
            defer { try? FileManager.default.removeItem(atPath: path) }
            try write(path)
            return try Data(contentsOf: URL(fileURLWithPath: path))
        }
        let scene = DemoScenes(width: 24, height: 16).scene(.train, 0)
        switch self {
        case .image:
            return [try written { try writePNG(scene.image, to: $0) }, Reader.jpeg, Reader.cmyk] + Reader.others
        case .bands: return [try written { try writePNG(scene.image, to: $0) }] + Reader.banded + Reader.others
        case .mask:
            return [try written { try writePNG(scene.mask, palette: DemoScenes.classes.palette, to: $0) }]
                + Reader.others
        case .yaml: return try Configuration.presets.map { try Data(Configuration.text(ofPreset: $0).utf8) }
        case .genotype: return try KnownDesign.allCases.map { try $0.genotype().json() }
        case .decoder: return KnownDecoder.allCases.map { $0.genotype.json() }
        case .safetensors, .model, .checkpoint:
            let genotype = Genotype(
                path: [.s4, .s8],
                cell: Cell(blocks: [
                    Block(
                        first: Branch(input: .previous, op: .separable3x3), second: Branch(input: .previous2, op: .skip)
                    )
                ]))
            let names = "{\"names\": [\"a\"], \"palette\": [{\"red\": 1, \"green\": 2, \"blue\": 3}]}"
            let metadata = [
                "genotype": String(decoding: genotype.json(), as: UTF8.self),
                "configuration": "{\"filters\": 1, \"classes\": 1, \"stemChannels\": [1, 1, 1], \"asppChannels\": 1, "
                    + "\"decoderChannels\": 1, \"lowLevelChannels\": 1}",
                "classes": names, "resize": "1", "layers": "2", "blocks": "1",
            ]
            return try [
                written { try saveTensors(["a": .ones([2, 3]), "b": .zeros([0])], metadata: metadata, to: $0) },
                written {
                    let arrows = NetworkSpace(layers: 2).arrows.count
                    let network: [String: Tensor] = [
                        "network/architecture.alpha": .ones([2, 8]), "network/architecture.beta": .ones([arrows]),
                    ]
                    try saveTensors(network, metadata: metadata, to: $0)
                },
                written { try saveTensors(["a": .ones([40, 40])], metadata: metadata, to: $0) },
                written { try saveTensors(["a": .ones([2])], metadata: ["k": "v"], to: $0, carriesDigest: true) },
            ]
        case .classes:
            return ["sky 70 130 180\nroad #804080\n", "0 a\n1: b\n255 void\n", "# c\n\na,b\n"].map { Data($0.utf8) }
        case .coco:
            let head = """
                {"images": [{"id": 1, "file_name": "a.png", "width": 24, "height": 16}],
                 "categories": [{"id": 3, "name": "car"}, {"id": 1, "name": "person"}], "annotations": [
                """
            let shapes = [
                "[[1, 1, 20, 1, 20, 12.5, 1, 12]]", "{\"size\": [16, 24], \"counts\": [10, 300, 74]}",
                "{\"size\": [16, 24], \"counts\": \"0P<\"}",
            ]
            return shapes.map { shape in
                let annotation = """
                    {"id": 5, "image_id": 1, "category_id": 3, "iscrowd": 0, "area": 200, "bbox": [1, 1, 19, 11],
                     "segmentation": \(shape)}]}
                    """
                return Data((head + annotation).utf8)
            }
        case .log: return ShownRun.logs.map { Data($0.utf8) }
        case .status: return [Data(ShownRun.status.utf8)]
        case .metrics: return [Data(ShownRun.metrics.utf8)]
        case .compare: return [Data(ShownRun.comparison.utf8)]
        case .search, .training: return [try Reader.base(rawValue).seed]
        case .list: return ["a.png a/b.png\n", "/x/y/a.png\t/x/y/a/b.png\n# c\n"].map { Data($0.utf8) }
        }
    }

    /// Six 8x8 blocks of one colour each.
    private static let jpeg = decoded(
        """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK\
        CgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK\
        CgoKCgoKCgr/wAARCAAYABADAREAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAACAn/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QA\
        FwEAAwEAAAAAAAAAAAAAAAAABwkKCP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/ADGzGeYTAfpA061JjcCjBR4o\
        KgEfi4G6mBP2/9k=
        """)

    /// The same in Adobe's CMYK.
    private static let cmyk = decoded(
        """
        /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoK\
        CgYICwwLCgwJCgoK/8AAFAgAGAAQBEMRAE0RAFkRAEsRAP/EABcAAQEBAQAAAAAAAAAAAAAAAAoACQj/xAAUEAEAAAAAAAAAAAAA\
        AAAAAAAA/9oADgRDAE0AWQBLAAA/AN/B/wAf9v4AGf4kgAz/ABH+H+If9IANtgxvcbn+OX3/2Q==
        """)

    /// TIFF of 3x2 pixels and four bands: of 8 bits, of 16 bits apart from each other, and in pages.
    private static let banded = [
        decoded(
            """
            SUkqACAAAAAABw4VHCMqMTg/Rk1UW2JpcHd+hYyTmqELAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwAEAAAAqgAAAAMBAwABAAAA
            AQAAAAYBAwABAAAAAQAAABEBBAABAAAACAAAABUBAwABAAAABAAAABYBBAABAAAAAgAAABcBBAABAAAAGAAAABwBAwABAAAAAQAAAFIB
            AwADAAAAsgAAAAAAAAAIAAgACAAIAAAAAAAAAA==
            """),
        decoded(
            """
            SUkqADgAAAAABw4VHCMqMTg/Rk1UW2JpcHd+hYyTmqGor7a9xMvS2eDn7vX8AwoRGB8mLTQ7QkkLAAABBAABAAAAAwAAAAEBBAABAAAA
            AgAAAAIBAwAEAAAAwgAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAAEAAAAygAAABUBAwABAAAABAAAABYBBAABAAAAAgAAABcB
            BAAEAAAA2gAAABwBAwABAAAAAgAAAFIBAwADAAAA6gAAAAAAAAAQABAAEAAQAAgAAAAUAAAAIAAAACwAAAAMAAAADAAAAAwAAAAMAAAA
            AAAAAAAA
            """),
        decoded(
            """
            SUkqAA4AAAAABw4VHCMKAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwABAAAACAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEB
            BAABAAAACAAAABUBAwABAAAAAQAAABYBBAABAAAAAgAAABcBBAABAAAABgAAABwBAwABAAAAAQAAAJIAAAAABw4VHCMKAAABBAABAAAA
            AwAAAAEBBAABAAAAAgAAAAIBAwABAAAACAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAjAAAABUBAwABAAAAAQAAABYB
            BAABAAAAAgAAABcBBAABAAAABgAAABwBAwABAAAAAQAAABYBAAAABw4VHCMKAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwABAAAA
            CAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAEAEAABUBAwABAAAAAQAAABYBBAABAAAAAgAAABcBBAABAAAABgAAABwB
            AwABAAAAAQAAAJoBAAAABw4VHCMKAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwABAAAACAAAAAMBAwABAAAAAQAAAAYBAwABAAAA
            AQAAABEBBAABAAAAlAEAABUBAwABAAAAAQAAABYBBAABAAAAAgAAABcBBAABAAAABgAAABwBAwABAAAAAQAAAAAAAAA=
            """),
    ]

    /// TIFF (LZW), BMP, GIF and WebP (lossless) of 8x6 pixels, and a PGM of two.
    private static let others = [
        decoded(
            """
            SUkqACIAAACAAAAZGRLMiBQSDQOCweFwqEwiGQ+GxCBwEAAkAAAEDAAEAAAAIAAAAAQEDAAEAAAAGAAAAAgEDAAEAAAAIAAAAAwEDAAEA\
            AAAFAAAABgEDAAEAAAABAAAAEQEEAAEAAAAIAAAAFgEDAAEAAAAGAAAAFwEEAAEAAAAZAAAAHAEDAAEAAAABAAAAAAAAAA==
            """),
        decoded(
            """
            Qk16AAAAAAAAAEoAAAAoAAAACAAAAAYAAAABAAgAAAAAADAAAADEDgAAxA4AAAUAAAAFAAAAAgEAAAUEAwAIBwYACwoJAA4NDAAAAQIDBAAB\
            AgIDBAABAgMEBAABAgMEAAEBAgMEAAECAwMEAAECAwQAAAECAwQAAQI=
            """),
        decoded(
            """
            R0lGODdhCAAGAIIAAAABAgMEBQYHCAkKCwwNDgAAAAAAAAAAACwAAAAACAAGAAAIGQABBBAwgIBAggYHFjy4UGFChAwfNoQ4MCAAOw==
            """),
        decoded("UklGRjIAAABXRUJQVlA4TCYAAAAvB0ABACcwMiMzMvMfeHcHhWwkQfsBnMIqnML5ex1CRP8rMJvepw=="),
        Data("P5 2 1 255\nab".utf8),
    ]

    private static func decoded(_ text: String) -> Data { Data(base64Encoded: text) ?? Data() }
}
