/// The presets' YAML files, which the build puts into the program.
enum PresetTexts {
    static let all: [String: String] = [
        "ade20k": PackageResources.ade20k_yaml,
        "camvid-small": PackageResources.camvid_small_yaml,
        "cityscapes": PackageResources.cityscapes_yaml,
        "coco": PackageResources.coco_yaml,
        "demo": PackageResources.demo_yaml,
        "instant": PackageResources.instant_yaml,
        "voc": PackageResources.voc_yaml,
    ].mapValues { String(decoding: $0, as: UTF8.self) }
}
