import Foundation
import Images
import Segmentation
import TestSupport
import Testing

/// Files that Pillow has written, read as Pillow reads them.
@Suite(.enabled(if: Python.has("PIL", "numpy"), "there is no .venv with Pillow: run scripts/setup.sh --venv"))
struct PictureFormatTests {
    let folder: TemporaryFolder
    let images: [String]
    let masks: [String]
    let lossy: [String]

    /// Pillow writes NAME, its colours to NAME.rgb, and NAME.labels where it is a mask of its grey or palette values.
    init() throws {
        folder = try TemporaryFolder()
        let lists = try Python.run(
            """
            import sys
            import numpy as np
            from PIL import Image, ImageOps
            folder, random, size = sys.argv[1], np.random.default_rng(3), (23, 37)
            grey = random.integers(0, 256, size, dtype=np.uint8)
            few = np.maximum(grey % 7, 1)
            colors = random.integers(0, 256, size + (3,), dtype=np.uint8)
            smooth = np.stack([np.add.outer(np.arange(23) * 5, np.arange(37) * 3)] * 3, 2).astype(np.uint8)
            alpha = np.dstack([colors, grey])
            L, F, RGB, RGBA = [Image.fromarray(a) for a in (grey, few, colors, alpha)]
            S = Image.fromarray(smooth)
            P = Image.fromarray(grey % 7)
            P.putpalette(random.integers(0, 256, 768, dtype=np.uint8).tobytes())
            B = L.point(lambda v: 255 * (v > 99)).convert('1')
            images, masks, lossy = [], [], []
            def save(image, name, labels=None, **options):
                path = folder + '/' + name
                image.save(path, **options)
                shown = ImageOps.exif_transpose(Image.open(path)).convert('RGB')
                open(path + '.rgb', 'wb').write(shown.tobytes())
                images.append(name)
                if labels is not None:
                    open(path + '.labels', 'wb').write(labels.astype(np.uint8).tobytes())
                    masks.append(name)
            for c in [None, 'packbits', 'tiff_lzw', 'tiff_adobe_deflate', 'zstd', 'lzma']:
                save(L, f'L-{c}.tif', grey, compression=c)
                save(P, f'P-{c}.tiff', grey % 7, compression=c)
                save(RGB, f'RGB-{c}.TIF', compression=c)
                save(RGBA, f'RGBA-{c}.tif', compression=c)
                save(B, f'B-{c}.tif', grey > 99, compression=c)
            save(B, 'B-fax.tif', grey > 99, compression='group4')
            save(RGB.convert('CMYK'), 'CMYK.tif')
            save(S, 'jpeg.tif', compression='jpeg', quality=95)
            for turn in range(1, 9): save(RGB, f'turned-{turn}.tif', tiffinfo={274: turn})
            save(L, 'L.bmp', grey); save(P, 'P.bmp', grey % 7); save(RGB, 'RGB.bmp'); save(RGBA, 'RGBA.bmp')
            save(B, 'B.bmp', grey > 99)
            save(L, 'L.gif', grey); save(F, 'F.gif', few); save(P, 'P.gif', grey % 7); save(B, 'B.gif', 255 * (grey > 99))
            save(L, 'flat.gif', grey, interlace=0)
            save(RGB.quantize(200), 'RGB.gif')
            save(P, 'animated.gif', grey % 7, save_all=True, append_images=[L])
            save(L, 'L.webp', grey, lossless=True); save(RGB, 'RGB.webp', lossless=True)
            save(RGBA, 'RGBA.webp', lossless=True, exact=True); save(S, 'lossy.webp', quality=90)
            save(RGB, 'turned.webp', lossless=True, exif=b'Exif\\0\\0II*\\0\\10\\0\\0\\0\\1\\0\\22\\1\\3\\0\\1\\0\\0\\0\\6\\0\\0\\0\\0\\0\\0\\0')
            save(RGB, 'animated.webp', lossless=True, save_all=True, append_images=[RGB.rotate(180)])
            save(L, 'L.ppm', grey); save(RGB, 'RGB.PPM')
            print(' '.join(images)); print(' '.join(masks))
            """, folder.path
        ).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        images = lists[0]
        masks = lists[1]
        lossy = ["jpeg.tif", "lossy.webp"]
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name)))
    }

    @Test func imagesAsPillowReadsThem() throws {
        #expect(images.count > 50)
        for name in images {
            let image = try readImage(path: folder.path + "/" + name)
            let other = try bytes(name + ".rgb")
            try #require(image.pixels.count == other.count, "\(name)")
            // Versions of libjpeg and formulas for inks round differently.
            let allowed = name == "CMYK.tif" || name == "jpeg.tif" ? 2 : 0
            let worst = zip(image.pixels, other).map { abs(Int($0) - Int($1)) }.max() ?? 255
            #expect(worst <= allowed, "\(name): \(worst)")
            let size = try readImageSize(path: folder.path + "/" + name, limits: ReadLimits())
            #expect(size.width == image.width && size.height == image.height, "\(name)")
            #expect(PictureFormat.isPicture(name))
        }
    }

    @Test func masksKeepTheirValues() throws {
        #expect(masks.count > 20)
        for name in masks {
            let mask = try readMask(path: folder.path + "/" + name)
            #expect(try mask.labels == bytes(name + ".labels"), "\(name)")
            // As colours, a mask is what the image is.
            guard
                case .colors(let colors) = try readRawMask(
                    path: folder.path + "/" + name, limits: ReadLimits(), asColors: true
                ).values
            else {
                Issue.record("\(name) gives no colours")
                continue
            }
            #expect(try colors == bytes(name + ".rgb"), "\(name)")
        }
        for name in lossy {
            let message = failure { _ = try readMask(path: folder.path + "/" + name) }
            #expect(message?.contains("alters label values") == true, "\(name)")
        }
    }

    @Test func colorsAndAnimations() throws {
        for name in images where name.hasPrefix("RGB-") || name.hasPrefix("RGB.") && !name.hasSuffix("gif") {
            guard
                case .colors(let colors) = try readRawMask(
                    path: folder.path + "/" + name, limits: ReadLimits()
                ).values
            else {
                Issue.record("\(name) gives no colours")
                continue
            }
            #expect(try colors == bytes(name + ".rgb"), "\(name)")
        }
        for name in ["animated.gif", "animated.webp", "P.gif", "RGB.webp"] {
            let notes = try readImage(path: folder.path + "/" + name, limits: ReadLimits()) { ($0, $1) }.notes
            #expect(notes == (name.hasPrefix("animated") ? [.frames] : []), "\(name)")
        }
    }

    /// Cut off or altered anywhere a file is an image, or an error of one line: never a trap, never much memory.
    @Test func damagedFiles() throws {
        var random = RandomStream(seed: 21)
        let kinds = [
            "L-None.tif", "P-tiff_lzw.tiff", "RGB-tiff_adobe_deflate.TIF", "B-fax.tif", "CMYK.tif", "jpeg.tif", "P.bmp",
            "RGBA.bmp", "P.gif", "animated.gif", "RGB.webp", "lossy.webp", "animated.webp", "L.ppm",
        ]
        for name in kinds {
            let whole = try bytes(name)
            let ending = (name as NSString).pathExtension
            var damaged = stride(from: 0, to: whole.count, by: 16).map { Array(whole.prefix($0)) }
            for _ in 0..<40 {
                var copy = whole
                // Headers and directories lie at either end.
                for _ in 0...random.below(3) {
                    let place = random.below(3) == 0 ? random.below(whole.count) : random.below(min(200, whole.count))
                    copy[random.below(2) == 0 ? place : whole.count - 1 - place] = UInt8(random.below(256))
                }
                damaged.append(copy)
            }
            for bytes in damaged {
                let path = try folder.write(bytes, to: "damaged." + ending)
                let limits = ReadLimits(pixels: 100_000)
                for message in [
                    failure { _ = try readImage(path: path, limits: limits) },
                    failure { _ = try readMask(path: path, limits: limits) },
                    failure { _ = try readImageSize(path: path, limits: limits) },
                ] {
                    if let message { #expect(message.hasPrefix(path + ": ") && !message.contains("\n"), "\(name)") }
                }
            }
        }
    }

    /// A file without its second half is no image.
    @Test func halvesAreErrors() throws {
        for name in images where !name.hasPrefix("animated") {
            let whole = try bytes(name)
            let path = try folder.write(whole.prefix(whole.count / 2), to: "half." + (name as NSString).pathExtension)
            #expect(failure { _ = try readImage(path: path) } != nil, "\(name)")
        }
    }
}
