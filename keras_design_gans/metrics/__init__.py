"""Scores of novelty, quality and likeness, and the classifier that they are computed with."""

from keras_design_gans.metrics.attributes import attribute_error as attribute_error
from keras_design_gans.metrics.attributes import attribute_scores as attribute_scores
from keras_design_gans.metrics.attributes import edit_errors as edit_errors
from keras_design_gans.metrics.class_scores import am_gan_score as am_gan_score
from keras_design_gans.metrics.class_scores import am_score as am_score
from keras_design_gans.metrics.class_scores import inception_score as inception_score
from keras_design_gans.metrics.class_scores import prediction_entropy as prediction_entropy
from keras_design_gans.metrics.design_scores import design_scores as design_scores
from keras_design_gans.metrics.distribution import frechet_distance as frechet_distance
from keras_design_gans.metrics.distribution import kernel_distance as kernel_distance
from keras_design_gans.metrics.likeness import label_accuracy as label_accuracy
from keras_design_gans.metrics.likeness import likeness_scores as likeness_scores
from keras_design_gans.metrics.likeness import mean_absolute_error as mean_absolute_error
from keras_design_gans.metrics.likeness import ssim as ssim
from keras_design_gans.metrics.likeness import verification_accuracy as verification_accuracy
from keras_design_gans.metrics.masks import mask_fidelity as mask_fidelity
from keras_design_gans.metrics.masks import mask_iou as mask_iou
from keras_design_gans.metrics.masks import texture_spread as texture_spread
from keras_design_gans.metrics.neighbours import knn_distance as knn_distance
from keras_design_gans.metrics.neighbours import nearest_neighbours as nearest_neighbours
from keras_design_gans.metrics.products import NearestProducts as NearestProducts
from keras_design_gans.metrics.resnet18 import ResNet18 as ResNet18
from keras_design_gans.metrics.spread import bootstrap as bootstrap
