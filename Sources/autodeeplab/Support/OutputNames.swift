import ArgumentParser
import Foundation
import Images
import Runs
import Torch

/// The name of a file or folder to write to, which is not empty: a variable of a script that is not set would have pictures
/// written to the root of the disk.
func outputName(_ text: String) throws -> String {
    if text.isEmpty { throw ValidationError("give a name that is not empty") }
    return text
}

/// Refuses a file whose name says another format than the one that is written.
///
/// - Parameters:
///   - path: The file.
///   - endings: The endings that are right, in small letters; an empty one lets the name go without.
/// - Throws: `ValidationError` where the name has another ending.
func refuseEnding(of path: String, unlike endings: [String]) throws {
    let ending = (path as NSString).pathExtension.lowercased()
    if endings.contains(ending) { return }
    let known = endings.filter { !$0.isEmpty }.map { "." + $0 }
    let list = [known.dropLast().joined(separator: ", "), known.last ?? ""].filter { !$0.isEmpty }
        .joined(separator: " or ")
    throw ValidationError("--output \(path): ends in \(ending.isEmpty ? "nothing" : "." + ending), expected \(list)")
}

/// Refuses to let a folder be replaced that is no package of Core ML.
func refuseNoPackage(_ path: String) throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard names.isEmpty || names.contains("Manifest.json") else {
        throw RunError(.overwrites, path: path, "is a folder, and no Core ML package", advice: .takeOtherOutput)
    }
}

/// Looks at the place of a file that is going to be written: no link in a run's folder leads there, and what a killed
/// process left half written beside it goes.
func prepareOutput(_ path: String) throws {
    try OutputPaths.refuseLinks(toOutput: path)
    let folder = folderPart(of: path)
    AtomicFile.removeLeftovers(in: folder.isEmpty ? "." : folder)
}
