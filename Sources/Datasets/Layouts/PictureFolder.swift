import Foundation
import Images

/// The pictures below a folder by their stems: paths below the folder, without extension.
struct PictureFolder {
    private(set) var files: [String: [String]] = [:]
    /// What was left out of the folder and why.
    private(set) var notes: [String] = []

    /// No pictures.
    init() {}

    /// Lists a folder and the folders in it, linked ones too; hidden files are passed over, and files of names that are
    /// known to be no pictures.
    init(_ folder: String, besides known: Set<String> = []) throws {
        let tree = try FileTree(folder)
        notes = tree.notes(on: folder, besides: known)
        for name in tree.files {
            if let stem = Self.stem(name) { files[stem, default: []].append(join(folder, name)) }
        }
        for stem in files.keys { files[stem]?.sort() }
    }

    /// A picture's name without its extension; nil for other files.
    static func stem(_ name: String) -> String? {
        PictureFormat.isPicture(name) ? (name as NSString).deletingPathExtension : nil
    }
}
