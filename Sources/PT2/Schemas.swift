/// PyTorch's schemas of the operators that have rows, written by tools/models/schemas.py: an overload's name and its
/// parameters, with what stands for those that are left out. `&` marks one whose memory the results are in, `!` one
/// that is written to.
extension Schema {
  static let text = """
    __and__.Scalar self other
    __and__.Tensor self other
    __lshift__.Scalar self other
    __lshift__.Tensor self other
    __or__.Scalar self other
    __or__.Tensor self other
    __rshift__.Scalar self other
    __rshift__.Tensor self other
    __xor__.Scalar self other
    __xor__.Tensor self other
    _adaptive_avg_pool2d self output_size
    _adaptive_avg_pool3d self output_size
    _assert_async self
    _assert_async.msg self assert_msg
    _assert_scalar self assert_msg
    _assert_tensor_metadata a size stride dtype device layout
    _cdist_forward x1 x2 p compute_mode
    _is_all_true self
    _log_softmax self dim half_to_float
    _native_batch_norm_legit input weight bias running_mean! running_var! training momentum eps
    _native_batch_norm_legit.no_stats input weight bias training momentum eps
    _native_batch_norm_legit_functional input weight bias running_mean running_var training momentum eps
    _native_batch_norm_legit_no_training input weight bias running_mean running_var momentum eps
    _safe_softmax self dim dtype
    _softmax self dim half_to_float
    _to_copy self dtype layout device pin_memory non_blocking=false memory_format
    _unique2 self sorted=true return_inverse=false return_counts=false
    _unsafe_view self size
    _upsample_bicubic2d_aa self output_size align_corners scales_h scales_w
    _upsample_bicubic2d_aa.vec input output_size align_corners scale_factors
    _upsample_bilinear2d_aa self output_size align_corners scales_h scales_w
    _upsample_bilinear2d_aa.vec input output_size align_corners scale_factors
    _upsample_nearest_exact2d self output_size scales_h scales_w
    _upsample_nearest_exact2d.vec input output_size scale_factors
    _weight_norm v g dim=0
    abs self
    abs_ self!
    acos self
    acos_ self!
    acosh self
    acosh_ self!
    adaptive_avg_pool1d self output_size
    adaptive_avg_pool2d self output_size
    adaptive_avg_pool3d self output_size
    adaptive_max_pool1d self output_size
    adaptive_max_pool2d self output_size
    add a b
    add.Scalar self other alpha=1
    add.Tensor self other alpha=1
    add_.Scalar self! other alpha=1
    add_.Tensor self! other alpha=1
    addbmm self batch1 batch2 beta=1 alpha=1
    addbmm_ self! batch1 batch2 beta=1 alpha=1
    addcdiv self tensor1 tensor2 value=1
    addcdiv_ self! tensor1 tensor2 value=1
    addcmul self tensor1 tensor2 value=1
    addcmul_ self! tensor1 tensor2 value=1
    addmm self mat1 mat2 beta=1 alpha=1
    addmm.dtype self mat1 mat2 out_dtype beta=1 alpha=1
    addmm_ self! mat1 mat2 beta=1 alpha=1
    addmv self mat vec beta=1 alpha=1
    addmv_ self! mat vec beta=1 alpha=1
    affine_grid_generator theta size align_corners
    alias self&
    all self
    all.dim self dim keepdim=false
    all.dims self dim keepdim=false
    amax self dim=[] keepdim=false
    amin self dim=[] keepdim=false
    aminmax self dim keepdim=false
    any self
    any.dim self dim keepdim=false
    any.dims self dim keepdim=false
    arange end dtype layout device pin_memory
    arange.start start end dtype layout device pin_memory
    arange.start_step start end step=1 dtype layout device pin_memory
    argmax self dim keepdim=false
    argmin self dim keepdim=false
    argsort self dim=-1 descending=false
    argsort.stable self stable dim=-1 descending=false
    as_strided self& size stride storage_offset
    as_strided_ self! size stride storage_offset
    asin self
    asin_ self!
    asinh self
    asinh_ self!
    atan self
    atan2 self other
    atan2_ self! other
    atan_ self!
    atanh self
    atanh_ self!
    avg_pool1d self kernel_size stride=[] padding=[0] ceil_mode=false count_include_pad=true
    avg_pool2d self kernel_size stride=[] padding=0 ceil_mode=false count_include_pad=true divisor_override
    avg_pool3d self kernel_size stride=[] padding=0 ceil_mode=false count_include_pad=true divisor_override
    baddbmm self batch1 batch2 beta=1 alpha=1
    baddbmm.dtype self batch1 batch2 out_dtype beta=1 alpha=1
    baddbmm_ self! batch1 batch2 beta=1 alpha=1
    batch_norm input weight bias running_mean running_var training momentum eps cudnn_enabled
    bernoulli self generator
    bernoulli.Tensor self p generator
    bernoulli.p self p generator
    bernoulli_.Tensor self! p generator
    bernoulli_.float self! p=0.5 generator
    bilinear input1 input2 weight bias
    binary_cross_entropy self target weight reduction=1
    binary_cross_entropy_with_logits self target weight pos_weight reduction=1
    bitwise_and.Scalar self other
    bitwise_and.Scalar_Tensor self other
    bitwise_and.Tensor self other
    bitwise_and_.Scalar self! other
    bitwise_and_.Tensor self! other
    bitwise_left_shift.Scalar_Tensor self other
    bitwise_left_shift.Tensor self other
    bitwise_left_shift.Tensor_Scalar self other
    bitwise_left_shift_.Tensor self! other
    bitwise_left_shift_.Tensor_Scalar self! other
    bitwise_not self
    bitwise_not_ self!
    bitwise_or.Scalar self other
    bitwise_or.Scalar_Tensor self other
    bitwise_or.Tensor self other
    bitwise_or_.Scalar self! other
    bitwise_or_.Tensor self! other
    bitwise_right_shift.Scalar_Tensor self other
    bitwise_right_shift.Tensor self other
    bitwise_right_shift.Tensor_Scalar self other
    bitwise_right_shift_.Tensor self! other
    bitwise_right_shift_.Tensor_Scalar self! other
    bitwise_xor.Scalar self other
    bitwise_xor.Scalar_Tensor self other
    bitwise_xor.Tensor self other
    bitwise_xor_.Scalar self! other
    bitwise_xor_.Tensor self! other
    bmm self mat2
    bmm.dtype self mat2 out_dtype
    broadcast_tensors tensors
    broadcast_to self& size
    cat tensors dim=0
    cdist x1 x2 p=2.0 compute_mode
    ceil self
    ceil_ self!
    celu self alpha=1.0
    celu_ self! alpha=1.0
    channel_shuffle self groups
    chunk self& chunks dim=0
    clamp self min max
    clamp.Tensor self min max
    clamp_ self! min max
    clamp_.Tensor self! min max
    clamp_max self max
    clamp_max.Tensor self max
    clamp_max_ self! max
    clamp_max_.Tensor self! max
    clamp_min self min
    clamp_min.Tensor self min
    clamp_min_ self! min
    clamp_min_.Tensor self! min
    clone self memory_format
    col2im self output_size kernel_size dilation padding stride
    column_stack tensors
    concat tensors dim=0
    concatenate tensors dim=0
    constant_pad_nd self pad value=0
    contiguous self& memory_format=0
    conv1d input weight bias stride=[1] padding=[0] dilation=[1] groups=1
    conv1d.padding input weight bias stride=[1] padding="valid" dilation=[1] groups=1
    conv2d input weight bias stride=1 padding=0 dilation=1 groups=1
    conv2d.padding input weight bias stride=1 padding="valid" dilation=1 groups=1
    conv3d input weight bias stride=1 padding=0 dilation=1 groups=1
    conv3d.padding input weight bias stride=1 padding="valid" dilation=1 groups=1
    conv_transpose1d input weight bias stride=[1] padding=[0] output_padding=[0] groups=1 dilation=[1]
    conv_transpose2d.input input weight bias stride=1 padding=0 output_padding=0 groups=1 dilation=1
    conv_transpose3d.input input weight bias stride=1 padding=0 output_padding=0 groups=1 dilation=1
    convolution input weight bias stride padding dilation transposed output_padding groups
    copy self src non_blocking=false
    copy.Dict_Tensor self&
    copy_ self! src non_blocking=false
    copy_.Tensor self! other
    copy_.float self! other
    copy_.int self! other
    copysign a b
    copysign.Scalar self other
    copysign.Tensor self other
    copysign_.Scalar self! other
    copysign_.Tensor self! other
    cos self
    cos_ self!
    cosh self
    cosh_ self!
    cosine_similarity x1 x2 dim=1 eps=1e-08
    count_nonzero self dim
    count_nonzero.dim_IntList self dim
    cross_entropy_loss self target weight reduction=1 ignore_index=-100 label_smoothing=0.0
    cummax self dim
    cummin self dim
    cumprod self dim dtype
    cumprod_ self! dim dtype
    cumsum self dim dtype
    cumsum_ self! dim dtype
    deg2rad self
    deg2rad_ self!
    detach self&
    detach_ self!
    diag self diagonal=0
    diag_embed self offset=0 dim1=-2 dim2=-1
    diagonal self& offset=0 dim1=0 dim2=1
    diff self n=1 dim=-1 prepend append
    digamma self
    digamma_ self!
    div a b
    div.Scalar self other
    div.Scalar_mode self other rounding_mode
    div.Tensor self other
    div.Tensor_mode self other rounding_mode
    div_.Scalar self! other
    div_.Scalar_mode self! other rounding_mode
    div_.Tensor self! other
    div_.Tensor_mode self! other rounding_mode
    dot self tensor
    dropout input p train
    dropout_ self! p train
    dstack tensors
    einsum equation tensors path
    einsum.sublist a
    elu self alpha=1 scale=1 input_scale=1
    elu_ self! alpha=1 scale=1 input_scale=1
    embedding weight indices padding_idx=-1 scale_grad_by_freq=false sparse=false
    empty.memory_format size dtype layout device pin_memory memory_format
    empty_like self dtype layout device pin_memory memory_format
    eq a b
    eq.Scalar self other
    eq.Tensor self other
    eq.Tensor_list a b
    eq.device a b
    eq.enum a b
    eq_.Scalar self! other
    eq_.Tensor self! other
    erf self
    erf_ self!
    erfc self
    erfc_ self!
    erfinv self
    erfinv_ self!
    exp self
    exp2 self
    exp2_ self!
    exp_ self!
    expand self& size implicit=false
    expand_as self& other
    expm1 self
    expm1_ self!
    eye n dtype layout device pin_memory
    eye.m n m dtype layout device pin_memory
    feature_dropout input p train
    feature_dropout_ self! p train
    fill.Scalar self value
    fill.Tensor self value
    fill_.Scalar self! value
    fill_.Tensor self! value
    flatten.using_ints self& start_dim=0 end_dim=-1
    flip self dims
    floor self
    floor_ self!
    floor_divide self other
    floor_divide.Scalar self other
    floor_divide_.Scalar self! other
    floor_divide_.Tensor self! other
    fmax self other
    fmin self other
    fmod a b
    fmod.Scalar self other
    fmod.Tensor self other
    fmod_.Scalar self! other
    fmod_.Tensor self! other
    frac self
    frac_ self!
    full size fill_value dtype layout device pin_memory
    full_like self fill_value dtype layout device pin_memory memory_format
    gather self dim index sparse_grad=false
    ge a b
    ge.Scalar self other
    ge.Tensor self other
    ge_.Scalar self! other
    ge_.Tensor self! other
    gelu self approximate="none"
    gelu_ self! approximate="none"
    glu self dim=-1
    grid_sampler input grid interpolation_mode padding_mode align_corners
    grid_sampler_2d input grid interpolation_mode padding_mode align_corners
    group_norm input num_groups weight bias eps=1e-05 cudnn_enabled=true
    gru.data data batch_sizes hx params has_biases num_layers dropout train bidirectional
    gru.input input hx params has_biases num_layers dropout train bidirectional batch_first
    gt a b
    gt.Scalar self other
    gt.Tensor self other
    gt_.Scalar self! other
    gt_.Tensor self! other
    hardshrink self lambd=0.5
    hardsigmoid self
    hardsigmoid_ self!
    hardswish self
    hardswish_ self!
    hardtanh self min_val=-1 max_val=1
    hardtanh_ self! min_val=-1 max_val=1
    histc self bins=100 min=0 max=0
    hstack tensors
    huber_loss self target reduction=1 delta=1.0
    hypot self other
    hypot_ self! other
    im2col self kernel_size dilation padding stride
    index.Tensor self indices
    index.Tensor_hacked_twin self indices
    index.list_Tensor self el
    index_add self dim index source alpha=1
    index_add_ self! dim index source alpha=1
    index_copy self dim index source
    index_copy_ self! dim index source
    index_fill.int_Scalar self dim index value
    index_fill.int_Tensor self dim index value
    index_fill_.int_Scalar self! dim index value
    index_fill_.int_Tensor self! dim index value
    index_put self indices values accumulate=false
    index_put.hacked_twin self indices values accumulate=false
    index_put_ self! indices values accumulate=false
    index_put_.hacked_twin self! indices values accumulate=false
    index_select self dim index
    inner self other
    instance_norm input weight bias running_mean running_var use_input_stats momentum eps cudnn_enabled
    isfinite self
    isinf self
    isnan self
    kron self other
    kthvalue self k dim=-1 keepdim=false
    l1_loss self target reduction=1
    layer_norm input normalized_shape weight bias eps=1e-05 cudnn_enable=true
    le a b
    le.Scalar self other
    le.Tensor self other
    le_.Scalar self! other
    le_.Tensor self! other
    leaky_relu self negative_slope=0.01
    leaky_relu_ self! negative_slope=0.01
    lerp.Scalar self end weight
    lerp.Tensor self end weight
    lerp_.Scalar self! end weight
    lerp_.Tensor self! end weight
    lgamma self
    lgamma_ self!
    lift_fresh self&
    lift_fresh_copy self
    linalg_cross self other dim=-1
    linalg_vector_norm self ord=2 dim keepdim=false dtype
    linear input weight bias
    linspace start end steps dtype layout device pin_memory
    linspace.Scalar_Tensor start end steps dtype layout device pin_memory
    linspace.Tensor_Scalar start end steps dtype layout device pin_memory
    linspace.Tensor_Tensor start end steps dtype layout device pin_memory
    log self
    log10 self
    log10_ self!
    log1p self
    log1p_ self!
    log2 self
    log2_ self!
    log_ self!
    log_sigmoid self
    log_softmax.int self dim dtype
    logaddexp self other
    logaddexp2 self other
    logcumsumexp self dim
    logical_and self other
    logical_and_ self! other
    logical_not self
    logical_not_ self!
    logical_or self other
    logical_or_ self! other
    logical_xor self other
    logical_xor_ self! other
    logit self eps
    logit_ self! eps
    logsumexp self dim keepdim=false
    lstm.data data batch_sizes hx params has_biases num_layers dropout train bidirectional
    lstm.input input hx params has_biases num_layers dropout train bidirectional batch_first
    lt a b
    lt.Scalar self other
    lt.Tensor self other
    lt_.Scalar self! other
    lt_.Tensor self! other
    masked_fill.Scalar self mask value
    masked_fill.Tensor self mask value
    masked_fill_.Scalar self! mask value
    masked_fill_.Tensor self! mask value
    masked_scatter self mask source
    masked_scatter_ self! mask source
    masked_select self mask
    matmul self other
    max self
    max.dim self dim keepdim=false
    max.other self other
    max_pool1d self kernel_size stride=[] padding=[0] dilation=[1] ceil_mode=false
    max_pool2d self kernel_size stride=[] padding=0 dilation=1 ceil_mode=false
    max_pool2d_with_indices self kernel_size stride=[] padding=0 dilation=1 ceil_mode=false
    max_pool3d self kernel_size stride=[] padding=0 dilation=1 ceil_mode=false
    max_pool3d_with_indices self kernel_size stride=[] padding=0 dilation=1 ceil_mode=false
    maximum self other
    mean self dtype
    mean.dim self dim keepdim=false dtype
    median self
    median.dim self dim keepdim=false
    meshgrid tensors
    meshgrid.indexing tensors indexing
    min self
    min.dim self dim keepdim=false
    min.other self other
    minimum self other
    mish self
    mish_ self!
    mm self mat2
    mm.dtype self mat2 out_dtype
    movedim.int self& source destination
    movedim.intlist self& source destination
    mse_loss self target reduction=1
    mul a b
    mul.Scalar self other
    mul.Tensor self other
    mul.right_ n l
    mul_.Scalar self! other
    mul_.Tensor self! other
    multiply.Scalar self other
    multiply.Tensor self other
    multiply_.Scalar self! other
    multiply_.Tensor self! other
    mv self vec
    nan_to_num self nan posinf neginf
    nan_to_num_ self! nan posinf neginf
    nanmean self dim keepdim=false dtype
    nansum self dim keepdim=false dtype
    narrow self& dim start length
    narrow.Tensor self& dim start length
    native_dropout input p train
    native_group_norm input weight bias N C HxW group eps
    native_layer_norm input normalized_shape weight bias eps
    ne a b
    ne.Scalar self other
    ne.Tensor self other
    ne.Tensor_list a b
    ne.device a b
    ne.enum a b
    ne_.Scalar self! other
    ne_.Tensor self! other
    neg self
    neg_ self!
    new_empty self size dtype layout device pin_memory
    new_full self size fill_value dtype layout device pin_memory
    new_ones self size dtype layout device pin_memory
    new_zeros self size dtype layout device pin_memory
    nll_loss self target weight reduction=1 ignore_index=-100
    nll_loss2d self target weight reduction=1 ignore_index=-100
    nll_loss_nd self target weight reduction=1 ignore_index=-100
    nonzero self
    nonzero_static self size fill_value=-1
    norm.Scalar self p=2
    norm.ScalarOpt_dim self p dim keepdim=false
    norm.ScalarOpt_dim_dtype self p dim keepdim dtype
    norm.ScalarOpt_dtype self p dtype
    normal.Tensor_Tensor mean std generator
    normal.Tensor_float mean std=1.0 generator
    normal.float_Tensor mean std generator
    normal_ self! mean=0.0 std=1.0 generator
    normal_functional self mean=0.0 std=1.0 generator
    numpy_T self&
    numpy_T.a self&
    one_hot self num_classes=-1
    ones size dtype layout device pin_memory
    ones_like self dtype layout device pin_memory memory_format
    outer self vec2
    pad self pad mode="constant" value
    permute self& dims
    pixel_shuffle self upscale_factor
    pixel_unshuffle self downscale_factor
    positive self&
    pow.Scalar self exponent
    pow.Tensor_Scalar self exponent
    pow.Tensor_Tensor self exponent
    pow.int_to_int a b
    pow_.Scalar self! exponent
    pow_.Tensor self! exponent
    prelu self weight
    prod self dtype
    prod.dim_int self dim keepdim=false dtype
    rad2deg self
    rad2deg_ self!
    rand size dtype layout device pin_memory
    rand.generator size generator dtype layout device pin_memory
    rand_like self dtype layout device pin_memory memory_format
    rand_like.generator self generator dtype layout device pin_memory memory_format
    randint high size dtype layout device pin_memory
    randint.generator high size generator dtype layout device pin_memory
    randint.low low high size dtype layout device pin_memory
    randint.low_generator low high size generator dtype layout device pin_memory
    randn size dtype layout device pin_memory
    randn.generator size generator dtype layout device pin_memory
    randn_like self dtype layout device pin_memory memory_format
    randn_like.generator self generator dtype layout device pin_memory memory_format
    reciprocal self
    reciprocal_ self!
    reflection_pad1d self padding
    reflection_pad2d self padding
    reflection_pad3d self padding
    relu self
    relu6 self
    relu6_ self!
    relu_ self!
    remainder a b
    remainder.Scalar self other
    remainder.Scalar_Tensor self other
    remainder.Tensor self other
    remainder_.Scalar self! other
    remainder_.Tensor self! other
    repeat self repeats
    repeat_interleave.Tensor repeats output_size
    repeat_interleave.self_Tensor self repeats dim output_size
    repeat_interleave.self_int self repeats dim output_size
    replication_pad1d self padding
    replication_pad2d self padding
    replication_pad3d self padding
    reshape self& shape
    reshape_as self& other
    rms_norm input normalized_shape weight eps
    rnn_relu.data data batch_sizes hx params has_biases num_layers dropout train bidirectional
    rnn_relu.input input hx params has_biases num_layers dropout train bidirectional batch_first
    rnn_tanh.data data batch_sizes hx params has_biases num_layers dropout train bidirectional
    rnn_tanh.input input hx params has_biases num_layers dropout train bidirectional batch_first
    roll self shifts dims=[]
    rot90 self k=1 dims=[0,1]
    round self
    round.decimals self decimals
    round_ self!
    round_.decimals self! decimals
    rrelu self lower=0.125 upper=0.3333333333333333 training=false generator
    rrelu_ self! lower=0.125 upper=0.3333333333333333 training=false generator
    rsqrt self
    rsqrt_ self!
    rsub.Scalar self other alpha=1
    rsub.Tensor self other alpha=1
    scalar_tensor s dtype layout device pin_memory
    scaled_dot_product_attention query key value attn_mask dropout_p=0.0 is_causal=false scale enable_gqa=false
    scatter.reduce self dim index src reduce
    scatter.src self dim index src
    scatter.value self dim index value
    scatter.value_reduce self dim index value reduce
    scatter_.reduce self! dim index src reduce
    scatter_.src self! dim index src
    scatter_.value self! dim index value
    scatter_.value_reduce self! dim index value reduce
    scatter_add self dim index src
    scatter_add_ self! dim index src
    scatter_reduce.two self dim index src reduce include_self=true
    scatter_reduce_.two self! dim index src reduce include_self=true
    select.int self& dim index
    select_scatter self src dim index
    selu self
    selu_ self!
    sigmoid self
    sigmoid_ self!
    sign self
    sign_ self!
    signbit self
    silu self
    silu_ self!
    sin self
    sin_ self!
    sinc self
    sinc_ self!
    sinh self
    sinh_ self!
    slice.Tensor self& dim=0 start end step=1
    slice_scatter self src dim=0 start end step=1
    smooth_l1_loss self target reduction=1 beta=1.0
    softmax.int self dim dtype
    softplus self beta=1 threshold=20
    softshrink self lambd=0.5
    sort self dim=-1 descending=false
    sort.Tensor self! reverse=false
    sort.any self! reverse=false
    sort.stable self stable dim=-1 descending=false
    special_erf self
    special_expm1 self
    split self& split_sizes dim=0
    split.Tensor self& split_size dim=0
    split.sizes self& split_size dim=0
    split_with_sizes self& split_sizes dim=0
    sqrt self
    sqrt_ self!
    square self
    square_ self!
    squeeze self&
    squeeze.dim self& dim
    squeeze.dims self& dim
    squeeze_ self!
    squeeze_.dim self! dim
    squeeze_.dims self! dim
    stack tensors dim=0
    std self unbiased=true
    std.correction self dim correction keepdim=false
    std.dim self dim unbiased=true keepdim=false
    std_mean self unbiased=true
    std_mean.correction self dim correction keepdim=false
    std_mean.dim self dim unbiased=true keepdim=false
    sub a b
    sub.Scalar self other alpha=1
    sub.Tensor self other alpha=1
    sub_.Scalar self! other alpha=1
    sub_.Tensor self! other alpha=1
    sum self dtype
    sum.dim_IntList self dim keepdim=false dtype
    swapaxes self& axis0 axis1
    swapaxes_ self! axis0 axis1
    sym_constrain_range size min max
    sym_constrain_range_for_size size min max
    sym_numel self
    sym_size self
    sym_size.int self dim
    t self&
    t_ self!
    take_along_dim self indices dim
    tan self
    tan_ self!
    tanh self
    tanh_ self!
    tensor_split.indices self& indices dim=0
    tensor_split.sections self& sections dim=0
    tensor_split.tensor_indices_or_sections self& tensor_indices_or_sections dim=0
    threshold self threshold value
    threshold_ self! threshold value
    tile self dims
    to.device self& device dtype non_blocking=false copy=false memory_format
    to.dtype self& dtype non_blocking=false copy=false memory_format
    to.dtype_layout self& dtype layout device pin_memory non_blocking=false copy=false memory_format
    to.other self& other non_blocking=false copy=false memory_format
    to.prim_Device self& device dtype non_blocking=false copy=false
    to.prim_dtype self& dtype non_blocking=false copy=false
    to.prim_other self& non_blocking=false copy=false
    topk self k dim=-1 largest=true sorted=true
    trace self
    transpose.int self& dim0 dim1
    transpose_ self! dim0 dim1
    tril self diagonal=0
    tril_ self! diagonal=0
    tril_indices row col offset=0 dtype layout device pin_memory
    triu self diagonal=0
    triu_ self! diagonal=0
    triu_indices row col offset=0 dtype layout device pin_memory
    true_divide.Scalar self other
    true_divide.Tensor self other
    true_divide_.Scalar self! other
    true_divide_.Tensor self! other
    trunc self
    trunc_ self!
    type_as self other
    unbind.int self& dim=0
    unflatten.int self& dim sizes
    unfold self& dimension size step
    uniform self from=0.0 to=1.0 generator
    uniform_ self! from=0.0 to=1.0 generator
    unique_consecutive self return_inverse=false return_counts=false dim
    unique_dim self dim sorted=true return_inverse=false return_counts=false
    unsafe_chunk self chunks dim=0
    unsafe_split.Tensor self split_size dim=0
    unsqueeze self& dim
    unsqueeze_ self! dim
    upsample_bicubic2d self output_size align_corners scales_h scales_w
    upsample_bicubic2d.vec input output_size align_corners scale_factors
    upsample_bilinear2d self output_size align_corners scales_h scales_w
    upsample_bilinear2d.vec input output_size align_corners scale_factors
    upsample_linear1d self output_size align_corners scales
    upsample_linear1d.vec input output_size align_corners scale_factors
    upsample_nearest1d self output_size scales
    upsample_nearest1d.vec input output_size scale_factors
    upsample_nearest2d self output_size scales_h scales_w
    upsample_nearest2d.vec input output_size scale_factors
    upsample_nearest3d self output_size scales_d scales_h scales_w
    upsample_nearest3d.vec input output_size scale_factors
    upsample_trilinear3d self output_size align_corners scales_d scales_h scales_w
    upsample_trilinear3d.vec input output_size align_corners scale_factors
    var self unbiased=true
    var.correction self dim correction keepdim=false
    var.dim self dim unbiased=true keepdim=false
    var_mean self unbiased=true
    var_mean.correction self dim correction keepdim=false
    var_mean.dim self dim unbiased=true keepdim=false
    view self& size
    view.dtype self& dtype
    view_as self& other
    vstack tensors
    where condition
    where.Scalar condition self other
    where.ScalarOther condition self other
    where.ScalarSelf condition self other
    where.self condition self other
    xlogy.Scalar_Other self other
    xlogy.Scalar_Self self other
    xlogy.Tensor self other
    xlogy_.Scalar_Other self! other
    xlogy_.Tensor self! other
    zero self
    zero_ self!
    zeros size dtype layout device pin_memory
    zeros_like self dtype layout device pin_memory memory_format
    """
}
