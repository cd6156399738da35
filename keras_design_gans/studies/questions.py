"""What people are asked, in English and Chinese.

`"design"` has the six questions that Sbai et al., *DesIGN* (2018), ask of each picture, and
`"transfer"` the one of Zhao et al., *Modular Generative Adversarial Networks* (2018): which method
changes an attribute best. The wording is ours.
"""

from dataclasses import dataclass

KINDS = ("choice", "rating", "human")
RATINGS = range(1, 6)
MAKERS = ("human", "machine")


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        key: Its name in the results.
        kind: `"choice"` of one of several pictures, `"rating"` of one picture from 1 to 5, or
            `"human"`: did a person or a machine make this picture?
        en: Its text in English.
        zh: Its text in Chinese.
        ends_en: For ratings, what 1 and 5 mean.
        ends_zh: The same in Chinese.
    """

    key: str
    kind: str
    en: str
    zh: str
    ends_en: tuple = ("", "")
    ends_zh: tuple = ("", "")


OVERALL = Question(
    "overall",
    "rating",
    "How much do you like it?",
    "你有多喜欢它？",
    ("not at all", "very much"),
    ("完全不喜欢", "非常喜欢"),
)
HUMAN = Question("human", "human", "Who made it?", "它是谁做的？")

_NOVELTY = (("I know many like it", "I have never seen one like it"), ("很常见", "从未见过"))
_COMPLEXITY = (("very simple", "very complex"), ("非常简单", "非常复杂"))

QUESTION_SETS = {
    "design": (
        OVERALL,
        Question("shape_novelty", "rating", "How new is its shape?", "形状有多新颖？", *_NOVELTY),
        Question(
            "shape_complexity",
            "rating",
            "How complex is its shape?",
            "形状有多复杂？",
            *_COMPLEXITY,
        ),
        Question(
            "texture_novelty",
            "rating",
            "How new are its texture and pattern?",
            "纹理和图案有多新颖？",
            *_NOVELTY,
        ),
        Question(
            "texture_complexity",
            "rating",
            "How complex are its texture and pattern?",
            "纹理和图案有多复杂？",
            *_COMPLEXITY,
        ),
        HUMAN,
    ),
    "transfer": (
        Question(
            "transfer",
            "choice",
            "Which picture makes this change best? It should look real, and only what was asked "
            "for should be different.",
            "哪张图片最好地完成了这个改变？画面应当真实，并且只改变所要求的部分。",
        ),
    ),
    "best": (Question("best", "choice", "Which picture is best?", "哪张图片最好？"),),
    "rate": (OVERALL,),
    "human": (HUMAN,),
}


def question_set(questions):
    """Returns the questions of a set as a tuple.

    Args:
        questions: A name from `QUESTION_SETS`, or a sequence of `Question`s.

    Raises:
        ValueError: If there is no such set, or the questions do not go together.
    """
    if isinstance(questions, str):
        if questions not in QUESTION_SETS:
            raise ValueError(
                f"questions must be one of {', '.join(QUESTION_SETS)}, or a list of Question. "
                f"Received: {questions!r}"
            )
        return QUESTION_SETS[questions]
    questions = tuple(questions)
    kinds, keys = {q.kind for q in questions}, {q.key for q in questions}
    if not questions or not kinds <= set(KINDS) or len(keys) < len(questions):
        raise ValueError(
            f"Expected questions with different keys, each of a kind of {', '.join(KINDS)}. "
            f"Received: {[(q.key, q.kind) for q in questions]}"
        )
    if "choice" in kinds and len(kinds) > 1:
        raise ValueError(
            "A choice is between several pictures, the other kinds are about one. Make two studies."
        )
    return questions
