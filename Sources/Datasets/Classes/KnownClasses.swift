import Images

/// Data sets whose classes and official colours are built in.
public enum KnownClasses: String, CaseIterable, Encodable, Sendable {
    /// None of them.
    case none
    /// CamVid's 11 classes, in SegNet's order.
    case camvid
    /// The 19 train classes of Cityscapes.
    case cityscapes
    /// The 21 classes of PASCAL VOC.
    case voc
    /// The 150 classes of ADE20K's scene parsing challenge.
    case ade20k

    /// Names and colours; nil for none.
    public var table: ClassTable? {
        switch self {
        case .none: nil
        case .camvid: ClassTable(Self.camvidColors, ignored: [Color(0, 0, 0)])
        case .cityscapes: ClassTable(Self.cityscapesColors, ignored: [Color(0, 0, 0)])
        case .voc: ClassTable(names: Self.vocNames, palette: Self.vocPalette, legend: Self.vocLegend)
        case .ade20k: ClassTable(Self.ade20kColors, ignored: [Color(0, 0, 0)])
        }
    }

    private static let camvidColors: [(String, UInt32)] = [
        ("Sky", 0x808080), ("Building", 0x800000), ("Pole", 0xC0C080), ("Road", 0x804080), ("Pavement", 0x0000C0),
        ("Tree", 0x808000), ("SignSymbol", 0xC08080), ("Fence", 0x404080), ("Car", 0x400080),
        ("Pedestrian", 0x404000), ("Bicyclist", 0x0080C0),
    ]

    private static let cityscapesColors: [(String, UInt32)] = [
        ("road", 0x804080), ("sidewalk", 0xF423E8), ("building", 0x464646), ("wall", 0x66669C), ("fence", 0xBE9999),
        ("pole", 0x999999), ("traffic light", 0xFAAA1E), ("traffic sign", 0xDCDC00), ("vegetation", 0x6B8E23),
        ("terrain", 0x98FB98), ("sky", 0x4682B4), ("person", 0xDC143C), ("rider", 0xFF0000), ("car", 0x00008E),
        ("truck", 0x000046), ("bus", 0x003C64), ("train", 0x005064), ("motorcycle", 0x0000E6), ("bicycle", 0x770B20),
    ]

    private static let vocNames = [
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
        "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ]

    private static let vocPalette = Array(Palette.voc.prefix(21))

    /// The void's colour is that of 255.
    private static let vocLegend = Dictionary(
        zip(vocPalette + [Palette.voc[255]], Array(0..<21) + [Mask.ignored]), uniquingKeysWith: { $1 })

    /// The names are the first of the challenge's synonyms; of the two classes that share 0x8C8C8C it means the first.
    private static let ade20kColors: [(String, UInt32)] = [
        ("wall", 0x787878), ("building", 0xB47878), ("sky", 0x06E6E6), ("floor", 0x503232), ("tree", 0x04C803),
        ("ceiling", 0x787850), ("road", 0x8C8C8C), ("bed", 0xCC05FF), ("windowpane", 0xE6E6E6), ("grass", 0x04FA07),
        ("cabinet", 0xE005FF), ("sidewalk", 0xEBFF07), ("person", 0x96053D), ("earth", 0x787846), ("door", 0x08FF33),
        ("table", 0xFF0652), ("mountain", 0x8FFF8C), ("plant", 0xCCFF04), ("curtain", 0xFF3307), ("chair", 0xCC4603),
        ("car", 0x0066C8), ("water", 0x3DE6FA), ("painting", 0xFF0633), ("sofa", 0x0B66FF), ("shelf", 0xFF0747),
        ("house", 0xFF09E0), ("sea", 0x0907E6), ("mirror", 0xDCDCDC), ("rug", 0xFF095C), ("field", 0x7009FF),
        ("armchair", 0x08FFD6), ("seat", 0x07FFE0), ("fence", 0xFFB806), ("desk", 0x0AFF47), ("rock", 0xFF290A),
        ("wardrobe", 0x07FFFF), ("lamp", 0xE0FF08), ("bathtub", 0x6608FF), ("railing", 0xFF3D06),
        ("cushion", 0xFFC207), ("base", 0xFF7A08), ("box", 0x00FF14), ("column", 0xFF0829), ("signboard", 0xFF0599),
        ("chest of drawers", 0x0633FF), ("counter", 0xEB0CFF), ("sand", 0xA09614), ("sink", 0x00A3FF),
        ("skyscraper", 0x8C8C8C), ("fireplace", 0xFA0A0F), ("refrigerator", 0x14FF00), ("grandstand", 0x1FFF00),
        ("path", 0xFF1F00), ("stairs", 0xFFE000), ("runway", 0x99FF00), ("case", 0x0000FF), ("pool table", 0xFF4700),
        ("pillow", 0x00EBFF), ("screen door", 0x00ADFF), ("stairway", 0x1F00FF), ("river", 0x0BC8C8),
        ("bridge", 0xFF5200), ("bookcase", 0x00FFF5), ("blind", 0x003DFF), ("coffee table", 0x00FF70),
        ("toilet", 0x00FF85), ("flower", 0xFF0000), ("book", 0xFFA300), ("hill", 0xFF6600), ("bench", 0xC2FF00),
        ("countertop", 0x008FFF), ("stove", 0x33FF00), ("palm", 0x0052FF), ("kitchen island", 0x00FF29),
        ("computer", 0x00FFAD), ("swivel chair", 0x0A00FF), ("boat", 0xADFF00), ("bar", 0x00FF99),
        ("arcade machine", 0xFF5C00), ("hovel", 0xFF00FF), ("bus", 0xFF00F5), ("towel", 0xFF0066),
        ("light", 0xFFAD00), ("truck", 0xFF0014), ("tower", 0xFFB8B8), ("chandelier", 0x001FFF), ("awning", 0x00FF3D),
        ("streetlight", 0x0047FF), ("booth", 0xFF00CC), ("television", 0x00FFC2), ("airplane", 0x00FF52),
        ("dirt track", 0x000AFF), ("apparel", 0x0070FF), ("pole", 0x3300FF), ("land", 0x00C2FF),
        ("bannister", 0x007AFF), ("escalator", 0x00FFA3), ("ottoman", 0xFF9900), ("bottle", 0x00FF0A),
        ("buffet", 0xFF7000), ("poster", 0x8FFF00), ("stage", 0x5200FF), ("van", 0xA3FF00), ("ship", 0xFFEB00),
        ("fountain", 0x08B8AA), ("conveyer belt", 0x8500FF), ("canopy", 0x00FF5C), ("washer", 0xB800FF),
        ("plaything", 0xFF001F), ("swimming pool", 0x00B8FF), ("stool", 0x00D6FF), ("barrel", 0xFF0070),
        ("basket", 0x5CFF00), ("waterfall", 0x00E0FF), ("tent", 0x70E0FF), ("bag", 0x46B8A0), ("minibike", 0xA300FF),
        ("cradle", 0x9900FF), ("oven", 0x47FF00), ("ball", 0xFF00A3), ("food", 0xFFCC00), ("step", 0xFF008F),
        ("tank", 0x00FFEB), ("trade name", 0x85FF00), ("microwave", 0xFF00EB), ("pot", 0xF500FF),
        ("animal", 0xFF007A), ("bicycle", 0xFFF500), ("lake", 0x0ABED4), ("dishwasher", 0xD6FF00),
        ("screen", 0x00CCFF), ("blanket", 0x1400FF), ("sculpture", 0xFFFF00), ("hood", 0x0099FF),
        ("sconce", 0x0029FF), ("vase", 0x00FFCC), ("traffic light", 0x2900FF), ("tray", 0x29FF00),
        ("ashcan", 0xAD00FF), ("fan", 0x00F5FF), ("pier", 0x4700FF), ("crt screen", 0x7A00FF), ("plate", 0x00FFB8),
        ("monitor", 0x005CFF), ("bulletin board", 0xB8FF00), ("shower", 0x0085FF), ("radiator", 0xFFD600),
        ("glass", 0x19C2C2), ("clock", 0x66FF00), ("flag", 0x5C00FF),
    ]
}

extension ClassTable {
    /// Of names and colours as 0xRRGGBB; the colours in `ignored` stand for ignored pixels.
    fileprivate init(_ entries: [(name: String, color: UInt32)], ignored: [Color]) {
        let palette = entries.map { Color($0.color) }
        let legend = zip(palette + ignored, Array(0..<UInt8(palette.count)) + ignored.map { _ in Mask.ignored })
        self.init(
            names: entries.map(\.name), palette: palette,
            legend: Dictionary(Array(legend), uniquingKeysWith: { first, _ in first }))
    }
}
