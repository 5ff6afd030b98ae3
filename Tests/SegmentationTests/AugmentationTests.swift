import Images
import Segmentation
import TestSupport
import Testing

@Suite struct AugmentationTests {
    private func render(
        _ augmentation: Augmentation, _ choice: Augmentation.Choice, _ image: Image, _ mask: Mask
    ) -> (pixels: [Float], labels: [UInt8]) {
        let area = augmentation.cropHeight * augmentation.cropWidth
        var pixels = [Float](repeating: .nan, count: area * 3)
        var labels = [UInt8](repeating: 77, count: area)
        pixels.withUnsafeMutableBufferPointer { pixels in
            labels.withUnsafeMutableBufferPointer { labels in
                if let pixels = pixels.baseAddress, let labels = labels.baseAddress {
                    augmentation.render(choice, image: image, mask: mask, pixels: pixels, labels: labels)
                }
            }
        }
        return (pixels, labels)
    }

    /// What the crop must be, pixel by pixel, from the whole image resized in double precision.
    private func literal(
        _ augmentation: Augmentation, _ choice: Augmentation.Choice, _ image: Image, _ mask: Mask
    ) -> (pixels: [Double], labels: [UInt8]) {
        func channels(_ x: Int, _ y: Int) -> [Double] {
            let color = image[min(max(x, 0), image.width - 1), min(max(y, 0), image.height - 1)]
            return [Double(color.red), Double(color.green), Double(color.blue)]
        }
        var pixels: [Double] = []
        var labels: [UInt8] = []
        for row in 0..<augmentation.cropHeight {
            for column in 0..<augmentation.cropWidth {
                let y = choice.top + row
                let x = choice.left + (choice.flipped ? augmentation.cropWidth - 1 - column : column)
                guard (0..<choice.height).contains(y), (0..<choice.width).contains(x) else {
                    pixels += [0, 0, 0]
                    labels.append(255)
                    continue
                }
                let sourceX = (Double(x) + 0.5) * Double(image.width) / Double(choice.width) - 0.5
                let sourceY = (Double(y) + 0.5) * Double(image.height) / Double(choice.height) - 0.5
                let (left, top) = (sourceX.rounded(.down), sourceY.rounded(.down))
                let (shareX, shareY) = (sourceX - left, sourceY - top)
                for channel in 0..<3 {
                    let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map {
                        channels(Int(left) + $0.0, Int(top) + $0.1)[channel]
                    }
                    let upper = corners[0] * (1 - shareX) + corners[1] * shareX
                    let lower = corners[2] * (1 - shareX) + corners[3] * shareX
                    pixels.append((upper * (1 - shareY) + lower * shareY) * 2 / 255 - 1)
                }
                labels.append(
                    mask[
                        min(Int((sourceX + 0.5).rounded(.down)), mask.width - 1),
                        min(Int((sourceY + 0.5).rounded(.down)), mask.height - 1)])
            }
        }
        return (pixels, labels)
    }

    @Test func cropsEqualTheLiteralDefinition() {
        var random = RandomStream(seed: 21)
        for round in 0..<150 {
            let (width, height) = (1 + random.below(40), 1 + random.below(40))
            var image = Image(width: width, height: height)
            for index in image.pixels.indices { image.pixels[index] = UInt8(random.below(256)) }
            let mask = Mask(
                width: width, height: height, labels: (0..<width * height).map { _ in UInt8(random.below(9)) })
            let augmentation = Augmentation(
                cropHeight: 1 + random.below(40), cropWidth: 1 + random.below(40),
                scales: Augmentation.scales(from: 0.5, to: 2, step: 0.25))
            let choice = augmentation.choose(height: height, width: width, random: &random)
            let (pixels, labels) = render(augmentation, choice, image, mask)
            let expected = literal(augmentation, choice, image, mask)
            #expect(labels == expected.labels, "round \(round)")
            let worst = zip(pixels, expected.pixels).map { abs(Double($0) - $1) }.max() ?? 1
            #expect(worst < 2e-5, "round \(round)")
        }
    }

    /// A mask that is the image's red channel moves as the image does: exactly so without scaling.
    @Test func imageAndMaskMoveAlike() {
        var random = RandomStream(seed: 22)
        let image = ramp(width: 50, height: 40)
        let mask = Mask(
            width: 50, height: 40, labels: image.pixels.indices.filter { $0 % 3 == 0 }.map { image.pixels[$0] })
        for crop in [(20, 30), (60, 70), (40, 50)] {
            let augmentation = Augmentation(cropHeight: crop.0, cropWidth: crop.1)
            for _ in 0..<20 {
                let choice = augmentation.choose(height: 40, width: 50, random: &random)
                let (pixels, labels) = render(augmentation, choice, image, mask)
                for (index, label) in labels.enumerated() {
                    let red = pixels[index * 3]
                    #expect(label == 255 ? red == 0 : abs((red + 1) * 127.5 - Float(label)) < 1e-3)
                }
                let shown = labels.filter { $0 != 255 }.count
                #expect(shown == min(crop.0, 40) * min(crop.1, 50))
            }
        }
    }

    @Test func choicesCoverEverything() {
        let augmentation = Augmentation(cropHeight: 8, cropWidth: 8, scales: [0.5, 1, 2])
        var random = RandomStream(seed: 23)
        let choices = (0..<2_000).map { _ in augmentation.choose(height: 10, width: 12, random: &random) }
        #expect(Set(choices.map(\.height)) == [5, 10, 20])
        #expect(Set(choices.filter { $0.height == 10 }.map(\.top)) == Set(0...2))
        #expect(Set(choices.filter { $0.height == 10 }.map(\.left)) == Set(0...4))
        #expect(Set(choices.filter { $0.height == 5 }.map(\.top)) == Set(-3...0))
        let flips = choices.filter(\.flipped).count
        #expect((900...1_100).contains(flips))
        let still = Augmentation(cropHeight: 8, cropWidth: 8, flip: false)
        #expect(!(0..<50).contains { _ in still.choose(height: 9, width: 9, random: &random).flipped })
    }

    /// Turned by right angles about the centre, each pixel goes to a place that is known.
    @Test(arguments: [(90.0, 1), (-90, 3), (180, 2)]) func rightAngles(degrees: Double, quarters: Int) {
        let (image, mask) = (ramp(width: 12, height: 12), rampMask(width: 12, height: 12))
        let augmentation = Augmentation(cropHeight: 12, cropWidth: 12, flip: false)
        var random = RandomStream(seed: 24)
        var choice = augmentation.choose(for: mask, random: &random)
        choice.rotation = degrees
        let (pixels, labels) = render(augmentation, choice, image, mask)
        for y in 0..<12 {
            for x in 0..<12 {
                var (fromX, fromY) = (x, y)
                for _ in 0..<quarters { (fromX, fromY) = (11 - fromY, fromX) }
                #expect(labels[y * 12 + x] == mask[fromX, fromY])
                let expected = Float(image[fromX, fromY].red) * 2 / 255 - 1
                #expect(abs(pixels[(y * 12 + x) * 3] - expected) < 1e-4)
            }
        }
    }

    /// A mask that is the image's red channel in steps of 16 moves as the image does, turned, scaled and mirrored.
    @Test func imageAndMaskTurnAlike() {
        var random = RandomStream(seed: 25)
        var image = Image(width: 64, height: 64)
        var mask = Mask(width: 64, height: 64, label: 0)
        for y in 0..<64 {
            for x in 0..<64 {
                image[x, y] = Color(UInt8(x * 4), UInt8(y * 4), 0)
                mask[x, y] = UInt8(x * 4 / 16)
            }
        }
        var augmentation = Augmentation(cropHeight: 40, cropWidth: 50, scales: [0.75, 1, 1.5])
        augmentation.rotation = 45
        var shown = 0
        for _ in 0..<30 {
            let choice = augmentation.choose(for: mask, random: &random)
            let (pixels, labels) = render(augmentation, choice, image, mask)
            for (index, label) in labels.enumerated() {
                guard label != 255 else {
                    #expect(pixels[index * 3] == 0 && pixels[index * 3 + 1] == 0)
                    continue
                }
                shown += 1
                // Within half a pixel of the source, which is 2 levels, of the step's 16 levels.
                let red = (pixels[index * 3] + 1) * 127.5
                #expect(red >= Float(label) * 16 - 2.5 && red <= Float(label) * 16 + 14.5)
            }
        }
        #expect(shown > 20_000)
    }

    @Test func cropsOfOneClassAreDrawnAgain() {
        // The left three quarters are class 0, the rest classes 1 to 4.
        var mask = Mask(width: 80, height: 20, label: 0)
        for y in 0..<20 { for x in 60..<80 { mask[x, y] = UInt8(1 + x % 4) } }
        var augmentation = Augmentation(cropHeight: 16, cropWidth: 16)
        func pure(_ augmentation: Augmentation) -> Int {
            var random = RandomStream(seed: 26)
            return (0..<300).filter { _ in
                let choice = augmentation.choose(for: mask, random: &random)
                return choice.left + 16 <= 60
            }.count
        }
        #expect(pure(augmentation) > 150)
        augmentation.maximumClassShare = 0.75
        // Of ten draws all fail in one case of twenty.
        #expect(pure(augmentation) < 30)
    }

    @Test func coloursChangeAsAskedAndPaddingStays() {
        let image = Image(width: 8, height: 8, color: Color(200, 100, 50))
        let mask = Mask(width: 8, height: 8, label: 3)
        func colors(_ change: (inout ColorJitter) -> Void, seed: UInt64 = 27) -> [[Float]] {
            var augmentation = Augmentation(cropHeight: 12, cropWidth: 8, flip: false)
            change(&augmentation.color)
            var random = RandomStream(seed: seed)
            let choice = augmentation.choose(for: mask, random: &random)
            let (pixels, labels) = render(augmentation, choice, image, mask)
            for (index, label) in labels.enumerated() where label == 255 { #expect(pixels[index * 3 + 1] == 0) }
            let first = (labels.firstIndex(of: 3) ?? 0) * 3
            return [Array(pixels[first..<first + 3]).map { ($0 + 1) * 127.5 }]
        }
        let plain = colors { _ in }[0]
        #expect(zip(plain, [200, 100, 50]).allSatisfy { abs($0 - $1) < 1e-3 })
        for seed in UInt64(1)...20 {
            let bright = colors({ $0.brightness = 0.2 }, seed: seed)[0]
            let ratio = bright[0] / 200
            #expect((0.79...1.21).contains(ratio) && abs(bright[2] - 50 * ratio) < 0.01)
            let contrast = colors({ $0.contrast = 0.2 }, seed: seed)[0]
            #expect(abs((contrast[0] - 127.5) / 72.5 - (contrast[2] - 127.5) / -77.5) < 1e-4)
            // Saturation leaves the grey, hue the sum.
            let grey = colors({ $0.saturation = 0.5 }, seed: seed)[0]
            #expect(abs(0.299 * grey[0] + 0.587 * grey[1] + 0.114 * grey[2] - 124.2) < 0.01)
            let turned = colors({ $0.hue = 0.05 }, seed: seed)[0]
            #expect(abs(turned.reduce(0, +) - 350) < 0.05 && abs(turned[0] - 200) > 1e-3)
        }
        #expect(colors({ $0.brightness = 0.2 }, seed: 1) != colors({ $0.brightness = 0.2 }, seed: 2))
    }

    @Test func blurKeepsTheMeanAndSpreadsAPoint() {
        var image = Image(width: 33, height: 33)
        for y in 15...17 { for x in 15...17 { image[x, y] = Color(255, 255, 255) } }
        let mask = Mask(width: 33, height: 33, label: 0)
        var augmentation = Augmentation(cropHeight: 33, cropWidth: 33, flip: false)
        augmentation.blur = 2
        var random = RandomStream(seed: 28)
        var blurred = 0
        for _ in 0..<40 {
            let choice = augmentation.choose(for: mask, random: &random)
            let (pixels, _) = render(augmentation, choice, image, mask)
            let light = pixels.map { ($0 + 1) / 2 }
            #expect(abs(light.reduce(0, +) - 27) < 0.01)
            let middle = light[(16 * 33 + 16) * 3]
            if choice.blur > 1 {
                blurred += 1
                #expect(middle < 0.99 && light[(16 * 33 + 13) * 3] > 0.0001)
                #expect(abs(light[(16 * 33 + 13) * 3] - light[(16 * 33 + 19) * 3]) < 1e-5)
            } else if choice.blur == 0 {
                #expect(abs(middle - 1) < 1e-6)
            }
        }
        #expect((5...35).contains(blurred))
    }

    @Test func scaleLists() {
        #expect(Augmentation.scales(from: 0.5, to: 2, step: 0.25) == [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2])
        #expect(Augmentation.scales(from: 0.5, to: 0.75, step: 0.1).count == 3)
        #expect(Augmentation.scales(from: 1, to: 1, step: 0) == [1])
    }

    @Test func settingsAreChecked() {
        #expect(failure { try Augmentation(cropHeight: 0, cropWidth: 5).validate() }?.contains("crop is 0x5") == true)
        #expect(failure { try Augmentation(cropHeight: 5, cropWidth: 5, scales: []).validate() } != nil)
        #expect(failure { try Augmentation(cropHeight: 5, cropWidth: 5, scales: [-1]).validate() } != nil)
        #expect(failure { try Augmentation(cropHeight: 5, cropWidth: 5).validate() } == nil)
    }

    /// SplitMix64's published values for the seed 1234567.
    @Test func generatorIsSplitMix64() {
        var stream = RandomStream(resuming: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected == (0..<5).map { _ in stream.next() })
    }

    @Test func generatorIsFair() {
        var stream = RandomStream(seed: 9)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[stream.below(7)] += 1 }
        #expect(counts.allSatisfy { (9_500...10_500).contains($0) })
        let mean = (0..<10_000).reduce(0) { sum, _ in sum + stream.uniform() } / 10_000
        #expect(abs(mean - 0.5) < 0.02)
        // The first values of neighbouring keys have nothing to do with each other.
        let firsts = (0..<4_000).map { RandomStream(seed: 9, 0, $0) }.map { key -> Double in
            var key = key
            return key.uniform()
        }
        #expect(abs(firsts.reduce(0, +) / 4_000 - 0.5) < 0.03)
        #expect(Set((0..<50).map { RandomStream(seed: 1, $0).state }).count == 50)
    }
}
