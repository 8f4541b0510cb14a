#!/usr/bin/env python3
"""Writes samples/Intents/sentences.tsv, what people say to a device and what they want, and the tokenizer.json for it.

The sentences are put together from the patterns below; the tokenizer is a WordPiece of the package tokenizers, which cuts
and fills up to 16 tokens.
"""

import itertools
import pathlib
import random
import re

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

FOLDER = pathlib.Path(__file__).parent.parent / "samples/Intents"
COUNT, LENGTH = 150, 16

WORDS = {
    "room": "kitchen, bedroom, living room, bathroom, hall, garage, office, garden, cellar, attic".split(", "),
    "lamp": "light, lights, lamp, ceiling light, reading lamp".split(", "),
    "number": "five, ten, fifteen, twenty, thirty, forty five, sixty, ninety".split(", "),
    "degrees": "seventeen, eighteen, nineteen, twenty, twenty one, twenty two, twenty three".split(", "),
    "song": "something slow, some jazz, a waltz, the news, my favourite record, a piano sonata, old blues".split(", "),
    "day": "today, tomorrow, on Monday, on Sunday, this evening, at the weekend, next week".split(", "),
    "town": "Lisbon, Oslo, Vienna, Turin, Dublin, Tallinn, Ghent, Krakow".split(", "),
    "please": ", please, could you , would you please , hey ,can you ".split(","),
    "food": "eggs, tea, pasta, bread, rice, soup, cake".split(", "),
    "goods": "milk, apples, coffee, soap, onions, paper towels, candles, flour".split(", "),
}
PATTERNS = {
    "lights_on": ["{please} switch on the {lamp} in the {room}", "{please} turn the {room} {lamp} on",
                  "it is too dark in the {room}", "{please} make the {room} brighter", "i need more light in the {room}"],
    "lights_off": ["{please} switch off the {lamp} in the {room}", "{please} turn the {room} {lamp} off",
                   "it is too bright in the {room}", "{please} make it dark in the {room}",
                   "nobody needs the {lamp} in the {room} now"],
    "heating": ["{please} heat the {room} to {degrees} degrees", "{please} set the {room} to {degrees}",
                "it is too cold in the {room}", "i am freezing in the {room}", "make the {room} {degrees} degrees warm"],
    "music": ["{please} play {song}", "{please} play {song} in the {room}", "i want to hear {song}",
              "what about {song} in the {room}", "{please} put on {song}"],
    "timer": ["{please} wake me in {number} minutes", "{please} set a timer for {number} minutes",
              "tell me when {number} minutes are over", "the {food} needs {number} minutes",
              "{please} count down {number} seconds for the {food}"],
    "weather": ["what will the weather be like {day}", "will it rain in {town} {day}", "is it cold in {town} {day}",
                "do i need an umbrella {day}", "how warm will it get in {town} {day}"],
    "shopping": ["{please} put {goods} on the list", "we have run out of {goods}", "{please} remind me to buy {goods}",
                 "{please} add {goods} and {goods} to the shopping list", "there is no {goods} in the {room} any more"],
}


def sentences(patterns: list[str], draw: random.Random) -> list[str]:
    """Distinct sentences of some patterns."""
    found: dict[str, None] = {}
    for pattern in itertools.cycle(patterns):
        text = re.sub(r"\{(\w+)\}", lambda match: draw.choice(WORDS[match[1]]), pattern)
        found[" ".join(text.split())] = None
        if len(found) == COUNT:
            return list(found)
    raise AssertionError


def main() -> None:
    draw = random.Random(0)
    lines = [(intent, text) for intent, patterns in PATTERNS.items() for text in sentences(patterns, draw)]
    draw.shuffle(lines)
    (FOLDER / "sentences.tsv").write_text("".join(f"{intent}\t{text}\n" for intent, text in lines))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]"], show_progress=False)
    tokenizer.train_from_iterator((text for _, text in lines), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", tokenizer.token_to_id("[CLS]"))])
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding(length=LENGTH)
    tokenizer.save(str(FOLDER / "tokenizer.json"), pretty=False)
    print(len(lines), tokenizer.get_vocab_size(), tokenizer.encode("please turn the kitchen light on").tokens)


if __name__ == "__main__":
    main()
