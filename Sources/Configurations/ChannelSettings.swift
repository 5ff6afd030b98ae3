import Images

extension Configuration {
    /// Checks that nothing asks for colours of images that have none.
    func validateChannels() throws(ConfigurationError) {
        let channels = data.channels
        guard Image.canShow(data.shown, of: channels) else {
            throw ConfigurationError(
                .contradiction, "data.shown: \(data.shown), where data.channels is \(channels): count channels from 0")
        }
        guard channels != 3 else { return }
        if let encoder = train.encoder.kind, train.encoderWeights != "none" {
            throw ConfigurationError(
                .contradiction,
                "train.encoder: \(encoder.rawValue) has learnt from 3 channels, and data.channels is \(channels): set"
                    + " train.encoderWeights to none, which trains it from scratch")
        }
        if let encoder = search.stem.encoder {
            throw ConfigurationError(
                .contradiction,
                "search.stem: \(encoder.rawValue) sees 3 channels, and data.channels is \(channels): set search.stem to paper"
            )
        }
        for (group, augment) in [("search", search.augment), ("train", train.augment)] {
            for (name, value) in [("saturation", augment.saturation), ("hue", augment.hue)] where value > 0 {
                throw ConfigurationError(
                    .contradiction,
                    "\(group).augment.\(name): \(value), which images without colours (data.channels is \(channels)) do not have:"
                        + " set it to 0")
            }
        }
    }
}
