import Foundation
import Images

let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }
let path = folder.appendingPathComponent("image.png").path
var image = Image(width: 5, height: 4, color: Color(10, 20, 30))
image.pixels[7] = 99
try writePNG(image, to: path)
let found = try readImage(path: path)
precondition(found == image)
print("Segmentation: a PNG comes back as it was written")
