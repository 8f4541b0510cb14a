public import LatheCore
public import LatheNN

/// A model by name.
private struct Entry: Sendable {
  let name: String
  let make: @Sendable (_ numClasses: Int) -> any Module<Tensor, Tensor>

  init(_ name: String, _ make: @escaping @Sendable (_ numClasses: Int) -> any Module<Tensor, Tensor>) {
    self.name = name
    self.make = make
  }

  static let all = [
    Entry("alexnet") { alexnet(numClasses: $0) },
    Entry("densenet121") { densenet121(numClasses: $0) },
    Entry("densenet161") { densenet161(numClasses: $0) },
    Entry("densenet169") { densenet169(numClasses: $0) },
    Entry("densenet201") { densenet201(numClasses: $0) },
    Entry("efficientnet_b0") { efficientnetB0(numClasses: $0) },
    Entry("efficientnet_b1") { efficientnetB1(numClasses: $0) },
    Entry("efficientnet_b2") { efficientnetB2(numClasses: $0) },
    Entry("efficientnet_b3") { efficientnetB3(numClasses: $0) },
    Entry("efficientnet_b4") { efficientnetB4(numClasses: $0) },
    Entry("efficientnet_b5") { efficientnetB5(numClasses: $0) },
    Entry("efficientnet_b6") { efficientnetB6(numClasses: $0) },
    Entry("efficientnet_b7") { efficientnetB7(numClasses: $0) },
    Entry("efficientnet_v2_l") { efficientnetV2L(numClasses: $0) },
    Entry("efficientnet_v2_m") { efficientnetV2M(numClasses: $0) },
    Entry("efficientnet_v2_s") { efficientnetV2S(numClasses: $0) },
    Entry("googlenet") { googlenet(numClasses: $0) },
    Entry("inception_v3") { inceptionV3(numClasses: $0) },
    Entry("mobilenet_v2") { mobilenetV2(numClasses: $0) },
    Entry("mobilenet_v3_large") { mobilenetV3Large(numClasses: $0) },
    Entry("mobilenet_v3_small") { mobilenetV3Small(numClasses: $0) },
    Entry("resnet101") { resnet101(numClasses: $0) },
    Entry("resnet152") { resnet152(numClasses: $0) },
    Entry("resnet18") { resnet18(numClasses: $0) },
    Entry("resnet34") { resnet34(numClasses: $0) },
    Entry("resnet50") { resnet50(numClasses: $0) },
    Entry("resnext101_32x8d") { resnext101_32x8d(numClasses: $0) },
    Entry("resnext101_64x4d") { resnext101_64x4d(numClasses: $0) },
    Entry("resnext50_32x4d") { resnext50_32x4d(numClasses: $0) },
    Entry("shufflenet_v2_x0_5") { shufflenetV2X0_5(numClasses: $0) },
    Entry("shufflenet_v2_x1_0") { shufflenetV2X1_0(numClasses: $0) },
    Entry("shufflenet_v2_x1_5") { shufflenetV2X1_5(numClasses: $0) },
    Entry("shufflenet_v2_x2_0") { shufflenetV2X2_0(numClasses: $0) },
    Entry("squeezenet1_0") { squeezenet1_0(numClasses: $0) },
    Entry("squeezenet1_1") { squeezenet1_1(numClasses: $0) },
    Entry("vgg11") { vgg11(numClasses: $0) },
    Entry("vgg11_bn") { vgg11BN(numClasses: $0) },
    Entry("vgg13") { vgg13(numClasses: $0) },
    Entry("vgg13_bn") { vgg13BN(numClasses: $0) },
    Entry("vgg16") { vgg16(numClasses: $0) },
    Entry("vgg16_bn") { vgg16BN(numClasses: $0) },
    Entry("vgg19") { vgg19(numClasses: $0) },
    Entry("vgg19_bn") { vgg19BN(numClasses: $0) },
    Entry("vit_b_16") { vitB16(numClasses: $0) },
    Entry("vit_b_32") { vitB32(numClasses: $0) },
    Entry("vit_h_14") { vitH14(numClasses: $0) },
    Entry("vit_l_16") { vitL16(numClasses: $0) },
    Entry("vit_l_32") { vitL32(numClasses: $0) },
    Entry("wide_resnet101_2") { wideResnet101_2(numClasses: $0) },
    Entry("wide_resnet50_2") { wideResnet50_2(numClasses: $0) },
  ]
}

/// The names of all models, torchvision's.
public func listModels() -> [String] { Entry.all.map(\.name) }

/// A model by torchvision's name, with its default options.
///
/// - Throws: That there is no such model.
public func getModel(_ name: String, numClasses: Int = 1000) throws(DiagnosticsError) -> any Module<Tensor, Tensor> {
  guard let entry = Entry.all.first(where: { $0.name == name }) else {
    throw DiagnosticsError(
      "there is no model '\(name)'", help: "there are \(Entry.all.map(\.name).joined(separator: ", "))")
  }
  return entry.make(numClasses)
}
