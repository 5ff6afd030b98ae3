import Foundation
import Images
import Torch

/// Class probabilities of one image from scores at several scales, with and without mirroring (paper 5.2), of the whole
/// image or by a sliding window.
package struct Predictor {
    /// Scores `[1, classes, h, w]` of images `[1, channels, H, W]`, of the images' size or smaller.
    ///
    /// Smaller ones are resized with aligned corners.
    package typealias Network = (Tensor) -> Tensor

    /// Factors of the image's size, whose probabilities are averaged.
    package var scales = [1.0]
    /// Averages with the mirrored image too.
    package var flip = false
    /// Side of the windows by which larger images are gone through; 0 takes all images whole.
    ///
    /// A window is treated as an image of its own: scaled, mirrored and averaged.
    package var window = 0
    /// Share of a window that the next one covers again.
    package var overlap = 0.25
    /// What becomes of images' bytes before the network sees them.
    package var normalization = ChannelNormalization.color
    /// Where it computes.
    package let device: Device

    package init(scales: [Double] = [1], flip: Bool = false, device: Device) {
        self.scales = scales
        self.flip = flip
        self.device = device
    }

    /// - Parameters:
    ///   - image: The image.
    ///   - network: The network.
    /// - Returns: Mean probabilities at the image's size; scores, whose largest is the same class, where the image is
    ///   seen whole, at one scale and not mirrored.
    package func map(of image: Image, network: @escaping Network) -> ClassMap {
        withoutGradients {
            isWhole(image.width, image.height)
                ? whole(image, network) : WindowedImage(image, self, network: network).map
        }
    }

    /// All rows of ``map(of:network:)`` at once, `[1, classes, H, W]`.
    package func callAsFunction(_ image: Image, network: @escaping Network) -> Tensor {
        map(of: image, network: network).rows(0..<image.height)
    }

    /// Whether an image of this size is seen whole.
    func isWhole(_ width: Int, _ height: Int) -> Bool { window == 0 || max(width, height) <= window }

    /// An image without windows.
    func whole(_ image: Image, _ network: Network) -> ClassMap {
        let whole = image.tensor(on: device, normalization)
        if scales == [1] && !flip { return aligned(whole, network) }
        var maps: [ClassMap] = []
        for scale in scales {
            let (height, width) = (scaledSide(image.height, by: scale), scaledSide(image.width, by: scale))
            let scaled = interpolateBilinear(whole, height: height, width: width, alignCorners: false)
            for mirrored in flip ? [false, true] : [false] {
                let scores = aligned(mirrored ? scaled.flip([3]) : scaled, network)
                maps.append(
                    (mirrored ? scores.mirrored : scores).probabilities
                        .resized(height: image.height, width: image.width, alignCorners: false))
            }
        }
        return .mean(of: maps)
    }

    /// Scores of an image that is padded, by the mean colour, to a size of 32 n + 1, as the paper's 1024 x 2048 images
    /// are to 1025 x 2049.
    ///
    /// At other sizes a strided convolution and resizing with aligned corners disagree about where a pixel lies, by up
    /// to a stride at the far border, which thin things do not survive.
    private func aligned(_ image: Tensor, _ network: Network) -> ClassMap {
        let (height, width) = (image.size(2), image.size(3))
        let (padded, paddedWidth) = (paddedSize(height), paddedSize(width))
        let isPadded = padded != height || paddedWidth != width
        let scores = network(isPadded ? image.pad([0, paddedWidth - width, 0, padded - height]) : image)
        return ClassMap(scores: scores).resized(height: padded, width: paddedWidth, alignCorners: true)
            .cropped(height: height, width: width)
    }
}

/// A side of an image that is seen at a scale.
func scaledSide(_ side: Int, by scale: Double) -> Int { max(1, Int(clamping: (Double(side) * scale).rounded())) }

/// The size that an image's side is padded to before a network sees it: the next 32 n + 1.
package func paddedSize(_ size: Int) -> Int { size + (32 - (size - 1) % 32) % 32 }

extension Image {
    /// `[1, channels, H, W]`, normalised, colours by 2x / 255 - 1; channels last in memory.
    package func tensor(on device: Device, _ normalization: ChannelNormalization = .color) -> Tensor {
        Tensor(normalized(by: normalization), shape: [1, height, width, channels]).to(device).permute([0, 3, 1, 2])
    }
}
