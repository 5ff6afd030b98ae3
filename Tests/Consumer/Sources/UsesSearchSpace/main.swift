import SearchSpace

let genotype = try KnownDesign.autoDeepLab.genotype()
let cost = Cost.of(genotype, filters: 20, classes: 19, height: 1025, width: 2049)
precondition(cost.parameters == 10_147_427, "\(cost.parameters) parameters")
print("SearchSpace: the published network has \(cost.parameters) parameters")
