import Foundation
public import LatheCore
import SwiftProtobuf

/// The value of a hyperparameter in TensorBoard's table.
public enum HyperParameter: Hashable, Sendable {
  /// A number.
  case number(Double)
  /// A word.
  case text(String)
  /// True or false.
  case flag(Bool)

  fileprivate var value: Google_Protobuf_Value {
    switch self {
    case .number(let number): Google_Protobuf_Value(numberValue: number)
    case .text(let text): Google_Protobuf_Value(stringValue: text)
    case .flag(let flag): Google_Protobuf_Value(boolValue: flag)
    }
  }

  fileprivate var type: Tensorboard_HParamDataType {
    switch self {
    case .number: .dataTypeFloat64
    case .text: .dataTypeString
    case .flag: .dataTypeBool
    }
  }
}

extension HyperParameter: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral
{
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A number.
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
  /// A text.
  public init(stringLiteral value: String) { self = .text(value) }
  /// A flag.
  public init(booleanLiteral value: Bool) { self = .flag(value) }
}

extension SummaryWriter {
  /// Adds a row to the table of runs by hyperparameters: `add_hparams`.
  ///
  /// The row is a run of its own, in a folder in ``logDir``.
  ///
  /// - Parameters:
  ///   - hparamDict: The hyperparameters by name.
  ///   - metricDict: What the run came to, by names that no other chart has.
  ///   - hparamDomainDiscrete: All values that hyperparameters can have.
  ///   - runName: The folder; by default the time.
  ///   - globalStep: The step that is recorded.
  /// - Throws: For values of other types than the hyperparameter; that the file cannot be written.
  public func addHparams(
    _ hparamDict: [String: HyperParameter], _ metricDict: [String: Double],
    hparamDomainDiscrete: [String: [HyperParameter]] = [:], runName: String? = nil, globalStep: Int? = nil
  ) throws(DiagnosticsError) {
    for (name, values) in hparamDomainDiscrete.sorted(by: { $0.key < $1.key }) {
      guard let value = hparamDict[name], values.allSatisfy({ $0.type == value.type }) else {
        throw DiagnosticsError("hparams: '\(name)' is no hyperparameter with values of that type")
      }
    }
    let metrics = metricDict.sorted { $0.key < $1.key }
    let experiment = Tensorboard_Experiment.with {
      $0.hparamInfos = hparamDict.sorted { $0.key < $1.key }.map { name, value in
        .with {
          $0.name = name
          $0.type = value.type
          if let domain = hparamDomainDiscrete[name] { $0.domainDiscrete.values = domain.map(\.value) }
        }
      }
      $0.metricInfos = metrics.map { metric in .with { $0.name.tag = metric.key } }
    }
    let start = Tensorboard_SessionStartInfo.with { $0.hparams = hparamDict.mapValues(\.value) }
    let end = Tensorboard_SessionEndInfo.with { $0.status = .statusSuccess }
    let data: [(String, Tensorboard_HParamsPluginData.OneOf_Data)] = [
      ("experiment", .experiment(experiment)), ("session_start_info", .sessionStartInfo(start)),
      ("session_end_info", .sessionEndInfo(end)),
    ]
    let name = runName ?? "\(Date().timeIntervalSince1970)"
    let writer = try SummaryWriter(logDir: "\(logDir)/\(name)")
    for (tag, data) in data {
      let content = Tensorboard_HParamsPluginData.with { $0.data = data }
      try writer.add(
        Self.value("_hparams_/" + tag, plugin: "hparams", content: content.encoded), globalStep, nil)
    }
    for (tag, number) in metrics { try writer.addScalar(tag, number, globalStep: globalStep) }
    try writer.close()
  }
}
