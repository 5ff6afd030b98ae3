import Configurations
import Experiments
import Testing

@Suite("Environment of a group")
struct GroupEnvironmentTests {
    @Test("An address with a line break is refused, and shown on one line", arguments: ["127.0.0.1\nerror: x", "a b"])
    func address(text: String) throws {
        let variables = ["RANK": "0", "WORLD_SIZE": "2", "MASTER_PORT": "29500", "MASTER_ADDR": text]
        let error = #expect(throws: ConfigurationError.self) { try GroupEnvironment(variables, timeout: 60) }
        let shown = text.replacing("\n", with: "\\n")
        #expect(error?.description == "MASTER_ADDR=\"\(shown)\": expected the name or address of one machine")
    }
}
