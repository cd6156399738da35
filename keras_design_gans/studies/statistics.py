r"""What the answers say, how sure that is, and how much the raters agree.

The answers of one person resemble each other, so that not the answer but the person is the unit.
With \(x_r\) the mean of the answers of rater \(r\) and \(R\) raters, the value of a method is
\(\bar x=\frac1R\sum_r x_r\), and its 95 % interval

- of ratings: that of Student's t, \(\bar x\pm t_{R-1}\,s/\sqrt R\), with \(s\) the deviation of the
  \(x_r\), cut at 1 and 5;
- of shares: that of E. B. Wilson (1927) for as many independent answers as would scatter like the
  raters do, after E. L. Korn and B. I. Graubard (1998),
  \(n_\mathrm{eff}=\frac{\bar x(1-\bar x)}{s^2/R}\left(\frac{1.96}{t_{R-1}}\right)^2\), at most as
  many as there are. Where all say the same, their scatter is unknown, and each rater counts once.

It says what other raters would answer about the same pictures.

Agreement is Krippendorff's \(\alpha=1-D_o/D_e\): the observed disagreement by the one of chance,
ordinal for ratings and nominal otherwise; 1 is full agreement, 0 that of chance. It allows raters
who left early. Fleiss' \(\kappa\) (1971), which takes ratings as mere names, is given where all
items have equally many answers. Items with one answer say nothing of either.
"""

from collections import Counter, defaultdict
from importlib.util import find_spec

import numpy as np

from keras_design_gans.studies.questions import RATINGS
from keras_design_gans.studies.store import Study


def results(study):
    """Sums up the answers of a study.

    Args:
        study: File of the study, or a `Study`.

    Returns:
        Dictionary with `raters`, those who answered; `answers`, items that were answered, each
        counted once for each rater; and `questions`: from each question's key to a dictionary
        with `kind`, `methods`, `alpha` and `kappa`. `methods` leads from each method to a
        dictionary with `value`, `low`, `high` (the 95 % interval) and `answers`, their number. The
        value is the mean rating, the share of "human", or the share of answers that chose it.
        What cannot be computed is `None`: the interval of ratings by one rater, the agreement of
        fewer than two.

    Raises:
        ValueError: If nothing has been answered yet, or the file is no study.
        ImportError: If statsmodels or krippendorff is not installed.
    """
    missing = [name for name in ("statsmodels", "krippendorff") if not find_spec(name)]
    if missing:
        raise ImportError(
            f"The statistics need {' and '.join(missing)}: pip install 'keras-design-gans[studies]'"
        )
    study = study if isinstance(study, Study) else Study(study)
    answers = study.answers()
    if not answers:
        raise ValueError(f"Nobody has answered {study.path} yet.")
    methods = sorted({m for item in study.items() for _, m in item["pictures"] if m is not None})
    return {
        "raters": len({answer["rater"] for answer in answers}),
        "answers": len({(answer["rater"], answer["item"]) for answer in answers}),
        "questions": {
            question.key: _question(
                question.kind, methods, [a for a in answers if a["question"] == question.key]
            )
            for question in study.questions
        },
    }


def mean_interval(by_rater):
    """Mean rating and its 95 % interval.

    Args:
        by_rater: List of the ratings of each rater, a list of lists.

    Returns:
        value, low and high; the last two are `None` if there is one rater.
    """
    from statsmodels.stats.weightstats import DescrStatsW

    means = [np.mean(ratings) for ratings in by_rater]
    if len(means) == 1:
        return float(means[0]), None, None
    low, high = np.clip(DescrStatsW(means).tconfint_mean(), RATINGS[0], RATINGS[-1])
    return float(np.mean(means)), float(low), float(high)


def share_interval(by_rater):
    """Share of ones and its 95 % interval.

    Args:
        by_rater: List of the answers of each rater, a list of lists of 0 and 1.

    Returns:
        value, low and high.
    """
    from scipy.stats import norm, t
    from statsmodels.stats.proportion import proportion_confint

    shares = [np.mean(answers) for answers in by_rater]
    value, raters = np.mean(shares), len(shares)
    effective = raters
    if raters > 1 and 0 < value < 1:
        effective = sum(map(len, by_rater))
        if scatter := np.var(shares, ddof=1) / raters:
            few = norm.ppf(0.975) / t.ppf(0.975, raters - 1)  # their scatter itself is a guess
            effective = min(effective, value * (1 - value) / scatter * few**2)
    low, high = proportion_confint(value * effective, effective, method="wilson")
    return float(value), float(low), float(high)


def agreement(answers, level):
    """Agreement of the raters on one question.

    Args:
        answers: List of (rater, item, value).
        level: `"ordinal"` or `"nominal"`.

    Returns:
        Krippendorff's alpha and Fleiss' kappa; `None` for what is not defined.
    """
    import krippendorff
    from statsmodels.stats.inter_rater import fleiss_kappa

    often = Counter(item for _, item, _ in answers)
    answers = [answer for answer in answers if often[answer[1]] > 1]
    if len({value for _, _, value in answers}) < 2:
        return None, None
    raters, items, values = (sorted(set(column)) for column in zip(*answers, strict=True))
    table = np.full((len(raters), len(items)), np.nan)
    counts = np.zeros((len(items), len(values)))
    for rater, item, value in answers:
        table[raters.index(rater), items.index(item)] = values.index(value)
        counts[items.index(item), values.index(value)] += 1
    numbers = counts.sum(axis=1)
    alpha = krippendorff.alpha(reliability_data=table, level_of_measurement=level)
    balanced = (numbers == numbers[0]).all()
    return float(alpha), float(fleiss_kappa(counts)) if balanced else None


def _question(kind, methods, answers):
    interval = mean_interval if kind == "rating" else share_interval
    said = {"rating": "value", "human": "value", "choice": "method"}[kind]
    alpha, kappa = agreement(
        [(a["rater"], a["item"], a[said]) for a in answers],
        "ordinal" if kind == "rating" else "nominal",
    )
    summary = {}
    for method in methods:
        by_rater = defaultdict(list)
        for answer in answers:
            if kind == "choice":
                by_rater[answer["rater"]].append(int(answer["method"] == method))
            elif answer["method"] == method:
                value = answer["value"]
                by_rater[answer["rater"]].append(value if kind == "rating" else value == "human")
        if by_rater:
            value, low, high = interval(list(by_rater.values()))
            number = sum(map(len, by_rater.values()))
            summary[method] = {"value": value, "low": low, "high": high, "answers": number}
    return {"kind": kind, "methods": summary, "alpha": alpha, "kappa": kappa}
