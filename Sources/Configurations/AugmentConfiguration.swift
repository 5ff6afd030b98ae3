/// Augmentation beyond scale, crop and flip; all of it is off by default, and in the paper.
public struct AugmentConfiguration: Encodable, Equatable, Sendable {
    /// Largest share of one class among a crop's labelled pixels, by which other places are tried; 1 is off.
    public var maximumClassShare = 1.0
    /// Largest change of brightness, as a share; 0 is off.
    public var brightness = 0.0
    /// Largest change of contrast, as a share; 0 is off.
    public var contrast = 0.0
    /// Largest change of saturation, as a share; 0 is off.
    public var saturation = 0.0
    /// Largest change of hue, as a share of a full turn; 0 is off.
    public var hue = 0.0
    /// Strongest blur, as a standard deviation in pixels, on half of the crops; 0 is off.
    public var blur = 0.0
    /// Largest rotation to either side in degrees; 0 is off.
    public var rotation = 0.0

    /// All off.
    public init() {}
}
