import LatheCore
import LatheNN

extension GoldenCall {
  func shape(_ name: String) -> [Tensor]? {
    let x = inputs.first ?? builder.poison
    switch name {
    case "reshape", "view": return [x.view(sizes(from: 1))]
    case "flatten": return [x.flatten(startDim: int(1, "start_dim") ?? 0, endDim: int(2, "end_dim") ?? -1)]
    case "ravel": return [x.flatten()]
    case "unflatten": return [x.unflatten(dim: int(1) ?? 0, ints(2) ?? [])]
    case "squeeze": return [ints(1).map { x.squeeze(dim: $0) } ?? x.squeeze()]
    case "unsqueeze": return [x.unsqueeze(dim: int(1) ?? 0)]
    case "t": return [x.t()]
    case "transpose", "swapaxes": return [x.transpose(int(1) ?? 0, int(2) ?? 0)]
    case "permute": return [x.permute(dims: sizes(from: 1))]
    case "movedim": return [x.movedim(ints(1) ?? [], ints(2) ?? [])]
    case "expand", "broadcast_to": return [x.expand(sizes(from: 1).map { Dim($0) })]
    case "repeat": return [x.repeat(sizes(from: 1))]
    case "tile": return [x.tile(sizes(from: 1))]
    case "repeat_interleave": return int(1).map { [x.repeatInterleave($0, dim: int(99, "dim"))] }
    case "roll":
      guard let dims = ints(2) else {
        return [x.flatten().roll(shifts: ints(1) ?? [], dims: 0).viewAs(x)]
      }
      return [x.roll(shifts: ints(1) ?? [], dims: dims)]
    case "rot90": return [x.rot90(int(1) ?? 1, dims: ints(2) ?? [0, 1])]
    case "flip": return [x.flip(dims: ints(1) ?? [])]
    case "fliplr": return [x.flip(dims: 1)]
    case "flipud": return [x.flip(dims: 0)]
    case "narrow": return [x.narrow(dim: int(1) ?? 0, start: int(2) ?? 0, length: int(3) ?? 0)]
    case "select": return [x.select(dim: int(1) ?? 0, index: int(2) ?? 0)]
    case "unbind": return Array(x.unbind(dim: int(1, "dim") ?? 0))
    case "chunk": return Array(x.chunk(int(1) ?? 1, dim: int(2, "dim") ?? 0))
    case "split":
      if let size = int(1) { return Array(x.split(size, dim: int(2, "dim") ?? 0)) }
      return Array(x.split(ints(1) ?? [], dim: int(2, "dim") ?? 0))
    case "tensor_split":
      if let count = int(1) { return Array(x.tensorSplit(count, dim: int(2, "dim") ?? 0)) }
      return Array(x.tensorSplit(at: ints(1) ?? [], dim: int(2, "dim") ?? 0))
    case "hsplit": return Array(x.tensorSplit(int(1) ?? 1, dim: x.rank == 1 ? 0 : 1))
    case "unfold": return [x.unfold(dimension: int(1) ?? 0, size: int(2) ?? 1, step: int(3) ?? 1)]
    case "atleast_2d": return [x.rank >= 2 ? x : x.rank == 1 ? x.unsqueeze(dim: 0) : x.view([1, 1])]
    case "diag": return [x.diag(diagonal: int(1, "diagonal") ?? 0)]
    case "diagonal":
      return [
        x.diagonal(offset: int(1, "offset") ?? 0, dim1: int(2, "dim1") ?? 0, dim2: int(3, "dim2") ?? 1)
      ]
    case "diag_embed": return [x.diagEmbed(offset: int(1, "offset") ?? 0)]
    case "tril": return [x.tril(diagonal: int(1, "diagonal") ?? 0)]
    case "triu": return [x.triu(diagonal: int(1, "diagonal") ?? 0)]
    default: return nil
    }
  }

  func joining(_ name: String) -> [Tensor]? {
    switch name {
    case "cat": return [cat(tensors(0), dim: int(1, "dim") ?? 0)]
    case "concat": return [concat(tensors(0), dim: int(1, "dim") ?? 0)]
    case "stack": return [stack(tensors(0), dim: int(1, "dim") ?? 0)]
    case "hstack": return [hstack(tensors(0))]
    case "vstack": return [vstack(tensors(0))]
    case "dstack": return [dstack(tensors(0))]
    case "column_stack": return [columnStack(tensors(0))]
    case "meshgrid": return meshgrid(inputs, indexing: text(99, "indexing") == "xy" ? .xy : .ij)
    case "block_diag": return [blockDiag(inputs)]
    case "cartesian_prod": return [cartesianProd(inputs)]
    case "broadcast_tensors": return broadcastTensors(inputs)
    default: return nil
    }
  }

  func indexing(_ name: String) -> [Tensor]? {
    let x = inputs.first ?? builder.poison
    switch name {
    case "index_select": return [x.indexSelect(dim: int(1) ?? 0, tensor(2))]
    case "gather": return [x.gather(dim: int(1) ?? 0, tensor(2))]
    case "take": return [x.flatten().take(dim: 0, tensor(1))]
    case "take_along_dim": return [x.takeAlongDim(tensor(1), dim: int(99, "dim") ?? 0)]
    case "__getitem__":
      if let index = int(1) { return [x.select(dim: 0, index: index)] }
      guard let index = optional(1), index.dtype.isInteger else { return nil }
      return [x.take(dim: 0, index)]
    case "scatter":
      guard let source = optional(3) else {
        return [x.scatter(dim: int(1) ?? 0, tensor(2), value: double(3) ?? 0)]
      }
      switch text(99, "reduce") {
      case "add": return [x.scatter(dim: int(1) ?? 0, tensor(2), source, reduce: .sum)]
      case "multiply": return [x.scatter(dim: int(1) ?? 0, tensor(2), source, reduce: .prod)]
      default: return [x.scatter(dim: int(1) ?? 0, tensor(2), source)]
      }
    case "scatter_add": return [x.scatterAdd(dim: int(1) ?? 0, tensor(2), tensor(3))]
    case "scatter_reduce":
      guard let reduce = text(4).flatMap({ ScatterReduction(rawValue: $0) }) else { return nil }
      return [
        x.scatterReduce(
          dim: int(1) ?? 0, tensor(2), tensor(3), reduce: reduce, includeSelf: boolean(99, "include_self") ?? true)
      ]
    case "index_reduce":
      guard let reduce = text(4).flatMap({ ScatterReduction(rawValue: $0) }) else { return nil }
      return [
        x.indexReduce(
          dim: int(1) ?? 0, tensor(2), tensor(3), reduce: reduce, includeSelf: boolean(99, "include_self") ?? true)
      ]
    case "index_add":
      return [x.indexAdd(dim: int(1) ?? 0, tensor(2), tensor(3), alpha: double(99, "alpha") ?? 1)]
    case "index_copy": return [x.indexCopy(dim: int(1) ?? 0, tensor(2), tensor(3))]
    case "index_fill": return [x.indexFill(dim: int(1) ?? 0, tensor(2), double(3) ?? 0)]
    case "index_put": return [x.indexPut(tensors(1), tensor(2), accumulate: flag(99, "accumulate"))]
    case "masked_fill":
      if let value = optional(2) { return [x.maskedFill(tensor(1), value)] }
      return [x.maskedFill(tensor(1), double(2) ?? 0)]
    case "masked_scatter": return [x.maskedScatter(tensor(1), tensor(2))]
    case "select_scatter": return [x.selectScatter(tensor(1), dim: int(2) ?? 0, index: int(3) ?? 0)]
    case "slice_scatter":
      return [
        x.sliceScatter(
          tensor(1), dim: int(2, "dim") ?? 0, start: int(3, "start") ?? 0, end: int(4, "end"),
          step: int(5, "step") ?? 1)
      ]
    default: return nil
    }
  }

  func creation(_ name: String) -> [Tensor]? {
    switch name {
    case "eye": return [builder.eye(int(0) ?? 0, int(1), dtype: .f64)]
    case "zeros": return [builder.zeros(sizes(from: 0), dtype: .f64)]
    case "ones": return [builder.ones(sizes(from: 0), dtype: .f64)]
    case "full": return [builder.full(ints(0) ?? [], double(1) ?? 0, dtype: .f64)]
    case "arange":
      if arguments.count == 1 { return [builder.arange(int(0) ?? 0)] }
      if let start = int(0), let end = int(1), arguments.count == 2 || int(2) != nil {
        return [builder.arange(start, end, step: int(2) ?? 1)]
      }
      return [withDefaultDtype(.f64) { builder.arange(double(0) ?? 0, double(1) ?? 0, step: double(2) ?? 1) }]
    case "linspace": return [builder.linspace(double(0) ?? 0, double(1) ?? 0, steps: int(2) ?? 0, dtype: .f64)]
    case "logspace":
      return [
        builder.logspace(
          double(0) ?? 0, double(1) ?? 0, steps: int(2) ?? 0, base: double(99, "base") ?? 10, dtype: .f64)
      ]
    case "tril_indices": return [builder.trilIndices(int(0) ?? 0, int(1) ?? 0, offset: int(2) ?? 0)]
    case "triu_indices": return [builder.triuIndices(int(0) ?? 0, int(1) ?? 0, offset: int(2) ?? 0)]
    case "vander": return [tensor(0).vander(int(1), increasing: flag(2, "increasing"))]
    case "zeros_like": return [tensor(0).zerosLike()]
    case "ones_like": return [tensor(0).onesLike()]
    case "full_like": return [tensor(0).fullLike(double(1) ?? 0)]
    default: return nil
    }
  }

  func product(_ name: String) -> [Tensor]? {
    let (beta, alpha) = (double(99, "beta") ?? 1, double(99, "alpha") ?? 1)
    switch name {
    case "mm": return [mm(tensor(0), tensor(1))]
    case "bmm": return [bmm(tensor(0), tensor(1))]
    case "mv": return [mv(tensor(0), tensor(1))]
    case "dot", "vdot": return [dot(tensor(0), tensor(1))]
    case "inner": return [inner(tensor(0), tensor(1))]
    case "outer": return [outer(tensor(0), tensor(1))]
    case "matmul": return [matmul(tensor(0), tensor(1))]
    case "addmm": return [addmm(tensor(0), tensor(1), tensor(2), beta: beta, alpha: alpha)]
    case "addmv": return [addmv(tensor(0), tensor(1), tensor(2), beta: beta, alpha: alpha)]
    case "addr": return [addr(tensor(0), tensor(1), tensor(2), beta: beta, alpha: alpha)]
    case "addbmm": return [addbmm(tensor(0), tensor(1), tensor(2), beta: beta, alpha: alpha)]
    case "baddbmm": return [baddbmm(tensor(0), tensor(1), tensor(2), beta: beta, alpha: alpha)]
    case "cross": return [cross(tensor(0), tensor(1), dim: int(2, "dim") ?? -1)]
    case "kron": return [kron(tensor(0), tensor(1))]
    case "tensordot":
      if let count = int(99, "dims") { return [tensordot(tensor(0), tensor(1), dims: count)] }
      guard case .list(let lists) = argument(99, "dims"), lists.count == 2 else { return nil }
      let axes = lists.map { list -> [Int] in
        guard case .list(let items) = list else { return [] }
        return items.compactMap { if case .integer(let value) = $0 { value } else { nil } }
      }
      return [tensordot(tensor(0), tensor(1), dims: (axes[0], axes[1]))]
    case "einsum": return [einsum(text(0) ?? "", inputs)]
    default: return nil
    }
  }

  func recurrent(_ name: String) -> [Tensor]? {
    let cells: [String: RecurrentCell] = [
      "rnn_tanh_cell": .tanh, "rnn_relu_cell": .relu, "gru_cell": .gru(), "lstm_cell": .lstm,
    ]
    guard let cell = cells[name] else { return nil }
    let states = cell == .lstm ? tensors(1) : [tensor(1)]
    return recurrentStep(
      cell, tensor(0), states, RecurrentWeights(tensor(2), tensor(3), optional(4), optional(5)))
  }
}
