import ArchitectureSearch
import Configurations
import Experiments
import Foundation
import Runs
import Segmentation

// A search of the program, with another relaxation: `GumbelSearch DATA RUN`, or on generated scenes.
let arguments = CommandLine.arguments.dropFirst()
let scratch = FileManager.default.temporaryDirectory.path
let data = arguments.first ?? scratch + "/gumbel-scenes"
if arguments.isEmpty { try DemoScenes(train: 24, val: 4, test: 0).write(to: data) }

var configuration = try Configuration.resolve(preset: "instant")
configuration.data.root = data
var method = SearchMethod()
method.relaxation = { GumbelRelaxation($0, $1) }
let run = try RunFolder(at: arguments.last ?? scratch + "/gumbel-run", resume: true)
let search = try Search(
    configuration, folder: run, reporter: SilentReporter(), interruption: Interruption(), method: method)
print(String(decoding: try search.run().json(), as: UTF8.self), terminator: "")
