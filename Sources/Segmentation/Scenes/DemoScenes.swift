import Datasets
import Dispatch
import Foundation
import Images

/// The classes of the generated scenes.
enum SceneClass: UInt8, CaseIterable {
    case sky
    case building
    case road
    case pavement
    case tree
    case car
    case pole

    var color: Color {
        switch self {
        case .sky: Color(70, 130, 180)
        case .building: Color(120, 70, 70)
        case .road: Color(128, 64, 128)
        case .pavement: Color(244, 35, 232)
        case .tree: Color(107, 142, 35)
        case .car: Color(0, 0, 142)
        case .pole: Color(250, 220, 60)
        }
    }
}

/// A generated data set of street scenes, for trying everything without any data of one's own.
///
/// The scenes ask for what a search decides about. Road and pavement share colours and texture and are told apart by
/// where they lie; facades may be as pale as the sky, as grey as the road or as red as autumn leaves: that takes
/// context. Poles, lamps and wires are about a pixel wide: that takes fine resolution. Light, haze, shadow, noise and
/// viewpoint vary. The same settings always give the same scenes.
public struct DemoScenes: Hashable, Sendable {
    /// Pixels in a row of each image.
    public var width: Int
    /// Rows of each image.
    public var height: Int
    /// How many scenes each split has.
    public var counts: [Split: Int]
    /// What the scenes follow from.
    public var seed: UInt64

    /// Scenes with the demo's sizes.
    public init(
        width: Int = 128, height: Int = 96, train: Int = 200, val: Int = 40, test: Int = 40, seed: UInt64 = 1
    ) {
        precondition(width >= 16 && height >= 16, "scenes of \(width)x\(height)")
        self.width = width
        self.height = height
        counts = [.train: train, .val: val, .test: test]
        self.seed = seed
    }

    /// The scenes' classes.
    public static let classes = ClassTable(
        names: SceneClass.allCases.map { "\($0)" }, palette: SceneClass.allCases.map(\.color))

    /// One scene of a split.
    public func scene(_ split: Split, _ index: Int) -> (image: Image, mask: Mask) {
        let key = split.rawValue.utf8.reduce(0) { $0 &* 31 &+ Int($1) }
        let plan = StreetPlan(width: width, height: height, random: RandomStream(seed: seed, key, index))
        return plan.render()
    }

    /// Writes all splits in the `folders` layout with `classes.txt`, on all cores.
    public func write(to root: String) throws {
        let scenes = counts.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { split, count in
            (0..<count).map { (split, $0) }
        }
        for split in counts.keys {
            for kind in ["images", "masks"] {
                let folder = join(root, "\(kind)/\(split)")
                do {
                    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                } catch {
                    throw DataError(
                        .unwritable, file: folder, problem: "cannot be made (\(error.localizedDescription))")
                }
            }
        }
        try writeFileAtomically(Data(Self.classes.classesFile.utf8), to: join(root, "classes.txt"))
        let failure = FirstFailure()
        DispatchQueue.concurrentPerform(iterations: scenes.count) { number in
            let (split, index) = scenes[number]
            failure.catching {
                let (image, mask) = scene(split, index)
                let digits = String(index)
                let name = "\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits).png"
                try writePNG(image, to: join(root, "images/\(split)/\(name)"))
                try writePNG(mask, palette: Self.classes.palette, to: join(root, "masks/\(split)/\(name)"))
            }
        }
        try failure.rethrow()
    }
}

/// Keeps the first error of several threads and spares them further work; `lock` guards it.
private final class FirstFailure: @unchecked Sendable {
    private let lock = NSLock()
    private var error: (any Error)?

    func catching(_ body: () throws -> Void) {
        guard lock.withLock({ error == nil }) else { return }
        do {
            try body()
        } catch let caught {
            lock.withLock { error = error ?? caught }
        }
    }

    func rethrow() throws {
        if let error = lock.withLock({ error }) { throw error }
    }
}
