"""Networks of timm and transformers, one of each family, with random weights: the smallest of timm's own, on images as
small as they allow, and tiny configurations of transformers'.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch
from networks import Network, torchvision_models
from torch import Tensor, nn

#: The smallest network of each of timm's modules.
TIMM = {
    "byoanet": "eca_botnext26ts_256", "byobnet": "mobileone_s0", "cait": "cait_xxs24_224", "coat": "coat_tiny",
    "convit": "convit_tiny", "convmixer": "convmixer_1024_20_ks9_p14", "convnext": "test_convnext",
    "cpubone": "cpubone_nano", "crossvit": "crossvit_tiny_240", "csatv2": "csatv2", "cspnet": "cs3darknet_focus_s",
    "cspnext": "cspnext_tiny", "davit": "davit_tiny", "deit": "deit_tiny_patch16_224", "dla": "dla102x",
    "edgenext": "edgenext_xx_small", "efficientformer": "efficientformer_l1",
    "efficientformer_v2": "efficientformerv2_s0", "efficientnet": "tinynet_e", "efficientvim": "efficientvim_m1",
    "efficientvit_mit": "efficientvit_b0", "efficientvit_msra": "efficientvit_m0",
    "eva": "vit_tiny_patch16_dinov3_qkvb", "fasternet": "fasternet_t0", "fastvit": "fastvit_s12",
    "focalnet": "focalnet_tiny_srf", "gcvit": "gcvit_xxtiny", "ghostnet": "ghostnet_050",
    "hardcorenas": "hardcorenas_b", "hgnet": "hgnetv2_b0", "hiera": "hiera_tiny_224",
    "hieradet_sam2": "sam2_hiera_tiny", "hrnet": "hrnet_w18_small", "iformer": "iformer_s",
    "inception_next": "inception_next_atto", "inception_resnet_v2": "inception_resnet_v2",
    "inception_v3": "inception_v3", "inception_v4": "inception_v4", "lcnetv2": "lcnetv2_small", "levit": "levit_128s",
    "lowformer": "lowformer_b0", "mambaout": "test_mambaout", "maxxvit": "test_coatnet",
    "metaformer": "poolformerv2_s12", "mlp_mixer": "mixer_s16_224", "mobilenetv3": "mobilenetv3_small_050",
    "mobilevit": "mobilevit_xxs", "mvitv2": "mvitv2_tiny", "nest": "nest_tiny", "nextvit": "nextvit_small",
    "nfnet": "test_nfnet", "pit": "pit_xs_224", "pvt_v2": "pvt_v2_b0", "rdnet": "rdnet_tiny", "regnet": "regnetx_002",
    "repghost": "repghostnet_050", "repvit": "repvit_m0_9", "res2net": "res2net50_26w_4s", "resnest": "resnest26d",
    "resnet": "resnet10t", "resnetv2": "resnetv2_18", "rexnet": "rexnet_100", "selecsls": "selecsls42",
    "senet": "legacy_seresnet18", "sequencer": "sequencer2d_s", "shvit": "shvit_s1", "sknet": "skresnet18",
    "starnet": "starnet_s050", "swiftformer": "swiftformer_xs", "swin_transformer": "swin_tiny_patch4_window7_224",
    "swin_transformer_v2": "swinv2_tiny_window8_256", "swin_transformer_v2_cr": "swinv2_cr_tiny_224",
    "tiny_vit": "tiny_vit_5m_224", "tnt": "tnt_s_legacy_patch16_224", "tresnet": "tresnet_m",
    "twins": "twins_svt_small", "visformer": "visformer_tiny", "vision_transformer": "test_vit",
    "vision_transformer_hybrid": "vit_tiny_r_s16_p8_224", "vision_transformer_relpos": "test_vit_relpos",
    "vitamin": "vitamin_small_224", "volo": "volo_d1_224", "vovnet": "ese_vovnet19b_slim",
    "xception": "legacy_xception", "xception_aligned": "xception41p", "xcit": "xcit_nano_12_p8_224",
}

#: Settings under which configurations of most kinds are tiny.
TINY = {
    "vocab_size": 99, "hidden_size": 32, "d_model": 32, "n_embd": 32, "dim": 32, "embed_dim": 32, "emb_dim": 32,
    "num_hidden_layers": 2, "n_layer": 2, "n_layers": 2, "num_layers": 2, "encoder_layers": 2, "decoder_layers": 2,
    "num_attention_heads": 4, "n_head": 4, "n_heads": 4, "num_heads": 4, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "intermediate_size": 64, "n_inner": 64,
    "ffn_dim": 64, "hidden_dim": 64, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "d_ff": 64, "d_kv": 8,
    "max_position_embeddings": 64, "n_positions": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
    "decoder_start_token_id": 1, "embedding_size": 32, "image_size": 32, "patch_size": 8, "num_experts": 4,
    "num_local_experts": 4, "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
    "use_cache": False, "type_vocab_size": 2, "state_size": 4, "attention_probs_dropout_prob": 0.0,
}

#: Transformers' kinds of models, with settings of their own.
TEXT: dict[str, dict[str, object]] = {
    "albert": {}, "bart": {}, "bert": {}, "bert-generation": {}, "biogpt": {}, "blenderbot": {}, "blenderbot-small": {},
    "bloom": {}, "camembert": {}, "codegen": {"rotary_dim": 4, "n_ctx": 64}, "cohere": {}, "convbert": {},
    "ctrl": {"dff": 64}, "data2vec-text": {}, "deberta": {}, "deberta-v2": {}, "diffllama": {}, "distilbert": {},
    "electra": {}, "ernie": {}, "esm": {"position_embedding_type": "rotary", "mask_token_id": 3}, "falcon": {},
    "falcon_mamba": {}, "fnet": {}, "gemma": {}, "gemma2": {}, "glm": {}, "gpt2": {}, "gpt_bigcode": {},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": 4}, "gpt_neox": {},
    "gptj": {"rotary_dim": 4}, "granite": {}, "granitemoe": {}, "helium": {}, "ibert": {}, "layoutlm": {}, "led": {},
    "lilt": {}, "llama": {}, "m2m_100": {}, "mamba": {}, "mamba2": {"num_heads": 8, "n_groups": 2, "chunk_size": 4},
    "marian": {}, "mbart": {}, "megatron-bert": {}, "mistral": {}, "mixtral": {}, "mobilebert": {"true_hidden_size": 32,
    "intra_bottleneck_size": 32, "embedding_size": 32, "num_feedforward_networks": 2}, "modernbert": {}, "mpnet": {},
    "mpt": {}, "mvp": {}, "nemotron": {}, "nezha": {}, "nystromformer": {}, "olmo": {}, "olmo2": {}, "openai-gpt": {},
    "opt": {"word_embed_proj_dim": 32}, "pegasus": {}, "persimmon": {}, "phi": {}, "phi3": {}, "plbart": {},
    "qwen2": {}, "qwen2_moe": {}, "qwen3": {}, "qwen3_moe": {}, "reformer": {}, "rembert": {}, "roberta": {},
    "roberta-prelayernorm": {}, "roformer": {}, "rwkv": {}, "smollm3": {}, "splinter": {}, "squeezebert": {},
    "stablelm": {}, "starcoder2": {}, "t5": {}, "umt5": {}, "xglm": {"attention_heads": 4}, "xlm": {}, "xlm-roberta": {},
    "xlm-roberta-xl": {}, "xlnet": {"d_inner": 64}, "yoso": {}, "zamba": {},
}
VISION: dict[str, dict[str, object]] = {
    "beit": {}, "bit": {}, "clip_vision_model": {}, "convnext": {"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1]},
    "convnextv2": {"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 1, 1]},
    "cvt": {}, "data2vec-vision": {}, "deit": {},
    "depth_anything": {}, "dinat": {}, "dinov2": {}, "dinov2_with_registers": {}, "dinov3_vit": {}, "donut-swin": {},
    "dpt": {}, "efficientnet": {}, "focalnet": {}, "glpn": {}, "hiera": {}, "ijepa": {}, "levit": {}, "mgp-str": {},
    "mobilenet_v1": {}, "mobilenet_v2": {}, "mobilevit": {}, "mobilevitv2": {}, "poolformer": {}, "pvt": {},
    "pvt_v2": {}, "regnet": {}, "resnet": {}, "segformer": {}, "siglip_vision_model": {}, "superpoint": {},
    "swiftformer": {}, "swin": {}, "swin2sr": {}, "swinv2": {}, "textnet": {}, "upernet": {}, "vit": {}, "vit_mae": {},
    "vit_msn": {}, "vitdet": {}, "vitpose_backbone": {}, "yolos": {},
}


class Leaves(nn.Module):
    """The tensors among what a network gives."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """All tensors of floating point, in order."""
        outputs = self.network(*inputs)
        leaves = torch.utils._pytree.tree_leaves(outputs.to_tuple() if hasattr(outputs, "to_tuple") else outputs)
        return tuple(leaf for leaf in leaves if isinstance(leaf, Tensor))


def settled(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Gives every batch norm the statistics of its input, so that activations neither vanish nor explode."""

    def settle(norm: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        x = arguments[0]
        axes = [axis for axis in range(x.dim()) if axis != 1]
        if x.numel() < 16 * x.shape[1]:
            # A channel of few elements would be nothing but rounding errors, made large.
            axes = list(range(x.dim()))
        norm.running_mean.copy_(x.mean(axes))
        norm.running_var.copy_(x.var(axes, unbiased=False) + 1e-3)

    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    hooks = [norm.register_forward_pre_hook(settle) for norm in norms]
    with torch.no_grad():
        module.eval()(*inputs)
    for hook in hooks:
        hook.remove()


def timm_networks() -> list[Network]:
    """One network of each of timm's families."""
    torchvision_models()
    import timm

    def network(family: str, name: str) -> Network:
        settings = timm.get_pretrained_cfg(name).to_dict() if timm.get_pretrained_cfg(name) else {}
        full = settings.get("input_size", (3, 224, 224))
        sizes = [full[1]] if settings.get("fixed_input_size") else [64, 96, 128, full[1]]

        def build() -> nn.Module:
            for options in ({"img_size": 64}, {}):
                with contextlib.suppress(Exception):
                    model = timm.create_model(name, pretrained=False, num_classes=10, **options).eval()
                    for size in [64, *sizes] if options else sizes:
                        with contextlib.suppress(Exception), torch.no_grad():
                            model(torch.randn(1, 3, size, size))
                            build.size = size
                            return Leaves(model)
            raise ValueError(f"{name} takes no image")

        return Network(
            family, build, lambda: (torch.randn(1, 3, build.size, build.size),), prepare=settled)

    return [network(family, name) for family, name in TIMM.items()]


def transformers_networks() -> list[Network]:
    """One network of each of transformers' kinds, tiny."""
    torchvision_models()
    from transformers import AutoConfig, AutoModel

    def network(kind: str, settings: dict[str, object], inputs: Callable[[], tuple[Tensor, ...]], arguments: list[str]) -> Network:
        def build() -> nn.Module:
            default = AutoConfig.for_model(kind)
            options = {
                name: value for name, value in TINY.items()
                if isinstance(getattr(default, name, None), int | float | type(None)) and hasattr(default, name)
            } | settings
            model = AutoModel.from_config(AutoConfig.for_model(kind, **options))
            if getattr(model.config, "is_encoder_decoder", False):
                return Leaves(Both(model))
            return Leaves(Named(model, arguments))

        return Network(kind, build, inputs, prepare=settled)

    words = lambda: (torch.randint(3, 99, (2, 8)),)  # noqa: E731
    image = lambda: (torch.randn(1, 3, 64, 64),)  # noqa: E731
    small = lambda: (torch.randn(1, 3, 32, 32),)  # noqa: E731
    return [
        *(network(kind, settings, words, ["input_ids"]) for kind, settings in TEXT.items()),
        *(network(kind, settings, image if "hidden_sizes" in settings else small, ["pixel_values"])
          for kind, settings in VISION.items()),
    ]


class Named(nn.Module):
    """A network whose inputs have names."""

    def __init__(self, network: nn.Module, names: list[str]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *inputs: Tensor) -> object:
        """What the network gives."""
        return self.network(**dict(zip(self.names, inputs, strict=True)))


class Both(nn.Module):
    """An encoder and a decoder, given the same text."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, words: Tensor) -> object:
        """What the network gives."""
        return self.network(input_ids=words, decoder_input_ids=words)
