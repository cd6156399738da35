"""Sentences about pictures, made from the names of what they show."""

_HAIR = {
    "short": "short {} hair",
    "shaggy": "shaggy {} hair",
    "frizzy": "frizzy {} hair",
    "afro": "a {} afro",
    "bob": "a {} bob",
    "curly": "curly {} hair",
    "long straight": "long straight {} hair",
    "long wavy": "long wavy {} hair",
}
_PHRASES = {
    "eyes": {
        "open": "open eyes",
        "closed": "closed eyes",
        "wide": "wide eyes",
        "wink": "a winking eye",
    },
    "mouth": {
        "smile": "a smile",
        "serious": "a serious mouth",
        "sad": "a sad mouth",
        "open": "an open mouth",
    },
    "glasses": {"round": "round glasses", "square": "square glasses"},
    "beard": {"moustache": "a moustache", "short": "a short beard", "long": "a long beard"},
    "accessory": {"headband": "a headband", "flowers": "flowers in the hair", "hat": "a hat"},
}

_COLORS_ZH = {
    "black": "黑色",
    "brown": "棕色",
    "blond": "金色",
    "red": "红色",
    "grey": "灰色",
    "pink": "粉色",
    "blue": "蓝色",
    "green": "绿色",
    "yellow": "黄色",
    "purple": "紫色",
    "white": "白色",
}
_HAIR_ZH = {
    "short": "留着{}短发",
    "shaggy": "留着{}碎发",
    "frizzy": "留着{}蓬松的小卷发",
    "afro": "留着{}爆炸头",
    "bob": "留着{}波波头",
    "curly": "留着{}卷发",
    "long straight": "留着{}长直发",
    "long wavy": "留着{}长卷发",
}
_PHRASES_ZH = {
    "eyes": {
        "open": "睁着眼睛",
        "closed": "闭着眼睛",
        "wide": "睁大眼睛",
        "wink": "眨着一只眼睛",
    },
    "mouth": {
        "smile": "面带笑容",
        "serious": "表情严肃",
        "sad": "嘴角下垂",
        "open": "张着嘴",
    },
    "glasses": {"round": "戴着圆框眼镜", "square": "戴着方框眼镜"},
    "beard": {"moustache": "留着小胡子", "short": "留着短络腮胡", "long": "留着长胡子"},
    "accessory": {"headband": "戴着发带", "flowers": "头上戴着花", "hat": "戴着帽子"},
}
# Every character of the Chinese captions, for an alphabet.
CHINESE = "".join(
    sorted(
        {
            *"画中的人一个头像穿着衣服，。：",
            *"".join([*_COLORS_ZH.values(), *_HAIR_ZH.values()]).replace("{}", ""),
            *"".join(phrase for kind in _PHRASES_ZH.values() for phrase in kind.values()),
        }
    )
)


def face(names):
    """Describes a drawn face in English.

    Args:
        names: dictionary from each attribute of `faces` to the name of its value.

    Returns:
        A tuple of four sentences. Each tells all attributes; what is missing is not mentioned.
    """
    hair = _HAIR[names["hair_style"]].format(names["hair_color"])
    eyes, mouth, glasses, beard, accessory = _phrases(names, _PHRASES)
    clothes = f"{names['clothes_color']} clothes"
    worn = [*glasses, *accessory]
    return (
        f"A face with {_listed([hair, *eyes, *mouth, *beard])}, "
        f"wearing {_listed([*worn, clothes])}.",
        f"A person in {clothes} with {_listed([*worn, *beard, hair, *mouth, *eyes])}.",
        f"This person has {_listed([*eyes, *mouth, hair, *beard])} "
        f"and wears {_listed([clothes, *worn])}.",
        f"Portrait: {', '.join([*mouth, *eyes, *beard, hair, clothes, *worn])}.",
    )


def face_in_chinese(names):
    """Describes a drawn face in Chinese, see `face`."""
    hair = _HAIR_ZH[names["hair_style"]].format(_COLORS_ZH[names["hair_color"]])
    eyes, mouth, glasses, beard, accessory = _phrases(names, _PHRASES_ZH)
    clothes = f"穿着{_COLORS_ZH[names['clothes_color']]}衣服"
    worn = [*glasses, *accessory]
    return (
        f"画中的人{'，'.join([hair, *eyes, *mouth, *beard, *worn, clothes])}。",
        f"一个{clothes}的人，{'，'.join([*worn, *beard, hair, *mouth, *eyes])}。",
        f"一个{hair}的人，{'，'.join([*eyes, *mouth, *beard, clothes, *worn])}。",
        f"头像：{'，'.join([*mouth, *eyes, *beard, hair, clothes, *worn])}。",
    )


# Attributes of CelebA by what a person has or wears. Left out are judgements of looks, and what is
# said of age, gender and the build of a face.
_CELEBA_HAIR = {"Black_Hair": "black", "Blond_Hair": "blond", "Brown_Hair": "brown"}
_CELEBA_HAIR |= {"Gray_Hair": "grey"}
_CELEBA_CURLS = {"Straight_Hair": "straight", "Wavy_Hair": "wavy"}
_CELEBA_HAS = {
    "Bald": "a bald head",
    "Bangs": "bangs",
    "Smiling": "a smile",
    "Mouth_Slightly_Open": "an open mouth",
    "Mustache": "a moustache",
    "Goatee": "a goatee",
    "Sideburns": "sideburns",
}
_CELEBA_WEARS = {
    "Eyeglasses": "glasses",
    "Wearing_Hat": "a hat",
    "Wearing_Earrings": "earrings",
    "Wearing_Necklace": "a necklace",
    "Wearing_Necktie": "a necktie",
    "Wearing_Lipstick": "lipstick",
}


def celebrity(attributes):
    """Describes a picture of CelebA by its attributes.

    Args:
        attributes: set of the names of those that it shows.

    Returns:
        A tuple of three sentences.
    """

    def present(phrases):
        return [phrase for name, phrase in phrases.items() if name in attributes]

    hair = [*present(_CELEBA_CURLS), *present(_CELEBA_HAIR)]
    has = [" ".join([*hair, "hair"])] if hair else []
    has += present(_CELEBA_HAS)
    wears = present(_CELEBA_WEARS)
    said = [f"with {_listed(has)}"] if has else []
    said += [f"wearing {_listed(wears)}"] if wears else []
    what = " ".join(["a person", *said])
    return (
        f"A photo of {what}.",
        f"The face of {what}.",
        f"Portrait: {', '.join([*wears, *has]) or 'a person'}.",
    )


def photo(name, kind):
    """Describes a photo by the name of its class alone.

    Args:
        name: such as `"pink primrose"`.
        kind: what the class is, such as `"flower"`.

    Returns:
        A tuple of three sentences.
    """
    article = "an" if name[0].lower() in "aeiou" else "a"
    return (
        f"A photo of {article} {name}.",
        f"This {kind} is {article} {name}.",
        f"A picture of a {kind}: {name}.",
    )


def _phrases(names, phrases):
    """Returns for each attribute a list with its phrase, or an empty one for `"none"`."""
    return [[kind[names[key]]] if names[key] in kind else [] for key, kind in phrases.items()]


def _listed(parts):
    """Joins words as in "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
