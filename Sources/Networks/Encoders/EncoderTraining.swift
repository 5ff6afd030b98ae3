/// What a training step does with an encoder.
public enum EncoderTraining: Hashable, Sendable {
    /// As with the rest of the network.
    case whole
    /// Its weights are trained, by batch normalisation with the statistics that it has, which stay.
    case fixedStatistics
    /// It stays as it is: no gradients.
    case frozen
}
