import Configurations
import Foundation
import Runs

/// What a run was asked for when it began, and may not be asked for otherwise when it goes on.
extension AutomaticRun {
    /// What a plan is made by: settings by their names, of a plan that is given all of them, and the limits.
    static func asked(
        _ budget: Budget?, _ base: Configuration, isPlan: Bool, milliseconds: Double?, megabytes: Double?
    ) -> [String: String] {
        var own = base
        own.data = base.data.withAbsolutePaths()
        var result = own.texts.filter { key, _ in
            isPlan || key == "seed" || key.hasPrefix("data.") || key.hasPrefix("evaluate.")
        }
        result["data.root"] = URL(fileURLWithPath: own.data.root).resolvingSymlinksInPath().path
        result["budget"] = budget.map { Budget.text($0.seconds) }
        result["maxLatency"] = milliseconds.map { "\($0) ms" } ?? "none"
        result["maxMemory"] = megabytes.map { "\($0) MB" } ?? "none"
        return result
    }

    /// Refuses to go on with a plan that was made by something else, and does not say so itself.
    static func refuseChanges(
        of given: Set<String>, _ asked: [String: String], since plan: Plan, _ planned: Configuration, in output: String
    ) throws(RunError) {
        let changed = AutomaticRun.asked(nil, planned, isPlan: true, milliseconds: nil, megabytes: nil)
        for key in asked.keys.sorted() where given.contains(where: { key == $0 || key.hasPrefix($0 + ".") }) {
            guard let before = plan.asked?[key], let now = asked[key], before != now, changed[key] != now else {
                continue
            }
            throw RunError(
                .changed, path: output,
                "its plan was made with \(key) \(before), not \(now): leave that out, change \(output)/plan.yaml, or begin a"
                    + " new run in another folder")
        }
    }
}
