/// A convolution whose products are in memory: what is left is to put its results together.
struct TransformedConvolution {
  let algorithm: Winograd
  /// `[product][channel / block][image][row][column][block]`.
  var products: BufferID
  let batch: Int
  let channels: Int
  /// Neighbouring channels.
  let block: Int
  /// Squares along both axes.
  let tiles: [Int]

  /// Elements of one product.
  private var stride: Int { channels * batch * tiles[0] * tiles[1] }

  /// The position of the first product of a square.
  func position(_ image: Index, _ channel: Index, _ row: Index, _ column: Index) -> Index {
    let outer = Index.flattened(
      [channel.floorDivided(by: block), image, row, column], shape: [channels / block, batch, tiles[0], tiles[1]])
    return outer * block + channel.modulo(block)
  }

  /// The position of a product of a square whose first is at `first`.
  func position(_ product: Int, _ first: Index) -> Index { first + product * stride }

  /// Elements of all products.
  var count: Int { algorithm.productCount * stride }

  /// A result, by the index of an image: `[image, channel, row, column]`.
  ///
  /// The place in the square is known: kernels of transformed convolutions go square by square.
  func element(_ index: [Index], _ squares: TransformedSquares, _ scalars: ScalarBuilder) -> Scalar {
    let size = algorithm.size
    guard let row = index[2].modulo(size).known, let column = index[3].modulo(size).known else {
      internalError("an element of a square is not at a place of its own: \(index)")
    }
    let first = position(
      index[0], index[1], index[2].floorDivided(by: size), index[3].floorDivided(by: size))
    return squares.results(first) {
      let window = algorithm.window
      let loaded = (0..<window).map { i in
        (0..<window).map { j in scalars.load(products, position(i * window + j, first), .f32) }
      }
      return algorithm.output(loaded, scalars)
    }[row][column]
  }
}

/// The results of squares that were asked for, so that they are put together once.
final class TransformedSquares {
  private var known: [Index: [[Scalar]]] = [:]

  func results(_ position: Index, _ make: () -> [[Scalar]]) -> [[Scalar]] {
    if let results = known[position] { return results }
    let results = make()
    known[position] = results
    return results
  }
}

extension GraphLowering {
  /// The steps before a kernel that transform the input of its convolution and multiply, where it is to be computed by
  /// Winograd's algorithm and the layouts on both sides allow it.
  mutating func transformConvolution(of root: Int, into place: Place, _ region: inout Region) -> [Step] {
    for member in region.groups.members(of: root, in: region.graph) {
      let node = region.graph.nodes[member]
      guard let algorithm = region.layouts.transforms[member],
        case .convolution(let convolution) = node.operation,
        case .constant(let weight) = region.graph[node.operands[1]].operation,
        let shape = node.types[0].shape.known,
        let source = storage(node.operands[0], region), let sourceLayout = source.layout,
        let inputBlock = sourceLayout.innermostBlock(of: 1), let block = place.layout?.innermostBlock(of: 1)
      else { continue }
      let tiles = [algorithm.tiles(shape[2]), algorithm.tiles(shape[3])]
      let reaches = (0..<2).allSatisfy { axis in
        let read = -convolution.low[axis]..<tiles[axis] * algorithm.size + 2 - convolution.low[axis]
        let readable = sourceLayout.readable(2 + axis)
        return readable.lowerBound <= read.lowerBound && read.upperBound <= readable.upperBound
      }
      guard reaches else { continue }
      let location = region.graph.locations[member]
      let nodes = region.isModel ? [member] : []
      let inputs = weight.array.shape[1]
      let path = location.modulePath.map { $0 + "_" } ?? ""
      func transformed(_ name: String, _ channels: Int, _ block: Int) -> TransformedConvolution {
        var result = TransformedConvolution(
          algorithm: algorithm, products: BufferID(0), batch: shape[0], channels: channels, block: block, tiles: tiles)
        let type = TensorType(.f32, [Dim(result.count)])
        result.products = buffer(path + name, type, .temporary, location)
        return result
      }
      let windows = transformed("windows", inputs, inputBlock)
      let products = transformed("products", shape[1], block)
      let name = (region.graph.locations[Int(node.operands[1].node)].node ?? path + "weight") + "_transformed"
      let weights = constant(ConstantContent(weight.array).transformed(by: algorithm), name, location)

      let first = ScalarBuilder()
      let input = kernelLowering(first, region).transform(
        TensorExpression(
          region.graph.type(of: node.operands[0]), in: source.buffer, from: source.start, sourceLayout, first),
        low: convolution.low, into: windows)
      var steps = self.steps(input, region, title("winograd windows", at: location), nodes: nodes, location: location)
      let second = ScalarBuilder()
      let product = kernelLowering(second, region).multiply(windows, weights, into: products)
      steps += self.steps(product, region, title("winograd products", at: location), nodes: nodes, location: location)
      region.transformed[Value(node: member)] = products
      return steps
    }
    return []
  }
}

extension Layout {
  /// The size of the blocks of an axis, where they lie innermost.
  func innermostBlock(of axis: Int) -> Int? {
    guard let last = digits.last, last.axis == axis, last.stride == 1,
      digits.contains(where: { $0.axis == axis && $0.divisor == last.extent })
    else { return nil }
    return last.extent
  }
}

extension KernelLowering {
  /// Transforms the windows of all squares.
  fileprivate func transform(
    _ image: TensorExpression, low: [Int], into windows: TransformedConvolution
  ) -> Result {
    let algorithm = windows.algorithm
    let domain = scalars.variables(
      [windows.channels / windows.block, windows.batch, windows.tiles[0], windows.tiles[1], windows.block])
    let channel = Index(domain[0]) * windows.block + Index(domain[4])
    let (row, column) = (Index(domain[2]), Index(domain[3]))
    let window = (0..<algorithm.window).map { i in
      (0..<algorithm.window).map { j in
        image[
          [
            Index(domain[1]), channel, row * algorithm.size + (i - low[0]), column * algorithm.size + (j - low[1]),
          ]]
      }
    }
    let first = windows.position(Index(domain[1]), channel, row, column)
    let values = algorithm.input(window, scalars).flatMap { $0 }
    let stores = values.indices.map {
      Nest.Store(buffer: windows.products, position: windows.position($0, first), value: values[$0])
    }
    return lower(inLanes: [Nest(scalars: scalars, domain: domain, stores: stores)])
  }

  /// Multiplies windows by weights `[product][in][out]`, summed over channels.
  fileprivate func multiply(
    _ windows: TransformedConvolution, _ weights: BufferID, into products: TransformedConvolution
  ) -> Result {
    let squares = windows.batch * windows.tiles[0] * windows.tiles[1]
    let domain = scalars.variables(
      [windows.algorithm.productCount, products.channels / products.block, squares, products.block])
    let summed = scalars.variables([windows.channels / windows.block, windows.block])
    let output = Index(domain[1]) * products.block + Index(domain[3])
    let input = Index(summed[0]) * windows.block + Index(summed[1])
    let left = scalars.load(
      windows.products,
      Index.flattened(
        [Index(domain[0]), Index(summed[0]), Index(domain[2]), Index(summed[1])],
        shape: [domain[0].extent, summed[0].extent, squares, windows.block]), .f32)
    let right = scalars.load(
      weights,
      Index.flattened(
        [Index(domain[0]), input, output], shape: [domain[0].extent, windows.channels, products.channels]), .f32)
    let nest = Nest(
      scalars: scalars, domain: domain.filter { $0.extent != 1 },
      stores: [
        Nest.Store(
          buffer: products.products,
          position: Index.flattened(domain.map { Index($0) }, shape: domain.map(\.extent)),
          value: scalars.reduce(.sum, summed, scalars.pointwise(.multiply, left, right)))
      ])
    return lower(nest)
  }

  /// Lowers an image's elements in squares along its two last axes, the channels of a block in lanes.
  func lower(
    _ element: ([Index]) -> Scalar, inSquaresOf size: Int, layout: Layout, into buffer: BufferID, at start: Index
  ) -> Result {
    /// The squares along an axis: those that are whole, and the rest.
    func parts(_ axis: Int) -> [(count: Int, first: Int, size: Int)] {
      let extent = layout.shape[axis]
      return [(extent / size, 0, size), (extent % size == 0 ? 0 : 1, extent / size, extent % size)]
        .filter { $0.0 > 0 }
    }
    let block = layout.innermostBlock(of: 1) ?? 1
    var nests: [Nest] = []
    for rows in parts(2) {
      for columns in parts(3) {
        let domain = scalars.variables([layout.shape[0], layout.shape[1] / block, rows.count, columns.count, block])
        var stores: [Nest.Store] = []
        for row in 0..<rows.size {
          for column in 0..<columns.size {
            let index = [
              Index(domain[0]), Index(domain[1]) * block + Index(domain[4]),
              (Index(domain[2]) + rows.first) * size + row, (Index(domain[3]) + columns.first) * size + column,
            ]
            stores.append(
              Nest.Store(buffer: buffer, position: start + layout.position(index), value: element(index)))
          }
        }
        nests.append(Nest(scalars: scalars, domain: domain, stores: stores))
      }
    }
    return lower(inLanes: nests)
  }

  /// Lowers straight-line nests over squares, whose last variable runs over the channels of a block, in lanes.
  private func lower(inLanes nests: [Nest]) -> Result {
    var parts: [[Statement]] = []
    var used = (registers: 0, locals: 0)
    for nest in nests {
      var nest = nest
      nest.domain.removeAll { $0.extent == 1 }
      let width = target.lanes(.f32)
      if target.order != nil, let lanes = nest.domain.last, lanes.extent > width {
        nest = nest.split(lanes, by: width).nest
      }
      // Every element that is stored takes a few operations.
      let work = nest.domain.reduce(4 * nest.stores.count) { $0 * $1.extent }
      var emitter = NestEmitter(scalars, parameters: parameters, nextRegister: used.registers, nextLocal: used.locals)
      parts.append(
        emitter.emit(inLanes: nest, parallelCount: Tile.parallel(Array(nest.domain.dropLast()), work: work)))
      used = emitter.used
    }
    return Result(parts: parts, macs: 0, inPlace: [])
  }
}
