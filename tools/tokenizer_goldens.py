#!/usr/bin/env python3
"""Tokenizers of the Python package `tokenizers`, for Tests/TextTests/Goldens.

    tools/tokenizer_goldens.py                    trains small tokenizers and writes the goldens anew
    tools/tokenizer_goldens.py FILE.json...       has the Swift tests read these tokenizers, and compares all strings;
                                                  for files that are too large to keep

The sample is some thousand strings of several scripts, emoji, combining marks and odd spaces, which Python and Swift
(Tests/TextTests/Sample.swift) put together alike from pools.json. A golden holds, for each ten strings, 32 bits of a hash of
the numbers, tokens and offsets, so that it stays small; a difference is shown in full by the second form.

Needs the packages tokenizers and keras (with KERAS_BACKEND=torch).
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).resolve().parents[1]
GOLDENS = ROOT / "Tests" / "TextTests" / "Goldens"
COUNT = 2500

PHRASES = [
    "The quick brown fox jumps over the lazy dog.", "I can't believe it's not butter; we'll see, they've gone.",
    "Don't stop—believing… “quotes” ‘single’ (parentheses) [brackets] {braces}", "naïve café résumé coöperate Ångström",
    "nai\u0308ve cafe\u0301 re\u0301sume\u0301 A\u030angstro\u0308m", "Straße, Größe, Übermaß und Äpfel",
    "L'été, où êtes-vous? Ça va bien, garçon.", "El niño comió piñas y jalapeños ¿verdad?", "Zażółć gęślą jaźń",
    "Příliš žluťoučký kůň úpěl ďábelské ódy", "İstanbul'da ılık bir gün, ığdır", "Ngũgĩ wa Thiong'o",
    "Tiếng Việt có nhiều dấu: ạ ả ã á à ặ ẳ ẵ ắ ằ", "Съешь ещё этих мягких французских булок", "Ой у лузі червона калина",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία ΟΔΟΣ", "הַיֹּום יום טוב מאוד", "السلام عليكم ورحمة الله وَبَرَكَاتُه", "فارسی را پاس بداریم می‌خواهم",
    "हिन्दी में क्षमा कीजिए", "বাংলা ভাষা আমার", "தமிழ் மொழி வாழ்க", "తెలుగు భాష", "ಕನ್ನಡ ನುಡಿ", "മലയാളം", "ภาษาไทยไม่มีช่องว่าง",
    "ພາສາລາວ", "မြန်မာဘာသာ", "ភាសាខ្មែរ", "བོད་སྐད་", "አማርኛ ቋንቋ ነው", "ქართული ენა", "Հայերեն լեզու", "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ",
    "日本語の文章です。カタカナ、ひらがな、漢字。", "ﾊﾝｶｸｶﾀｶﾅ ＡＢＣ１２３", "中文句子没有空格，标点也不同！", "한국어 문장입니다. \u1112\u1161\u11ab\u1100\u116e\u11a8",
    "👋🏽 hello 👩‍👩‍👧‍👦 family 🏳️‍🌈 🇩🇪🇫🇷 1️⃣ ❤️‍🔥", "x² + y³ = ½ Ω, ∑∫√∞ ≠ ≤ ℕ ⊂ ℝ ﬁ ﬂ ŉ ǆ", "def f(x):\n\treturn x  # comment\r\n\r\n    pass",
    "https://example.com/a?b=c&d=%20#frag user@mail.org", "1234567 12.5% $3,000.00 €99 ١٢٣ १२३ Ⅷ ⑨ 二〇二六年", "  leading and trailing  ",
    "tabs\tand\u00a0no-break\u2003em\u3000ideographic\u200bzero\u2028line\u2029par\u0085nel\x0bvt\x0cff", "\ufeffBOM \ufffd replaced \x00 nul \x7f del",
    "soft\u00adhyphen ze\u200dro w\u200cidth \u202eright-to-left\u202c", "ſharp S ẞ K K Å ℓ ℡ ㎏ ㍿ ﷺ", "HELLO World MiXeD CaSe ǅ ΑΣ",
    "aaaaaaaaaaaaaaaaaaaaaaaa bbbbbb!!!!!!????....", "[CLS] masked [MASK] text [SEP]", "<s>begin</s> <mask> <|endoftext|> <unk>",
    "don't DON'T I'M we'LL 'tis 'S 's 'ſ", "e\u0323\u0301 \u0041\u030a\u0327 q\u0307\u0323 \u1e69 \u0344", "𝕳𝖊𝖑𝖑𝖔 𝓦𝓸𝓻𝓵𝓭 𝟙𝟚𝟛 𐐀𐐨 𠀀𠮷",
]
RANGES = [
    [0x20, 0x7e], [0x20, 0x7e], [0xa0, 0x17f], [0x180, 0x24f], [0x300, 0x36f], [0x370, 0x3ff], [0x400, 0x4ff], [0x531, 0x556],
    [0x591, 0x5f4], [0x600, 0x6ff], [0x900, 0x97f], [0x980, 0x9ff], [0xb80, 0xbff], [0xe00, 0xe7f], [0xf00, 0xfcf], [0x1000, 0x109f],
    [0x10a0, 0x10ff], [0x1100, 0x11ff], [0x1200, 0x137f], [0x1780, 0x17ff], [0x1e00, 0x1eff], [0x1f00, 0x1fff], [0x2000, 0x206f],
    [0x2070, 0x20bf], [0x2100, 0x218f], [0x2190, 0x23ff], [0x2460, 0x24ff], [0x2500, 0x27bf], [0x3000, 0x30ff], [0x3130, 0x318f],
    [0x3200, 0x33ff], [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfb00, 0xfdff], [0xfe20, 0xfeff], [0xff00, 0xffef],
    [0x1d400, 0x1d7ff], [0x1f300, 0x1f6ff], [0x1f900, 0x1f9ff], [0x20000, 0x20100], [0xe000, 0xe010], [0x0, 0x1f], [0x7f, 0x9f],
]
ODD = [
    " ", "  ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u200d", "\u200c", "\u0301", "\u0323", "\u0308", "\ufe0f", "🏽", "👩‍🚀",
    "🇯🇵", "'s", "'LL", "’", "—", "...", "#", "##", "▁", "Ġ", "</w>", "[MASK]", "<mask>", "<|endoftext|>", "0", "12", "3456", "\u1161", "ß", "İ", "Σ", "\x00", "\ufffd",
]


class Random:
    """A generator that takes three lines in any language."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, count: int) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % count


def sample() -> list[str]:
    """The strings: the phrases, then pieces of them, of ranges of scalars and of odd ones."""
    random = Random(7)
    strings = list(PHRASES)
    while len(strings) < COUNT:
        text = ""
        for _ in range(1 + random.below(7)):
            kind = random.below(10)
            if kind < 5:
                phrase = PHRASES[random.below(len(PHRASES))]
                start = random.below(len(phrase))
                text += phrase[start:start + 1 + random.below(12)]
            elif kind < 7:
                low, high = RANGES[random.below(len(RANGES))]
                for _ in range(1 + random.below(5)):
                    text += chr(low + random.below(high - low + 1))
            else:
                text += ODD[random.below(len(ODD))]
        strings.append(text)
    return strings


def fingerprint(encoding) -> int:
    """32 bits of all that is said of a text."""
    value = 0x811C9DC5

    def mix(number: int) -> None:
        nonlocal value
        value = ((value ^ (number & 0xFFFFFFFF)) * 0x01000193) & 0xFFFFFFFF

    for index in range(len(encoding.ids)):
        mix(encoding.ids[index])
        mix(encoding.type_ids[index])
        mix(encoding.special_tokens_mask[index] * 2 + encoding.attention_mask[index])
        mix(encoding.offsets[index][0])
        mix(encoding.offsets[index][1])
        word = encoding.word_ids[index]
        mix(0xFFFF if word is None else word)
        for byte in encoding.tokens[index].encode():
            mix(byte)
    return value


def hashed(text: str) -> int:
    """32 bits of a text."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


GROUP = 10


def results(tokenizer: Tokenizer, strings: list[str], decodes: bool) -> bytes:
    """For each ten strings, 32 bits of their encodings, and of the texts that these give with and without specials."""
    out = b""
    for start in range(0, len(strings), GROUP):
        value = 0x811C9DC5
        for text in strings[start:start + GROUP]:
            encoding = tokenizer.encode(text)
            parts = [fingerprint(encoding)]
            if decodes:
                parts += [hashed(tokenizer.decode(encoding.ids)),
                          hashed(tokenizer.decode(encoding.ids, skip_special_tokens=False))]
            for part in parts:
                value = ((value ^ part) * 0x01000193) & 0xFFFFFFFF
        out += struct.pack("<I", value)
    return out


def echo(normalizer=None, pre_tokenizer=None) -> Tokenizer:
    """A tokenizer that shows what is done before the model: every piece is its own token."""
    tokenizer = Tokenizer(models.Unigram([("<unk>", 0.0)], 0, False))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    return tokenizer


def stages() -> dict[str, Tokenizer]:
    """Normalizers and pre-tokenizers by themselves."""
    one = lambda: pre_tokenizers.FixedLength(1)
    cl100k = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
              r"|\s+(?!\S)|\s+")
    o200k = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
             r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
             r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    patterns = {
        "cl100k": cl100k, "o200k": o200k, "deepseek": r"[一-龥぀-ゟ゠-ヿ]+", "digits": r"\p{N}{1,3}",
        "deepseek3": r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
                     r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "words": r"\w+|[^\w\s]+", "spaces": r"\s", "marks": r"\p{M}", "numbers": r"\d+", "lookbehind": r"(?<=[a-z])(?=[A-Z])|\b",
        "empty": r"x*", "lazy": r"a+?|(?:an|a)*+", "sets": r"[a-z&&[^aeiou]]+|[[:punct:]]+|\x{65E5}|\u00e9", "lines": r"^.|.$",
        "clip": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    }
    made = {
        "nfc": echo(normalizers.NFC(), one()), "nfd": echo(normalizers.NFD(), one()), "nfkc": echo(normalizers.NFKC(), one()),
        "nfkd": echo(normalizers.NFKD(), one()), "lowercase": echo(normalizers.Lowercase(), one()),
        "strip": echo(normalizers.Strip(), one()), "strip-left": echo(normalizers.Strip(right=False), one()),
        "strip-accents": echo(normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), one()),
        "nmt": echo(normalizers.Nmt(), one()), "bert-normalizer": echo(normalizers.BertNormalizer(), one()),
        "bert-cased": echo(normalizers.BertNormalizer(lowercase=False, handle_chinese_chars=False), one()),
        "bert-accents": echo(normalizers.BertNormalizer(clean_text=False, strip_accents=False), one()),
        "replace": echo(normalizers.Sequence([
            normalizers.Replace("''", '"'), normalizers.Replace(Regex(r"\s+"), " _ "), normalizers.Prepend("▁")]), one()),
        "byte-normalizer": echo(normalizers.ByteLevel(), one()),
        "bert-pre": echo(None, pre_tokenizers.BertPreTokenizer()), "whitespace": echo(None, pre_tokenizers.Whitespace()),
        "whitespace-split": echo(None, pre_tokenizers.WhitespaceSplit()),
        "byte-level": echo(None, pre_tokenizers.ByteLevel()),
        "byte-level-plain": echo(None, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)),
        "digits-one": echo(None, pre_tokenizers.Digits(individual_digits=True)),
        "digits-all": echo(None, pre_tokenizers.Digits()), "delimiter": echo(None, pre_tokenizers.CharDelimiterSplit("a")),
        "fixed": echo(None, pre_tokenizers.FixedLength(3)),
    }
    for behavior in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        made["punctuation-" + behavior] = echo(None, pre_tokenizers.Punctuation(behavior))
        made["split-" + behavior] = echo(None, pre_tokenizers.Split("e", behavior))
        made["inverted-" + behavior] = echo(None, pre_tokenizers.Split(Regex(r"\w"), behavior, invert=True))
    for scheme in ["always", "first", "never"]:
        made["metaspace-" + scheme] = echo(None, pre_tokenizers.Metaspace(prepend_scheme=scheme))
        made["metaspace-whole-" + scheme] = echo(
            None, pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.Metaspace("_", scheme, False)]))
    for name, pattern in patterns.items():
        made["pattern-" + name] = echo(None, pre_tokenizers.Split(Regex(pattern), "isolated"))
    return made


def trained() -> dict[str, Tokenizer]:
    """Small tokenizers of each kind, with all that goes with them."""
    corpus = PHRASES * 3 + sample()[:400]
    made = {}

    def train(name: str, tokenizer: Tokenizer, trainer, texts=corpus) -> None:
        tokenizer.train_from_iterator(texts, trainer)
        made[name] = tokenizer

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    bert = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    bert.normalizer, bert.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    train("bert", bert, trainers.WordPieceTrainer(
        vocab_size=900, special_tokens=specials, limit_alphabet=300, show_progress=False))
    bert.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    bert.decoder = decoders.WordPiece()

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    gpt2 = Tokenizer(models.BPE())
    gpt2.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    train("gpt2", gpt2, trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False))
    gpt2.post_processor, gpt2.decoder = processors.ByteLevel(trim_offsets=True), decoders.ByteLevel()

    roberta = Tokenizer(models.BPE())
    roberta.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    train("roberta", roberta, trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], initial_alphabet=alphabet, show_progress=False))
    roberta.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    roberta.add_tokens([AddedToken("hello", normalized=True), AddedToken("fox", single_word=True, rstrip=True)])
    roberta.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    roberta.decoder = decoders.ByteLevel()

    llama3 = Tokenizer(models.BPE(ignore_merges=True))
    llama3.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
            r"|\s+(?!\S)|\s+"), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    train("llama3", llama3, trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<|begin|>", "<|endoftext|>"], initial_alphabet=alphabet, show_progress=False))
    llama3.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing("<|begin|> $A", "<|begin|> $A <|begin|>:1 $B:1", [("<|begin|>", 0)])])
    llama3.decoder = decoders.ByteLevel()

    llama2 = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    llama2.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    train("llama2", llama2, trainers.BpeTrainer(
        vocab_size=900, special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)],
        limit_alphabet=200, max_token_length=8, show_progress=False))
    llama2.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 1)])
    llama2.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])

    clip = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    clip.normalizer = normalizers.Sequence([
        normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    clip.pre_tokenizer = pre_tokenizers.Split(Regex(r"'s|'t|'re|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True)
    train("clip", clip, trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<|startoftext|>", "<|endoftext|>"], end_of_word_suffix="</w>", limit_alphabet=150,
        show_progress=False))
    clip.decoder = decoders.BPEDecoder()

    prefixed = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##", fuse_unk=False))
    prefixed.pre_tokenizer = pre_tokenizers.Whitespace()
    train("prefixed", prefixed, trainers.BpeTrainer(
        vocab_size=600, special_tokens=specials, continuing_subword_prefix="##", limit_alphabet=120, show_progress=False))
    prefixed.decoder = decoders.WordPiece(cleanup=False)

    t5 = Tokenizer(models.Unigram())
    t5.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    t5.pre_tokenizer = pre_tokenizers.Metaspace()
    train("t5", t5, trainers.UnigramTrainer(
        vocab_size=600, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False), PHRASES[:20])
    t5.add_special_tokens(["<mask>"])
    t5.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 1)])
    t5.decoder = decoders.Metaspace()

    words = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    words.normalizer = normalizers.Sequence([
        normalizers.NFKD(), normalizers.Lowercase(), normalizers.StripAccents(), normalizers.Strip()])
    words.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)])
    train("words", words, trainers.WordLevelTrainer(vocab_size=300, special_tokens=specials, show_progress=False))
    words.add_tokens([AddedToken("Größe", normalized=True), AddedToken("日本", normalized=False, lstrip=True, rstrip=True)])
    return made


PAIRS = [
    ("The quick brown fox", "jumps over the lazy dog"), ("a", "The quick brown fox jumps"), ("The quick brown fox jumps", "a"),
    ("", "x"), ("日本語", "größer e\u0301"),
]


def described(encoding) -> dict:
    """All that is said of a text."""
    return {
        "ids": encoding.ids, "types": encoding.type_ids, "tokens": encoding.tokens, "offsets": encoding.offsets,
        "special": encoding.special_tokens_mask, "attention": encoding.attention_mask,
        "overflowing": [part.ids for part in encoding.overflowing],
    }


def options(tokenizers: dict[str, Tokenizer]) -> list[dict]:
    """Pairs, truncation and padding."""
    cases = []
    for name in ["bert", "roberta", "llama3", "gpt2"]:
        source = tokenizers[name].to_str()
        for settings in [
            {}, {"special": False}, {"max_length": 8}, {"max_length": 8, "direction": "left"},
            {"max_length": 7, "strategy": "only_first"}, {"max_length": 7, "strategy": "only_second"},
            {"max_length": 6, "stride": 1}, {"padding": {"length": 32}}, {"padding": {"direction": "left", "length": 12}},
            {"padding": {"pad_to_multiple_of": 8, "pad_id": 3, "pad_type_id": 1, "pad_token": "!"}},
            {"max_length": 8, "padding": {}}, {"max_length": 4},
        ]:
            tokenizer = Tokenizer.from_str(source)
            if "max_length" in settings:
                keys = {key: settings[key] for key in ("max_length", "strategy", "stride", "direction") if key in settings}
                tokenizer.enable_truncation(**keys)
            if "padding" in settings:
                tokenizer.enable_padding(**settings["padding"])
            special = settings.get("special", True)
            for pair in [(text, None) for text in [PHRASES[0], "a", ""]] + PAIRS:
                try:
                    result = described(tokenizer.encode(*pair, add_special_tokens=special))
                    if pair[1] is not None:
                        result["overflowing"] = []
                except BaseException:  # what the Rust code panics about is no Exception
                    result = None
                cases.append({"tokenizer": name, "settings": settings, "text": pair[0], "pair": pair[1], "result": result})
            if "padding" in settings and "length" not in settings["padding"]:
                batch = tokenizer.encode_batch([PHRASES[0], "a", PHRASES[1]])
                cases.append({"tokenizer": name, "settings": settings, "batch": [PHRASES[0], "a", PHRASES[1]],
                              "results": [described(encoding) for encoding in batch]})
    return cases


def pads() -> list[dict]:
    """Keras' pad_sequences."""
    os.environ["KERAS_BACKEND"] = "torch"
    from keras.utils import pad_sequences

    cases = []
    for sequences in [[[1], [2, 3], [4, 5, 6]], [[], [7]], [[1.5, -2.7, 3.2], [4.9]]]:
        for maxlen in [None, 2, 5]:
            for padding in ["pre", "post"]:
                for truncating in ["pre", "post"]:
                    for dtype, value in [("int32", 0.0), ("float32", -1.5), ("int64", 9.0)]:
                        result = pad_sequences(sequences, maxlen, dtype, padding, truncating, value)
                        cases.append({"sequences": sequences, "maxlen": maxlen, "padding": padding,
                                      "truncating": truncating, "dtype": dtype, "value": value, "result": result.tolist()})
    return cases


def write(path: pathlib.Path, value: object, indent: int | None = None) -> None:
    """A file of JSON."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":")) + "\n")


def main() -> None:
    """Does what the command line says."""
    strings = sample()
    if len(sys.argv) > 1:
        compare([pathlib.Path(path) for path in sys.argv[1:]], strings)
        return
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for old in GOLDENS.iterdir():
        old.unlink()
    write(GOLDENS / "pools.json", {"phrases": PHRASES, "ranges": RANGES, "odd": ODD, "count": COUNT})
    tokenizers = trained()
    hashes = b""
    files = {}
    for name, tokenizer in (stages() | tokenizers).items():
        source = json.loads(tokenizer.to_str())
        if name in tokenizers:
            write(GOLDENS / f"{name}.json", source)
        else:
            files[name] = source
        hashes += results(tokenizer, strings, decodes=name in tokenizers)
    write(GOLDENS / "stages.json", files)
    write(GOLDENS / "index.json", {"stages": list(files), "trained": list(tokenizers)})
    (GOLDENS / "hashes.bin").write_bytes(hashes)
    write(GOLDENS / "options.json", options(tokenizers))
    write(GOLDENS / "pads.json", pads())
    bert = sorted(tokenizers["bert"].get_vocab().items(), key=lambda item: item[1])
    (GOLDENS / "vocab.txt").write_text("".join(piece + "\n" for piece, _ in bert))


def compare(paths: list[pathlib.Path], strings: list[str]) -> None:
    """Has the Swift tests encode the sample by tokenizers, and shows where Python gives something else."""
    mistakes = count = 0
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {"LATHE_TOKENIZER": str(path.resolve()), "LATHE_TOKENIZER_RESULTS": folder}
            subprocess.run(
                ["swift", "test", "--skip-build", "--package-path", ROOT, "--filter", "TextTests.GivenTokenizerTests"],
                check=True, env=environment, stdout=subprocess.DEVNULL)
            ours = json.loads((pathlib.Path(folder) / "results.json").read_text())
        tokenizer = Tokenizer.from_file(str(path))
        wrong = 0
        for text, mine in zip(strings, ours, strict=True):
            theirs = described(tokenizer.encode(text))
            theirs["decoded"] = tokenizer.decode(theirs["ids"])
            theirs["offsets"] = [list(pair) for pair in theirs["offsets"]]
            count += 1
            if mine != theirs:
                wrong += 1
                if wrong <= 10:
                    keys = [key for key in theirs if mine[key] != theirs[key]]
                    print(f"{path.name}: {text!r}: " + "; ".join(f"{key}: {mine[key]} not {theirs[key]}" for key in keys))
        print(f"{path.name}: {len(strings) - wrong} of {len(strings)} strings are as in Python")
        mistakes += wrong
    sys.exit(1 if mistakes else 0)


if __name__ == "__main__":
    main()
