import Datasets
import Foundation
import Images
import TestSupport
import Testing

@Suite struct ResultFormTests {
    private let mask = Mask(width: 3, height: 1, labels: [0, 1, 18])

    @Test func filesAreWhatTheServersTake() throws {
        let folder = try TemporaryFolder()
        let wanted: [(form: ResultForm, path: String, values: [UInt8])] = [
            (.cityscapes, "a.png", [7, 8, 33]), (.ade20k, "a.png", [1, 2, 19]),
            (.voc, "results/VOC2012/Segmentation/comp6_test_cls/a.png", [0, 1, 18]),
        ]
        for (form, path, values) in wanted {
            #expect(form.path(stem: "a") == path)
            let file = try folder.place("\(form.rawValue).png")
            try form.write(mask, to: file)
            #expect(try readMask(path: file).labels == values)
        }
    }

    @Test(.enabled(if: Python.has("PIL"), "there is no .venv with Pillow: run scripts/setup.sh --venv"))
    func pillowSeesGreyAndPalette() throws {
        let folder = try TemporaryFolder()
        for (form, mode) in [(ResultForm.cityscapes, "L"), (.ade20k, "L"), (.voc, "P")] {
            let file = try folder.place("mask.png")
            try form.write(mask, to: file)
            let seen = try Python.run("import sys; from PIL import Image; print(Image.open(sys.argv[1]).mode)", file)
            #expect(seen == mode + "\n")
        }
    }

    @Test func classes() {
        #expect(ResultForm.allCases.map(\.classes) == [19, 21, 150])
    }
}
