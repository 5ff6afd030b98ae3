import Images

extension StreetPlan {
    /// Draws the street: sky, ground and buildings by casting a ray for each sample, then what stands before them.
    func render() -> (image: Image, mask: Mask) {
        var canvas = Canvas(width: width, height: height) { x, y in background(x, y) }
        for tree in trees { draw(tree, on: &canvas) }
        for car in cars { draw(car, on: &canvas) }
        for pole in poles { draw(pole, on: &canvas) }
        if wires { drawWires(on: &canvas) }
        var random = RandomStream(
            seed: UInt64(bitPattern: Int64(poles.count)), Int(clamping: center * 1e6), Int(clamping: horizon * 1e6))
        return canvas.resolve { _, _, color in
            // The sum of a few uniform numbers is close enough to a sensor's normal noise.
            let shared = (random.uniform() + random.uniform() + random.uniform() - 1.5) * grain * 1.5
            let single = SIMD3(random.uniform() - 0.5, random.uniform() - 0.5, random.uniform() - 0.5) * grain
            return color * light + shared + single
        }
    }

    /// What a ray meets first.
    private enum Surface {
        case sky
        case distant
        case ground
        case wall(Building, along: Double, above: Double, shade: Double)
    }

    /// The nearest of sky, ground and buildings in the direction of a pixel.
    private func background(_ x: Double, _ y: Double) -> (SIMD3<Double>, SceneClass, Double) {
        let right = (x - center) / focal
        let down = (y - horizon) / focal
        let (depth, surface) = meet(right: right, down: down)
        switch surface {
        case .sky: return (skyColor(x, y), .sky, depth)
        case .distant:
            return distantBuilding(right, above: eyeHeight - down * depth).map { (hazed($0, depth), .building, depth) }
                ?? (skyColor(x, y), .sky, .infinity)
        case .ground:
            let (color, label) = ground(eyeX + right * depth, depth)
            return (hazed(color, depth), label, depth)
        case .wall(let building, let along, let above, let shade):
            return (hazed(wall(building, along: along, above: above) * shade, depth), .building, depth)
        }
    }

    /// Follows a ray; colours are worked out for the nearest surface alone.
    private func meet(right: Double, down: Double) -> (Double, Surface) {
        var best = (150.0, Surface.distant)
        if down > 0, eyeHeight / down < best.0 { best = (eyeHeight / down, .ground) }
        for (side, row) in zip([-1.0, 1], buildings) {
            if right * side > 1e-6 {
                // The facades along the street.
                let depth = (side * facade - eyeX) / right
                let above = eyeHeight - down * depth
                if depth < best.0, above >= 0, let building = row.first(where: { $0.z.contains(depth) }),
                    above < building.height
                {
                    let shade = shadowSide == side ? 0.62 : 0.95
                    best = (depth, .wall(building, along: depth, above: above, shade: shade))
                }
            }
            for building in row where building.z.lowerBound > 1 {
                // The walls that face the viewer where there is a gap before them.
                let depth = building.z.lowerBound
                guard depth < best.0 else { break }
                let out = (eyeX + right * depth) * side - facade
                let above = eyeHeight - down * depth
                if out >= 0, out < building.depth, above >= 0, above < building.height {
                    best = (depth, .wall(building, along: out + 0.3, above: above, shade: 0.8))
                }
            }
        }
        return best
    }

    private func skyColor(_ x: Double, _ y: Double) -> SIMD3<Double> {
        let height = min(max(1 - y / horizon, 0), 1)
        let clear = mix(skyline, zenith, height.squareRoot())
        let scale = 7 / Double(width)
        let cloud = noise.fractal(x * scale, y * scale * 2.2, octaves: 3)
        let cover = min(max((cloud - 0.46) * 5, 0), 1) * clouds
        return mix(clear, SIMD3(0.97, 0.96, 0.95) * (0.86 + 0.18 * cloud), cover)
    }

    /// Houses at the end of the street, without windows; nil above their roofs.
    private func distantBuilding(_ right: Double, above: Double) -> SIMD3<Double>? {
        let block = (right * 14).rounded(.down)
        guard above >= 0, above < 20, above < 4 + 16 * noise(block * 7.7, 3.3) else { return nil }
        return SIMD3(0.42, 0.4, 0.41) + 0.25 * (noise(block * 3.1, 8.8) - 0.5)
    }

    private func ground(_ x: Double, _ z: Double) -> (SIMD3<Double>, SceneClass) {
        let isRoad = abs(x) < roadHalf
        // Both have the same texture: stains of about a metre and finer grain, lost in the distance.
        let stain = noise.fractal(x * 0.9, z * 0.5, octaves: 3) - 0.5
        var color = (isRoad ? asphalt : slabs) * (1 + stain * 0.45)
        let kerb = abs(abs(x) - roadHalf)
        if kerb < 0.16 { color = color * 0.75 + 0.2 }
        if isRoad && dashes && abs(x) < 0.09 && z.truncatingRemainder(dividingBy: 6) < 3 {
            color = SIMD3(0.85, 0.84, 0.8)
        }
        if !isRoad && z < 40 {
            let joint = min(abs(fraction(x / 1.4) - 0.5), abs(fraction(z / 1.4) - 0.5))
            if joint < 0.025 { color *= 0.86 }
        }
        for car in cars where abs(x - car.x) < car.width * 0.55 && z > car.z - 0.25 && z < car.z + 3.6 {
            color *= 0.45
        }
        if shadowSide != 0 {
            let into = facade - x * shadowSide
            let reach = shadowReach * facade + 0.5 * (noise(z * 0.25, 5) - 0.5)
            if into < reach { color *= 0.6 }
        }
        return (color, isRoad ? .road : .pavement)
    }

    private func wall(_ building: Building, along: Double, above: Double) -> SIMD3<Double> {
        let rough = noise.fractal(along * 1.3, above * 1.3 + building.height, octaves: 2) - 0.5
        let wall = building.wall * (1 + 0.22 * rough)
        if above > building.height - building.cornice { return wall * 0.7 }
        let (u, v) = (fraction(along / building.bay), fraction(above / building.floor))
        let ground = above < building.floor
        let share = ground ? min(building.window + 0.25, 0.85) : building.window
        guard abs(u - 0.5) < share / 2, abs(v - 0.52) < (ground ? 0.33 : 0.28) else { return wall }
        if abs(u - 0.5) > share / 2 - 0.06 { return wall * 1.12 }
        return building.glass * (0.8 + 0.5 * noise((along / building.bay).rounded(.down) * 5.1, above * 0.4))
    }

    private func hazed(_ color: SIMD3<Double>, _ depth: Double) -> SIMD3<Double> {
        // 1 - exp(-x) in a form whose value does not depend on a mathematical library.
        let x = depth * haze
        return mix(color, skyline, x / (1 + x))
    }

    private func fraction(_ value: Double) -> Double { value - value.rounded(.down) }

    /// Paints an object at a distance; `paint` gets places in metres, to the side of `x` and above the ground.
    private func stand(
        _ label: SceneClass, x: Double, z: Double, sides: ClosedRange<Double>, top: Double, on canvas: inout Canvas,
        paint: (_ u: Double, _ v: Double) -> SIMD3<Double>?
    ) {
        let scale = focal / z
        let middle = center + (x - eyeX) * scale
        let foot = horizon + eyeHeight * scale
        canvas.draw(
            label, depth: z, x: middle + sides.lowerBound * scale...middle + sides.upperBound * scale,
            y: foot - top * scale...foot
        ) { column, row in
            paint((column - middle) / scale, (foot - row) / scale).map { hazed($0, z) }
        }
    }

    private func draw(_ tree: Tree, on canvas: inout Canvas) {
        let reach = tree.crown.map { abs($0.x) + $0.z }.max() ?? 0
        let top = tree.crown.map { $0.y + $0.z }.max() ?? 0
        stand(.tree, x: tree.x, z: tree.z, sides: -reach...reach, top: top, on: &canvas) { u, v in
            let fringe = 1 + 0.5 * (noise((u + tree.x) * 3.5, v * 3.5) - 0.5)
            let isCrown = tree.crown.contains { circle in
                let (dx, dy) = (u - circle.x, v - circle.y)
                return dx * dx + dy * dy < circle.z * circle.z * fringe
            }
            if isCrown {
                let leaf = noise.fractal((u + tree.x) * 3, v * 3 + tree.z, octaves: 3) - 0.5
                let lit = 0.72 + 0.4 * (v - tree.trunk) / max(top - tree.trunk, 0.1)
                return tree.leaves * (lit + 1.1 * leaf)
            }
            guard abs(u) < tree.width, v < tree.trunk + 0.8 else { return nil }
            return SIMD3(0.3, 0.22, 0.16) * (u < 0 ? 1.1 : 0.8)
        }
    }

    private func draw(_ pole: Pole, on canvas: inout Canvas) {
        // Never thinner than two pixels, or it would be gone before a network sees it.
        let half = max(pole.width / 2, 0.95 * pole.z / focal)
        let reach = max(abs(pole.arm), 0.5) + 0.3
        stand(
            .pole, x: pole.x, z: pole.z, sides: -reach...reach, top: pole.height + 0.1, on: &canvas
        ) { u, v in
            if let board = pole.board {
                // A round sign with a rim at the height of a head and a half.
                let square = u * u + (v - 2.7) * (v - 2.7)
                if square < 0.5 * 0.5 { return square < 0.38 * 0.38 ? board : SIMD3(0.95, 0.95, 0.95) }
            }
            if abs(u) < half { return pole.shade * (u < 0 ? 1.1 : 0.85) }
            guard pole.arm != 0 else { return nil }
            let along = u / pole.arm
            if along > 0, along < 1, v > pole.height - 2 * half { return pole.shade }
            let lamp = along > 0.7 && abs(u - pole.arm * 0.95) < 0.35
            return lamp && v > pole.height - 2 * half - 0.2 ? SIMD3(0.95, 0.93, 0.8) : nil
        }
    }

    private func drawWires(on canvas: inout Canvas) {
        for side in [-1.0, 1] {
            let row = poles.filter { $0.x * side > 0 }
            for (near, far) in zip(row, row.dropFirst()) {
                let steps = 160
                for step in 0..<steps {
                    let share = (Double(step) + 0.5) / Double(steps)
                    let z = 1 / mix(1 / near.z, 1 / far.z, share)
                    let along = (z - near.z) / (far.z - near.z)
                    let sag = 0.7 * 4 * along * (1 - along)
                    let x = center + (near.x - eyeX) * focal / z
                    let y = horizon + (eyeHeight - near.height * 0.96 + sag) * focal / z
                    canvas.draw(.pole, depth: z, x: x - 0.5...x + 0.5, y: y - 0.5...y + 0.5) { _, _ in
                        hazed(SIMD3(0.13, 0.13, 0.14), z)
                    }
                }
            }
        }
    }

    private func draw(_ car: Car, on canvas: inout Canvas) {
        let half = car.width / 2
        stand(.car, x: car.x, z: car.z, sides: -half...half, top: car.height, on: &canvas) { u, v in
            let (side, rise) = (abs(u) / half, v / car.height)
            if rise < 0.2 {
                return side > 0.62 && side < 0.96 ? SIMD3(0.06, 0.06, 0.07) : rise > 0.1 ? car.paint * 0.35 : nil
            }
            if rise < 0.58 {
                // Lamps, number plate, and a body that is rounded at its sides.
                guard side < 1 - max(0, rise - 0.45) * 0.6 else { return nil }
                if side > 0.68, side < 0.94, rise > 0.38, rise < 0.52 {
                    return car.oncoming ? SIMD3(1, 0.97, 0.85) : SIMD3(0.75, 0.08, 0.06)
                }
                if side < 0.25, rise > 0.28, rise < 0.38 { return SIMD3(0.88, 0.87, 0.8) }
                return car.paint * (0.75 + 0.5 * (rise - 0.2))
            }
            let cabin = 0.88 - 0.45 * (rise - 0.58)
            guard side < cabin else { return nil }
            let isGlass = side < cabin - 0.1 && rise > 0.62 && rise < 0.92
            return isGlass ? SIMD3(0.16, 0.2, 0.25) * (0.8 + 0.9 * (rise - 0.6)) : car.paint * 1.05
        }
    }
}
