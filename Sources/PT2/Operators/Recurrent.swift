internal import LatheCore
internal import LatheNN

/// Recurrent layers.
extension Operator {
  static let recurrence: [String: Operator] = [
    "lstm.input": layers(.lstm), "gru.input": layers(.gru()), "rnn_tanh.input": layers(.tanh),
    "rnn_relu.input": layers(.relu), "lstm_cell": step(.lstm), "gru_cell": step(.gru()),
    "rnn_tanh_cell": step(.tanh), "rnn_relu_cell": step(.relu),
  ]

  private static func step(_ cell: RecurrentCell) -> Operator {
    .several { call throws(TypeFault) in
      let states = cell.stateCount == 1 ? [try call.tensor("hx")] : try call.tensors("hx")
      let weights = RecurrentWeights(
        try call.tensor("w_ih"), try call.tensor("w_hh"), try call.optional("b_ih"), try call.optional("b_hh"))
      return recurrentStep(cell, try call.tensor("input"), states, weights)
    }
  }

  private static func layers(_ cell: RecurrentCell) -> Operator {
    .several { call throws(TypeFault) in
      let states = cell.stateCount == 1 ? [try call.tensor("hx")] : try call.tensors("hx")
      let (parameters, hasBiases) = (try call.tensors("params"), try call.flag("has_biases"))
      let dropout = try call.flag("train") && !call.evaluating ? call.float("dropout") : 0
      call.ignore("dropout")
      let directions = try call.flag("bidirectional") ? 2 : 1
      let rows = try call.integer("num_layers") * directions
      let each = rows > 0 ? parameters.count / rows : 0
      guard each * rows == parameters.count, each == (hasBiases ? 4 : 2) || each == (hasBiases ? 5 : 3) else {
        throw TypeFault("\(parameters.count) parameters do not make \(rows) sets")
      }
      let sets = (0..<rows).map { row -> RecurrentWeights in
        let set = Array(parameters[row * each..<(row + 1) * each])
        return RecurrentWeights(
          set[0], set[1], hasBiases ? set[2] : nil, hasBiases ? set[3] : nil,
          projection: each % 2 == 1 ? set[each - 1] : nil)
      }
      let (output, last) = recurrent(
        cell, try call.tensor("input"), states,
        weights: stride(from: 0, to: rows, by: directions).map { Array(sets[$0..<$0 + directions]) },
        batchFirst: try call.flag("batch_first"),
        dropout: dropout)
      return [output] + last
    }
  }
}
