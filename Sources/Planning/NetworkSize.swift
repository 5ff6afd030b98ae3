import Configurations

/// Sizes of network that a plan chooses from: filters of the cells, and a stem and a head that fit them.
///
/// The head is separable, so that the larger part of the multiply-adds is in what is searched.
struct NetworkSize: Equatable {
    let filters: Int
    let stem: [Int]
    let aspp: Int
    let decoder: Int
    let lowLevel: Int
    let fine: Int

    static let all = [
        NetworkSize(filters: 4, stem: [12, 12, 24], aspp: 32, decoder: 24, lowLevel: 16, fine: 12),
        NetworkSize(filters: 6, stem: [16, 16, 32], aspp: 48, decoder: 32, lowLevel: 24, fine: 16),
        NetworkSize(filters: 8, stem: [16, 16, 32], aspp: 64, decoder: 48, lowLevel: 24, fine: 16),
        NetworkSize(filters: 12, stem: [24, 24, 48], aspp: 96, decoder: 64, lowLevel: 32, fine: 24),
        NetworkSize(filters: 20, stem: [32, 32, 64], aspp: 128, decoder: 96, lowLevel: 48, fine: 32),
        NetworkSize(filters: 32, stem: [64, 64, 128], aspp: 256, decoder: 192, lowLevel: 48, fine: 48),
    ]

    /// Puts the sizes into a configuration.
    func settle(_ train: inout TrainConfiguration) {
        train.filters = filters
        train.stemChannels = stem
        train.asppChannels = aspp
        train.decoderChannels = decoder
        train.lowLevelChannels = lowLevel
        train.fineChannels = fine
        train.head = .separable
    }
}
