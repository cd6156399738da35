"""Studies with people: which picture is best, how good is it, did a person or a machine make it?

A study is one SQLite file: its questions, its pictures under random names, and the answers.
`create` makes it from folders of results, `serve` shows it to a class, `results` sums it up, and
`export` writes the same task for a crowd-work site. No part of it needs a backend of Keras.
"""

from keras_design_gans.studies.creation import create as create
from keras_design_gans.studies.crowd import export as export
from keras_design_gans.studies.questions import QUESTION_SETS as QUESTION_SETS
from keras_design_gans.studies.questions import Question as Question
from keras_design_gans.studies.server import serve as serve
from keras_design_gans.studies.statistics import results as results
from keras_design_gans.studies.store import Study as Study
