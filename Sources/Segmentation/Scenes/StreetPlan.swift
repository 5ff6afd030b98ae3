/// A street before it is drawn: where the viewer stands, what the light is like and what stands where.
///
/// Lengths are in metres: x to the right of the road's middle, y above the ground, z ahead of the viewer.
struct StreetPlan {
    struct Building {
        var z: ClosedRange<Double>
        var height: Double
        var depth: Double
        var wall: SIMD3<Double>
        var glass: SIMD3<Double>
        /// Height of a floor and width of a bay; the window's share of both.
        var floor: Double
        var bay: Double
        var window: Double
        var cornice: Double
    }
    struct Tree {
        var x: Double
        var z: Double
        var trunk: Double
        var width: Double
        /// Circles that make up the crown: offset, height and radius.
        var crown: [SIMD3<Double>]
        var leaves: SIMD3<Double>
    }
    struct Pole {
        var x: Double
        var z: Double
        var height: Double
        var width: Double
        var arm: Double
        var shade: SIMD3<Double>
        /// The colour of a traffic sign, where there is one.
        var board: SIMD3<Double>?
    }
    struct Car {
        var x: Double
        var z: Double
        var width: Double
        var height: Double
        var paint: SIMD3<Double>
        var oncoming: Bool
    }

    let width: Int
    let height: Int
    // The view.
    let focal: Double
    let center: Double
    let horizon: Double
    let eyeX: Double
    let eyeHeight: Double
    // The ground.
    let roadHalf: Double
    let facade: Double
    let asphalt: SIMD3<Double>
    let slabs: SIMD3<Double>
    let dashes: Bool
    // The light.
    let zenith: SIMD3<Double>
    let skyline: SIMD3<Double>
    let clouds: Double
    let haze: Double
    let light: SIMD3<Double>
    /// The side that lies in shadow (-1 left, 1 right, 0 none), and how far into the street the shadow reaches.
    let shadowSide: Double
    let shadowReach: Double
    let grain: Double
    let noise: ValueNoise
    // What stands there; buildings of the left and of the right side, near ones first.
    let buildings: [[Building]]
    let trees: [Tree]
    let poles: [Pole]
    let wires: Bool
    let cars: [Car]

    init(width: Int, height: Int, random start: RandomStream) {
        var random = start
        self.width = width
        self.height = height
        noise = ValueNoise(seed: random.next())
        focal = Double(width) * random.uniform(0.7, 0.95)
        center = Double(width) * random.uniform(0.36, 0.64)
        horizon = Double(height) * random.uniform(0.42, 0.55)
        eyeHeight = random.uniform(1.5, 2.6)
        roadHalf = random.uniform(3.2, 5)
        eyeX = random.uniform(-0.45, 0.45) * roadHalf
        facade = roadHalf + random.uniform(3, 5.5)
        let grey = random.uniform(0.3, 0.52)
        asphalt = Self.tint(grey, 0.04, &random)
        slabs = Self.tint(grey + random.uniform(0, 0.2), 0.05, &random)
        dashes = random.uniform() < 0.7

        let weather = random.below(3)
        zenith = [SIMD3(0.28, 0.5, 0.86), SIMD3(0.66, 0.7, 0.75), SIMD3(0.45, 0.5, 0.72)][weather]
        skyline = [SIMD3(0.74, 0.85, 0.95), SIMD3(0.8, 0.81, 0.82), SIMD3(0.96, 0.78, 0.6)][weather]
        clouds = [random.uniform(0.2, 0.9), random.uniform(0, 0.3), random.uniform(0.1, 0.6)][weather]
        haze = random.uniform(0.002, 0.009)
        let exposure = random.uniform(0.78, 1.12)
        light = SIMD3(1, 1, 1) * exposure + [SIMD3(0, 0, 0.02), SIMD3(-0.03, 0, 0.03), SIMD3(0.06, 0, -0.06)][weather]
        shadowSide = weather == 1 ? 0 : Double(random.below(3) - 1)
        shadowReach = random.uniform(0.2, 1.4)
        grain = random.uniform(0.01, 0.028)

        buildings = [Self.row(&random), Self.row(&random)]
        trees = Self.trees(roadHalf: roadHalf, facade: facade, &random)
        poles = Self.poles(roadHalf: roadHalf, &random)
        wires = random.uniform() < 0.25
        cars = Self.cars(roadHalf: roadHalf, &random)
    }

    /// A colour near a grey.
    private static func tint(_ grey: Double, _ spread: Double, _ random: inout RandomStream) -> SIMD3<Double> {
        SIMD3(
            grey + random.uniform(-spread, spread), grey + random.uniform(-spread, spread) * 0.6,
            grey + random.uniform(-spread, spread))
    }

    /// One side's buildings, with gaps between some of them.
    private static func row(_ random: inout RandomStream) -> [Building] {
        let walls = [
            SIMD3(0.62, 0.32, 0.24), SIMD3(0.78, 0.72, 0.6), SIMD3(0.82, 0.84, 0.86), SIMD3(0.5, 0.5, 0.51),
            SIMD3(0.72, 0.55, 0.38), SIMD3(0.55, 0.62, 0.68), SIMD3(0.75, 0.6, 0.55), SIMD3(0.45, 0.36, 0.32),
        ]
        var row: [Building] = []
        var z = random.uniform(-4, 7)
        let gaps = random.uniform(0.1, 0.5)
        while z < 110 {
            let length = random.uniform(7, 22)
            let change = SIMD3(random.uniform(-0.07, 0.07), random.uniform(-0.07, 0.07), random.uniform(-0.07, 0.07))
            row.append(
                Building(
                    z: z...z + length, height: random.uniform(4.5, 19), depth: random.uniform(6, 14),
                    wall: walls[random.below(walls.count)] + change,
                    glass: random.uniform() < 0.8
                        ? SIMD3(0.2, 0.25, 0.32) * random.uniform(0.7, 1.5) : SIMD3(0.92, 0.82, 0.55),
                    floor: random.uniform(2.7, 3.6), bay: random.uniform(1.8, 3.6),
                    window: random.uniform(0.35, 0.7), cornice: random.uniform(0.2, 0.7)))
            z += length + (random.uniform() < gaps ? random.uniform(4, 16) : 0)
        }
        return row
    }

    private static func trees(roadHalf: Double, facade: Double, _ random: inout RandomStream) -> [Tree] {
        let leaves = [
            SIMD3(0.22, 0.42, 0.16), SIMD3(0.3, 0.46, 0.2), SIMD3(0.16, 0.32, 0.18), SIMD3(0.5, 0.52, 0.18),
            SIMD3(0.66, 0.36, 0.16),
        ]
        return (0..<1 + random.below(5)).map { _ in
            let side = random.below(2) == 0 ? -1.0 : 1
            let size = random.uniform(1.4, 2.6)
            let trunk = random.uniform(1.6, 2.8)
            let crown = (0..<4 + random.below(4)).map { _ in
                SIMD3(
                    random.uniform(-0.75, 0.75) * size, trunk + size * random.uniform(0.35, 1.5),
                    size * random.uniform(0.45, 0.8))
            }
            return Tree(
                x: side * random.uniform(roadHalf + 0.8, facade + 1), z: random.uniform(6, 28), trunk: trunk,
                width: random.uniform(0.16, 0.3), crown: crown,
                leaves: leaves[random.below(leaves.count)] * random.uniform(0.8, 1.2))
        }
    }

    private static func poles(roadHalf: Double, _ random: inout RandomStream) -> [Pole] {
        let spacing = random.uniform(8, 13)
        let height = random.uniform(4.5, 7)
        let shades = [SIMD3(0.09, 0.1, 0.11), SIMD3(0.78, 0.79, 0.8), SIMD3(0.1, 0.24, 0.17), SIMD3(0.42, 0.43, 0.45)]
        let shade = shades[random.below(shades.count)] * random.uniform(0.85, 1.15)
        let arm = random.uniform() < 0.6 ? random.uniform(0.9, 1.9) : 0
        let boards = [SIMD3(0.1, 0.3, 0.75), SIMD3(0.8, 0.12, 0.12), SIMD3(0.95, 0.8, 0.15), SIMD3(0.92, 0.92, 0.94)]
        var poles: [Pole] = []
        for side in [-1.0, 1] where random.uniform() < 0.8 {
            var z = random.uniform(5, 8)
            while z < 24 {
                poles.append(
                    Pole(
                        x: side * (roadHalf + 0.6), z: z, height: height, width: random.uniform(0.2, 0.3),
                        arm: -side * arm, shade: shade,
                        board: random.uniform() < 0.45 ? boards[random.below(boards.count)] : nil))
                z += spacing
            }
        }
        return poles
    }

    private static func cars(roadHalf: Double, _ random: inout RandomStream) -> [Car] {
        let paints = [
            SIMD3(0.72, 0.1, 0.1), SIMD3(0.12, 0.25, 0.55), SIMD3(0.9, 0.9, 0.9), SIMD3(0.1, 0.1, 0.12),
            SIMD3(0.55, 0.57, 0.6), SIMD3(0.85, 0.7, 0.15), SIMD3(0.2, 0.42, 0.3),
        ]
        return (0..<1 + random.below(4)).map { _ in
            let side = random.below(2) == 0 ? -1.0 : 1
            // Some drive in their lane, some are parked at the kerb.
            let place = random.uniform() < 0.5 ? 0.5 : 0.78
            return Car(
                x: side * roadHalf * place + random.uniform(-0.2, 0.2), z: random.uniform(5.5, 19),
                width: random.uniform(1.6, 2.1), height: random.uniform(1.35, 1.9),
                paint: paints[random.below(paints.count)] * random.uniform(0.8, 1.15), oncoming: side < 0)
        }
    }
}
