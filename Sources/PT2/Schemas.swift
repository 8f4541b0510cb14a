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
    _conj self&
    _conj_physical self
    _embedding_bag weight indices offsets scale_grad_by_freq=false mode=0 sparse=false per_sample_weights include_last_offset=false padding_idx=-1
    _embedding_bag_forward_only weight indices offsets scale_grad_by_freq=false mode=0 sparse=false per_sample_weights include_last_offset=false padding_idx=-1
    _fft_c2c self dim normalization forward
    _fft_c2r self dim normalization last_dim_size
    _fft_r2c self dim normalization onesided
    _is_all_true self
    _linalg_det A
    _linalg_eigh A UPLO="L" compute_v=true
    _linalg_slogdet A
    _linalg_solve_ex A B left=true check_errors=false
    _linalg_svd A full_matrices=false compute_uv=true driver
    _local_scalar_dense self
    _log_softmax self dim half_to_float
    _native_batch_norm_legit input weight bias running_mean! running_var! training momentum eps
    _native_batch_norm_legit.no_stats input weight bias training momentum eps
    _native_batch_norm_legit_functional input weight bias running_mean running_var training momentum eps
    _native_batch_norm_legit_no_training input weight bias running_mean running_var momentum eps
    _pdist_forward self p=2.0
    _safe_softmax self dim dtype
    _softmax self dim half_to_float
    _to_copy self dtype layout device pin_memory non_blocking=false memory_format
    _trilinear i1 i2 i3 expand1 expand2 expand3 sumdim unroll_dim=1
    _unique self sorted=true return_inverse=false
    _unique2 self sorted=true return_inverse=false return_counts=false
    _unsafe_index.Tensor self indices
    _unsafe_index.Tensor_hacked_twin self indices
    _unsafe_index_put self indices values accumulate=false
    _unsafe_index_put.hacked_twin self indices values accumulate=false
    _unsafe_view self size
    _upsample_bicubic2d_aa self output_size align_corners scales_h scales_w
    _upsample_bicubic2d_aa.vec input output_size align_corners scale_factors
    _upsample_bilinear2d_aa self output_size align_corners scales_h scales_w
    _upsample_bilinear2d_aa.vec input output_size align_corners scale_factors
    _upsample_nearest_exact1d self output_size scales
    _upsample_nearest_exact1d.vec input output_size scale_factors
    _upsample_nearest_exact2d self output_size scales_h scales_w
    _upsample_nearest_exact2d.vec input output_size scale_factors
    _upsample_nearest_exact3d self output_size scales_d scales_h scales_w
    _upsample_nearest_exact3d.vec input output_size scale_factors
    _weight_norm v g dim=0
    abs self
    abs_ self!
    absolute self
    absolute_ self!
    acos self
    acos_ self!
    acosh self
    acosh_ self!
    adaptive_avg_pool1d self output_size
    adaptive_avg_pool2d self output_size
    adaptive_avg_pool3d self output_size
    adaptive_max_pool1d self output_size
    adaptive_max_pool2d self output_size
    adaptive_max_pool3d self output_size
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
    addr self vec1 vec2 beta=1 alpha=1
    addr_ self! vec1 vec2 beta=1 alpha=1
    adjoint self&
    affine_grid_generator theta size align_corners
    alias self&
    all self
    all.dim self dim keepdim=false
    all.dims self dim keepdim=false
    alpha_dropout input p train
    alpha_dropout_ self! p train
    amax self dim=[] keepdim=false
    amin self dim=[] keepdim=false
    aminmax self dim keepdim=false
    angle self
    any self
    any.dim self dim keepdim=false
    any.dims self dim keepdim=false
    arange end dtype layout device pin_memory
    arange.start start end dtype layout device pin_memory
    arange.start_step start end step=1 dtype layout device pin_memory
    arccos self
    arccos_ self!
    arccosh self
    arccosh_ self!
    arcsin self
    arcsin_ self!
    arcsinh self
    arcsinh_ self!
    arctan self
    arctan2 self other
    arctan2_ self! other
    arctan_ self!
    arctanh self
    arctanh_ self!
    argmax self dim keepdim=false
    argmin self dim keepdim=false
    argsort self dim=-1 descending=false
    argsort.stable self stable dim=-1 descending=false
    argwhere self
    as_strided self& size stride storage_offset
    as_strided_ self! size stride storage_offset
    as_strided_scatter self src size stride storage_offset
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
    atleast_1d self
    atleast_1d.Sequence tensors
    atleast_2d self
    atleast_2d.Sequence tensors
    atleast_3d self
    atleast_3d.Sequence tensors
    avg_pool1d self kernel_size stride=[] padding=[0] ceil_mode=false count_include_pad=true
    avg_pool2d self kernel_size stride=[] padding=0 ceil_mode=false count_include_pad=true divisor_override
    avg_pool3d self kernel_size stride=[] padding=0 ceil_mode=false count_include_pad=true divisor_override
    baddbmm self batch1 batch2 beta=1 alpha=1
    baddbmm.dtype self batch1 batch2 out_dtype beta=1 alpha=1
    baddbmm_ self! batch1 batch2 beta=1 alpha=1
    bartlett_window window_length dtype layout device pin_memory
    bartlett_window.periodic window_length periodic dtype layout device pin_memory
    batch_norm input weight bias running_mean running_var training momentum eps cudnn_enabled
    bernoulli self generator
    bernoulli.Tensor self p generator
    bernoulli.p self p generator
    bernoulli_.Tensor self! p generator
    bernoulli_.float self! p=0.5 generator
    bilinear input1 input2 weight bias
    binary_cross_entropy self target weight reduction=1
    binary_cross_entropy_with_logits self target weight pos_weight reduction=1
    bincount self weights minlength=0
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
    blackman_window window_length dtype layout device pin_memory
    blackman_window.periodic window_length periodic dtype layout device pin_memory
    block_diag tensors
    bmm self mat2
    bmm.dtype self mat2 out_dtype
    broadcast_tensors tensors
    broadcast_to self& size
    bucketize.Scalar self boundaries out_int32=false right=false
    bucketize.Tensor self boundaries out_int32=false right=false
    cartesian_prod tensors
    cat tensors dim=0
    cauchy self median=0.0 sigma=1.0 generator
    cauchy_ self! median=0.0 sigma=1.0 generator
    cdist x1 x2 p=2.0 compute_mode
    ceil self
    ceil_ self!
    celu self alpha=1.0
    celu_ self! alpha=1.0
    chain_matmul matrices
    channel_shuffle self groups
    cholesky self upper=false
    cholesky_inverse self upper=false
    cholesky_solve self input2 upper=false
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
    clip self min max
    clip.Tensor self min max
    clip_ self! min max
    clip_.Tensor self! min max
    clone self memory_format
    col2im self output_size kernel_size dilation padding stride
    column_stack tensors
    complex real imag
    concat tensors dim=0
    concatenate tensors dim=0
    conj self&
    conj_physical self
    conj_physical_ self!
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
    cosine_embedding_loss input1 input2 target margin=0.0 reduction=1
    cosine_similarity x1 x2 dim=1 eps=1e-08
    count_nonzero self dim
    count_nonzero.dim_IntList self dim
    cross self other dim
    cross_entropy_loss self target weight reduction=1 ignore_index=-100 label_smoothing=0.0
    cummax self dim
    cummin self dim
    cumprod self dim dtype
    cumprod_ self! dim dtype
    cumsum self dim dtype
    cumsum_ self! dim dtype
    cumulative_trapezoid.dx y dx=1 dim=-1
    cumulative_trapezoid.x y x dim=-1
    deg2rad self
    deg2rad_ self!
    det self
    detach self&
    detach_ self!
    diag self diagonal=0
    diag_embed self offset=0 dim1=-2 dim2=-1
    diagflat self offset=0
    diagonal self& offset=0 dim1=0 dim2=1
    diagonal_scatter self src offset=0 dim1=0 dim2=1
    diff self n=1 dim=-1 prepend append
    digamma self
    digamma_ self!
    dist self other p=2
    div a b
    div.Scalar self other
    div.Scalar_mode self other rounding_mode
    div.Tensor self other
    div.Tensor_mode self other rounding_mode
    div_.Scalar self! other
    div_.Scalar_mode self! other rounding_mode
    div_.Tensor self! other
    div_.Tensor_mode self! other rounding_mode
    divide.Scalar self other
    divide.Scalar_mode self other rounding_mode
    divide.Tensor self other
    divide.Tensor_mode self other rounding_mode
    divide_.Scalar self! other
    divide_.Scalar_mode self! other rounding_mode
    divide_.Tensor self! other
    divide_.Tensor_mode self! other rounding_mode
    dot self tensor
    dropout input p train
    dropout_ self! p train
    dsplit.array self& indices
    dsplit.int self& sections
    dstack tensors
    einsum equation tensors path
    einsum.sublist a
    elu self alpha=1 scale=1 input_scale=1
    elu_ self! alpha=1 scale=1 input_scale=1
    embedding weight indices padding_idx=-1 scale_grad_by_freq=false sparse=false
    embedding_bag weight indices offsets scale_grad_by_freq=false mode=0 sparse=false per_sample_weights include_last_offset=false
    embedding_bag.padding_idx weight indices offsets scale_grad_by_freq mode sparse per_sample_weights include_last_offset padding_idx
    empty.memory_format size dtype layout device pin_memory memory_format
    empty_like self dtype layout device pin_memory memory_format
    empty_permuted size physical_layout dtype layout device pin_memory
    empty_strided size stride dtype layout device pin_memory
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
    exponential self lambd=1.0 generator
    exponential_ self! lambd=1.0 generator
    eye n dtype layout device pin_memory
    eye.m n m dtype layout device pin_memory
    fake_quantize_per_channel_affine self scale zero_point axis quant_min quant_max
    fake_quantize_per_channel_affine_cachemask self scale zero_point axis quant_min quant_max
    fake_quantize_per_tensor_affine self scale zero_point quant_min quant_max
    fake_quantize_per_tensor_affine.tensor_qparams self scale zero_point quant_min quant_max
    fake_quantize_per_tensor_affine_cachemask self scale zero_point quant_min quant_max
    feature_alpha_dropout input p train
    feature_alpha_dropout_ self! p train
    feature_dropout input p train
    feature_dropout_ self! p train
    fft_fft self n dim=-1 norm
    fft_fft2 self s dim=[-2,-1] norm
    fft_fftfreq n d=1.0 dtype layout device pin_memory
    fft_fftn self s dim norm
    fft_fftshift self dim
    fft_hfft self n dim=-1 norm
    fft_hfft2 self s dim=[-2,-1] norm
    fft_hfftn self s dim norm
    fft_ifft self n dim=-1 norm
    fft_ifft2 self s dim=[-2,-1] norm
    fft_ifftn self s dim norm
    fft_ifftshift self dim
    fft_ihfft self n dim=-1 norm
    fft_ihfft2 self s dim=[-2,-1] norm
    fft_ihfftn self s dim norm
    fft_irfft self n dim=-1 norm
    fft_irfft2 self s dim=[-2,-1] norm
    fft_irfftn self s dim norm
    fft_rfft self n dim=-1 norm
    fft_rfft2 self s dim=[-2,-1] norm
    fft_rfftfreq n d=1.0 dtype layout device pin_memory
    fft_rfftn self s dim norm
    fill.Scalar self value
    fill.Tensor self value
    fill_.Scalar self! value
    fill_.Tensor self! value
    fill_diagonal_ self! fill_value wrap=false
    fix self
    fix_ self!
    flatten.using_ints self& start_dim=0 end_dim=-1
    flip self dims
    fliplr self
    flipud self
    float_power.Scalar self exponent
    float_power.Tensor_Scalar self exponent
    float_power.Tensor_Tensor self exponent
    float_power_.Scalar self! exponent
    float_power_.Tensor self! exponent
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
    fractional_max_pool2d self kernel_size output_size random_samples
    frexp a
    frexp.Tensor self
    frobenius_norm.dim self dim keepdim=false
    full size fill_value dtype layout device pin_memory
    full_like self fill_value dtype layout device pin_memory memory_format
    gather self dim index sparse_grad=false
    gcd self other
    gcd_ self! other
    ge a b
    ge.Scalar self other
    ge.Tensor self other
    ge_.Scalar self! other
    ge_.Tensor self! other
    gelu self approximate="none"
    gelu_ self! approximate="none"
    geometric self p generator
    geometric_ self! p generator
    ger self vec2
    glu self dim=-1
    greater.Scalar self other
    greater.Tensor self other
    greater_.Scalar self! other
    greater_.Tensor self! other
    greater_equal.Scalar self other
    greater_equal.Tensor self other
    greater_equal_.Scalar self! other
    greater_equal_.Tensor self! other
    grid_sampler input grid interpolation_mode padding_mode align_corners
    grid_sampler_2d input grid interpolation_mode padding_mode align_corners
    grid_sampler_3d input grid interpolation_mode padding_mode align_corners
    group_norm input num_groups weight bias eps=1e-05 cudnn_enabled=true
    gru.data data batch_sizes hx params has_biases num_layers dropout train bidirectional
    gru.input input hx params has_biases num_layers dropout train bidirectional batch_first
    gru_cell input hx w_ih w_hh b_ih b_hh
    gt a b
    gt.Scalar self other
    gt.Tensor self other
    gt_.Scalar self! other
    gt_.Tensor self! other
    hamming_window window_length dtype layout device pin_memory
    hamming_window.periodic window_length periodic dtype layout device pin_memory
    hamming_window.periodic_alpha window_length periodic alpha dtype layout device pin_memory
    hamming_window.periodic_alpha_beta window_length periodic alpha beta dtype layout device pin_memory
    hann_window window_length dtype layout device pin_memory
    hann_window.periodic window_length periodic dtype layout device pin_memory
    hardshrink self lambd=0.5
    hardsigmoid self
    hardsigmoid_ self!
    hardswish self
    hardswish_ self!
    hardtanh self min_val=-1 max_val=1
    hardtanh_ self! min_val=-1 max_val=1
    heaviside self values
    heaviside_ self! values
    hinge_embedding_loss self target margin=1.0 reduction=1
    histc self bins=100 min=0 max=0
    hsplit.array self& indices
    hsplit.int self& sections
    hstack tensors
    huber_loss self target reduction=1 delta=1.0
    hypot self other
    hypot_ self! other
    i0 self
    i0_ self!
    igamma self other
    igamma_ self! other
    igammac self other
    igammac_ self! other
    im2col self kernel_size dilation padding stride
    imag self&
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
    index_reduce self dim index source reduce include_self=true
    index_reduce_ self! dim index source reduce include_self=true
    index_select self dim index
    inner self other
    instance_norm input weight bias running_mean running_var use_input_stats momentum eps cudnn_enabled
    inverse self
    isclose self other rtol=1e-05 atol=1e-08 equal_nan=false
    isfinite self
    isin.Scalar_Tensor element test_elements assume_unique=false invert=false
    isin.Tensor_Scalar elements test_element assume_unique=false invert=false
    isin.Tensor_Tensor elements test_elements assume_unique=false invert=false
    isinf self
    isnan self
    isneginf self
    isposinf self
    istft self n_fft hop_length win_length window center=true normalized=false onesided length return_complex=false
    item self
    kaiser_window window_length dtype layout device pin_memory
    kaiser_window.beta window_length periodic beta dtype layout device pin_memory
    kaiser_window.periodic window_length periodic dtype layout device pin_memory
    kl_div self target reduction=1 log_target=false
    kron self other
    kthvalue self k dim=-1 keepdim=false
    l1_loss self target reduction=1
    layer_norm input normalized_shape weight bias eps=1e-05 cudnn_enable=true
    lcm self other
    lcm_ self! other
    ldexp x i
    ldexp.Tensor self other
    ldexp_ self! other
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
    less.Scalar self other
    less.Tensor self other
    less_.Scalar self! other
    less_.Tensor self! other
    less_equal.Scalar self other
    less_equal.Tensor self other
    less_equal_.Scalar self! other
    less_equal_.Tensor self! other
    lgamma self
    lgamma_ self!
    lift_fresh self&
    lift_fresh_copy self
    linalg_cholesky self upper=false
    linalg_cholesky_ex self upper=false check_errors=false
    linalg_cond self p
    linalg_cond.p_str self p
    linalg_cross self other dim=-1
    linalg_det A
    linalg_diagonal A& offset=0 dim1=-2 dim2=-1
    linalg_eig self
    linalg_eigh self UPLO="L"
    linalg_eigvals self
    linalg_eigvalsh self UPLO="L"
    linalg_householder_product input tau
    linalg_inv A
    linalg_inv_ex A check_errors=false
    linalg_lu A pivot=true
    linalg_lu_factor A pivot=true
    linalg_lu_factor_ex A pivot=true check_errors=false
    linalg_lu_solve LU pivots B left=true adjoint=false
    linalg_matmul self other
    linalg_matrix_exp self
    linalg_matrix_norm self ord dim=[-2,-1] keepdim=false dtype
    linalg_matrix_norm.str_ord self ord="fro" dim=[-2,-1] keepdim=false dtype
    linalg_matrix_power self n
    linalg_matrix_rank self tol hermitian=false
    linalg_matrix_rank.atol_rtol_float self atol rtol hermitian=false
    linalg_matrix_rank.atol_rtol_tensor input atol rtol hermitian=false
    linalg_matrix_rank.tol_tensor input tol hermitian=false
    linalg_multi_dot tensors
    linalg_norm self ord dim keepdim=false dtype
    linalg_norm.ord_str self ord dim keepdim=false dtype
    linalg_pinv self rcond hermitian=false
    linalg_pinv.atol_rtol_float self atol rtol hermitian=false
    linalg_pinv.atol_rtol_tensor self atol rtol hermitian=false
    linalg_pinv.rcond_tensor self rcond hermitian=false
    linalg_qr A mode="reduced"
    linalg_slogdet A
    linalg_solve A B left=true
    linalg_solve_ex A B left=true check_errors=false
    linalg_solve_triangular self B upper left=true unitriangular=false
    linalg_svd A full_matrices=true driver
    linalg_svdvals A driver
    linalg_tensorinv self ind=2
    linalg_tensorsolve self other dims
    linalg_vander x N
    linalg_vecdot x y dim=-1
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
    log_normal self mean=1.0 std=2.0 generator
    log_normal_ self! mean=1.0 std=2.0 generator
    log_sigmoid self
    log_sigmoid_forward self
    log_softmax.int self dim dtype
    logaddexp self other
    logaddexp2 self other
    logcumsumexp self dim
    logdet self
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
    logspace start end steps base=10.0 dtype layout device pin_memory
    logspace.Scalar_Tensor start end steps base=10.0 dtype layout device pin_memory
    logspace.Tensor_Scalar start end steps base=10.0 dtype layout device pin_memory
    logspace.Tensor_Tensor start end steps base=10.0 dtype layout device pin_memory
    logsumexp self dim keepdim=false
    lstm.data data batch_sizes hx params has_biases num_layers dropout train bidirectional
    lstm.input input hx params has_biases num_layers dropout train bidirectional batch_first
    lstm_cell input hx w_ih w_hh b_ih b_hh
    lt a b
    lt.Scalar self other
    lt.Tensor self other
    lt_.Scalar self! other
    lt_.Tensor self! other
    lu_solve self LU_data LU_pivots
    lu_unpack LU_data LU_pivots unpack_data=true unpack_pivots=true
    mH self&
    mH.a self&
    mT self&
    mT.a self&
    margin_ranking_loss input1 input2 target margin=0.0 reduction=1
    masked_fill.Scalar self mask value
    masked_fill.Tensor self mask value
    masked_fill_.Scalar self! mask value
    masked_fill_.Tensor self! mask value
    masked_scatter self mask source
    masked_scatter_ self! mask source
    masked_select self mask
    matmul self other
    matrix_exp self
    matrix_power self n
    max self
    max.dim self dim keepdim=false
    max.other self other
    max_pool1d self kernel_size stride=[] padding=[0] dilation=[1] ceil_mode=false
    max_pool2d self kernel_size stride=[] padding=0 dilation=1 ceil_mode=false
    max_pool2d_with_indices self kernel_size stride=[] padding=0 dilation=1 ceil_mode=false
    max_pool3d self kernel_size stride=[] padding=0 dilation=1 ceil_mode=false
    max_pool3d_with_indices self kernel_size stride=[] padding=0 dilation=1 ceil_mode=false
    max_unpool2d self indices output_size
    max_unpool3d self indices output_size stride padding
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
    mode self dim=-1 keepdim=false
    moveaxis.int self& source destination
    moveaxis.intlist self& source destination
    movedim.int self& source destination
    movedim.intlist self& source destination
    mse_loss self target reduction=1
    msort self
    mul a b
    mul.Scalar self other
    mul.Tensor self other
    mul.right_ n l
    mul_.Scalar self! other
    mul_.Tensor self! other
    multi_margin_loss self target p=1 margin=1 weight reduction=1
    multilabel_margin_loss self target reduction=1
    multilabel_margin_loss_forward self target reduction
    multinomial self num_samples replacement=false generator
    multiply.Scalar self other
    multiply.Tensor self other
    multiply_.Scalar self! other
    multiply_.Tensor self! other
    mv self vec
    mvlgamma self p
    mvlgamma_ self! p
    nan_to_num self nan posinf neginf
    nan_to_num_ self! nan posinf neginf
    nanmean self dim keepdim=false dtype
    nanmedian self
    nanmedian.dim self dim keepdim=false
    nanquantile self q dim keepdim=false interpolation="linear"
    nanquantile.scalar self q dim keepdim=false interpolation="linear"
    nansum self dim keepdim=false dtype
    narrow self& dim start length
    narrow.Tensor self& dim start length
    native_batch_norm input weight bias running_mean running_var training momentum eps
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
    negative self
    negative_ self!
    new_empty self size dtype layout device pin_memory
    new_empty_strided self size stride dtype layout device pin_memory
    new_full self size fill_value dtype layout device pin_memory
    new_ones self size dtype layout device pin_memory
    new_zeros self size dtype layout device pin_memory
    nll_loss self target weight reduction=1 ignore_index=-100
    nll_loss2d self target weight reduction=1 ignore_index=-100
    nll_loss2d_forward self target weight reduction ignore_index
    nll_loss_forward self target weight reduction ignore_index
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
    not_equal.Scalar self other
    not_equal.Tensor self other
    not_equal_.Scalar self! other
    not_equal_.Tensor self! other
    nuclear_norm self keepdim=false
    nuclear_norm.dim self dim keepdim=false
    numpy_T self&
    numpy_T.a self&
    one_hot self num_classes=-1
    ones size dtype layout device pin_memory
    ones_like self dtype layout device pin_memory memory_format
    orgqr self input2
    outer self vec2
    pad self pad mode="constant" value
    pairwise_distance x1 x2 p=2.0 eps=1e-06 keepdim=false
    pdist self p=2.0
    permute self& dims
    pinverse self rcond=1e-15
    pixel_shuffle self upscale_factor
    pixel_unshuffle self downscale_factor
    poisson_nll_loss input target log_input full eps reduction
    polar abs angle
    polygamma n self
    polygamma_ self! n
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
    put self index source accumulate=false
    put_ self! index source accumulate=false
    qr self some=true
    quantile self q dim keepdim=false interpolation="linear"
    quantile.scalar self q dim keepdim=false interpolation="linear"
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
    randint_like self high dtype layout device pin_memory memory_format
    randint_like.Tensor self high dtype layout device pin_memory memory_format
    randint_like.Tensor_generator self high generator dtype layout device pin_memory memory_format
    randint_like.generator self high generator dtype layout device pin_memory memory_format
    randint_like.low_dtype self low high dtype layout device pin_memory memory_format
    randint_like.low_generator_dtype self low high generator dtype layout device pin_memory memory_format
    randn size dtype layout device pin_memory
    randn.generator size generator dtype layout device pin_memory
    randn_like self dtype layout device pin_memory memory_format
    randn_like.generator self generator dtype layout device pin_memory memory_format
    randperm n dtype layout device pin_memory
    randperm.generator n generator dtype layout device pin_memory
    ravel self&
    real self&
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
    renorm self p dim maxnorm
    renorm_ self! p dim maxnorm
    repeat self repeats
    repeat_interleave.Tensor repeats output_size
    repeat_interleave.self_Tensor self repeats dim output_size
    repeat_interleave.self_int self repeats dim output_size
    replication_pad1d self padding
    replication_pad2d self padding
    replication_pad3d self padding
    reshape self& shape
    reshape_as self& other
    resolve_conj self&
    resolve_neg self&
    rms_norm input normalized_shape weight eps
    rnn_relu.data data batch_sizes hx params has_biases num_layers dropout train bidirectional
    rnn_relu.input input hx params has_biases num_layers dropout train bidirectional batch_first
    rnn_relu_cell input hx w_ih w_hh b_ih b_hh
    rnn_tanh.data data batch_sizes hx params has_biases num_layers dropout train bidirectional
    rnn_tanh.input input hx params has_biases num_layers dropout train bidirectional batch_first
    rnn_tanh_cell input hx w_ih w_hh b_ih b_hh
    roll self shifts dims=[]
    rot90 self k=1 dims=[0,1]
    round self
    round.decimals self decimals
    round_ self!
    round_.decimals self! decimals
    row_stack tensors
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
    searchsorted.Scalar sorted_sequence self out_int32=false right=false side sorter
    searchsorted.Tensor sorted_sequence self out_int32=false right=false side sorter
    select.int self& dim index
    select_scatter self src dim index
    selu self
    selu_ self!
    sgn self
    sgn_ self!
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
    slogdet self
    smooth_l1_loss self target reduction=1 beta=1.0
    soft_margin_loss self target reduction=1
    softmax.int self dim dtype
    softplus self beta=1 threshold=20
    softshrink self lambd=0.5
    sort self dim=-1 descending=false
    sort.Tensor self! reverse=false
    sort.any self! reverse=false
    sort.stable self stable dim=-1 descending=false
    special_airy_ai x
    special_bessel_j0 self
    special_bessel_j1 self
    special_bessel_y0 self
    special_bessel_y1 self
    special_chebyshev_polynomial_t x n
    special_chebyshev_polynomial_t.n_scalar x n
    special_chebyshev_polynomial_t.x_scalar x n
    special_chebyshev_polynomial_u x n
    special_chebyshev_polynomial_u.n_scalar x n
    special_chebyshev_polynomial_u.x_scalar x n
    special_chebyshev_polynomial_v x n
    special_chebyshev_polynomial_v.n_scalar x n
    special_chebyshev_polynomial_v.x_scalar x n
    special_chebyshev_polynomial_w x n
    special_chebyshev_polynomial_w.n_scalar x n
    special_chebyshev_polynomial_w.x_scalar x n
    special_digamma self
    special_entr self
    special_erf self
    special_erfc self
    special_erfcx self
    special_erfinv self
    special_exp2 self
    special_expit self
    special_expm1 self
    special_gammainc self other
    special_gammaincc self other
    special_gammaln self
    special_hermite_polynomial_h x n
    special_hermite_polynomial_h.n_scalar x n
    special_hermite_polynomial_h.x_scalar x n
    special_hermite_polynomial_he x n
    special_hermite_polynomial_he.n_scalar x n
    special_hermite_polynomial_he.x_scalar x n
    special_i0 self
    special_i0e self
    special_i1 self
    special_i1e self
    special_laguerre_polynomial_l x n
    special_laguerre_polynomial_l.n_scalar x n
    special_laguerre_polynomial_l.x_scalar x n
    special_legendre_polynomial_p x n
    special_legendre_polynomial_p.n_scalar x n
    special_legendre_polynomial_p.x_scalar x n
    special_log1p self
    special_log_ndtr self
    special_log_softmax self dim dtype
    special_logit self eps
    special_logsumexp self dim keepdim=false
    special_modified_bessel_i0 self
    special_modified_bessel_i1 self
    special_modified_bessel_k0 self
    special_modified_bessel_k1 self
    special_multigammaln self p
    special_ndtr self
    special_ndtri self
    special_polygamma n self
    special_psi self
    special_round self decimals=0
    special_scaled_modified_bessel_k0 x
    special_scaled_modified_bessel_k1 x
    special_shifted_chebyshev_polynomial_t x n
    special_shifted_chebyshev_polynomial_t.n_scalar x n
    special_shifted_chebyshev_polynomial_t.x_scalar x n
    special_shifted_chebyshev_polynomial_u x n
    special_shifted_chebyshev_polynomial_u.n_scalar x n
    special_shifted_chebyshev_polynomial_u.x_scalar x n
    special_shifted_chebyshev_polynomial_v x n
    special_shifted_chebyshev_polynomial_v.n_scalar x n
    special_shifted_chebyshev_polynomial_v.x_scalar x n
    special_shifted_chebyshev_polynomial_w x n
    special_shifted_chebyshev_polynomial_w.n_scalar x n
    special_shifted_chebyshev_polynomial_w.x_scalar x n
    special_sinc self
    special_softmax self dim dtype
    special_spherical_bessel_j0 x
    special_xlog1py self other
    special_xlog1py.other_scalar self other
    special_xlog1py.self_scalar self other
    special_xlogy self other
    special_xlogy.other_scalar self other
    special_xlogy.self_scalar self other
    special_zeta self other
    special_zeta.other_scalar self other
    special_zeta.self_scalar self other
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
    stft self n_fft hop_length win_length window normalized=false onesided return_complex align_to_window
    stft.center self n_fft hop_length win_length window center=true pad_mode="reflect" normalized=false onesided return_complex align_to_window
    sub a b
    sub.Scalar self other alpha=1
    sub.Tensor self other alpha=1
    sub_.Scalar self! other alpha=1
    sub_.Tensor self! other alpha=1
    subtract.Scalar self other alpha=1
    subtract.Tensor self other alpha=1
    subtract_.Scalar self! other alpha=1
    subtract_.Tensor self! other alpha=1
    sum self dtype
    sum.dim_IntList self dim keepdim=false dtype
    svd self some=true compute_uv=true
    swapaxes self& axis0 axis1
    swapaxes_ self! axis0 axis1
    swapdims self& dim0 dim1
    swapdims_ self! dim0 dim1
    sym_constrain_range size min max
    sym_constrain_range_for_size size min max
    sym_numel self
    sym_size self
    sym_size.int self dim
    sym_storage_offset self
    t self&
    t_ self!
    take self index
    take_along_dim self indices dim
    tan self
    tan_ self!
    tanh self
    tanh_ self!
    tensor_split.indices self& indices dim=0
    tensor_split.sections self& sections dim=0
    tensor_split.tensor_indices_or_sections self& tensor_indices_or_sections dim=0
    tensordot self other dims_self dims_other
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
    trapezoid.dx y dx=1 dim=-1
    trapezoid.x y x dim=-1
    trapz.dx y dx=1.0 dim=-1
    trapz.x y x dim=-1
    triangular_solve self A upper=true transpose=false unitriangular=false
    tril self diagonal=0
    tril_ self! diagonal=0
    tril_indices row col offset=0 dtype layout device pin_memory
    triplet_margin_loss anchor positive negative margin=1.0 p=2.0 eps=1e-06 swap=false reduction=1
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
    unfold_backward grad_in input_sizes dim size step
    uniform self from=0.0 to=1.0 generator
    uniform_ self! from=0.0 to=1.0 generator
    unique_consecutive self return_inverse=false return_counts=false dim
    unique_dim self dim sorted=true return_inverse=false return_counts=false
    unique_dim_consecutive self dim return_inverse=false return_counts=false
    unsafe_chunk self chunks dim=0
    unsafe_split.Tensor self split_size dim=0
    unsafe_split_with_sizes self split_sizes dim=0
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
    vander x N increasing=false
    var self unbiased=true
    var.correction self dim correction keepdim=false
    var.dim self dim unbiased=true keepdim=false
    var_mean self unbiased=true
    var_mean.correction self dim correction keepdim=false
    var_mean.dim self dim unbiased=true keepdim=false
    vdot self other
    view self& size
    view.dtype self& dtype
    view_as self& other
    view_as_complex self&
    view_as_real self&
    vsplit.array self& indices
    vsplit.int self& sections
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
