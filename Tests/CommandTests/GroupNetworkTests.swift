import Foundation
import TestSupport
import Testing
import Torch

/// Two hosts, as two network namespaces of this machine, with a link that is cut.
@Suite("A group on two hosts", .serialized)
struct GroupNetworkTests {
    private static let name = "adl\(getpid())"

    private static func shell(_ script: String) throws -> Command.Result {
        try Command.launch("/bin/sh", ["-c", script])
    }

    private static let canMakeNetworks: Bool = {
        guard ProcessGroup.isAvailable, geteuid() == 0 else { return false }
        return (try? shell("ip netns add \(name)t && ip netns del \(name)t"))?.status == 0
    }()

    @Test(
        "A link that is cut ends both sides, each with a line that names the other",
        .enabled(if: canMakeNetworks, "network namespaces take root and iproute2"))
    func cutLink() throws {
        let name = Self.name
        let made = try Self.shell(
            """
            set -e
            for side in a b; do ip netns add \(name)$side; ip -n \(name)$side link set lo up; done
            ip link add \(name)a netns \(name)a type veth peer name \(name)b netns \(name)b
            ip -n \(name)a addr add 10.77.0.1/24 dev \(name)a
            ip -n \(name)b addr add 10.77.0.2/24 dev \(name)b
            for side in a b; do ip -n \(name)$side link set \(name)$side up; done
            """)
        defer { _ = try? Self.shell("ip netns del \(name)a; ip netns del \(name)b") }
        try #require(made.status == 0, "\(made.errors)")
        let folder = try TemporaryFolder()
        #expect(try Command.run("data", "demo", "--count", "20", "--output", folder.file("scenes")).status == 0)
        let sides = try ["a", "b"].enumerated().map { rank, side in
            try StartedCommand(
                [
                    "netns", "exec", name + side, try Command.executable().path, "search", "--preset", "instant",
                    "--data", folder.file("scenes"), "--output", folder.file("run"), "-q", "--threads", "1",
                    "--group-timeout", "4", "--set", "search.layers=2", "--set", "search.blocks=1",
                    "--set", "search.epochs=100000", "--set", "checkpoint.every=1 steps",
                ], program: "/usr/sbin/ip", errorFile: folder.file(side + ".err"),
                environment: [
                    "RANK": "\(rank)", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1",
                    "MASTER_ADDR": "10.77.0.1", "MASTER_PORT": "29511",
                ])
        }
        sides[0].waitForFile(folder.file("run/checkpoints/last-1.safetensors"))
        #expect(try Self.shell("ip -n \(name)a link set \(name)a down").status == 0)
        let ends = try sides.map { try $0.end() }
        for (rank, end) in ends.enumerated() {
            #expect(end.status == 75)
            #expect(
                end.lines.count == 1 && end.lines.first?.hasPrefix("error: rank \(1 - rank) (") == true, "\(end.lines)")
        }
    }
}
