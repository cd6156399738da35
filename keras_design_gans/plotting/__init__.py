"""Pictures for notebooks and lectures: image grids, latent walks, neighbours, training curves.

Images go in as they come from a model or a data set: (n, height, width, channels), float in
[-1, 1] or uint8, grey or RGB. Functions that draw return a `matplotlib.figure.Figure` that shows
itself at the end of a notebook cell. Matplotlib is imported when the first figure is drawn.
"""

from keras_design_gans.plotting.figures import interpolate as interpolate
from keras_design_gans.plotting.figures import latent_walk as latent_walk
from keras_design_gans.plotting.figures import nearest_neighbours as nearest_neighbours
from keras_design_gans.plotting.figures import nearest_products as nearest_products
from keras_design_gans.plotting.figures import show_images as show_images
from keras_design_gans.plotting.figures import show_rows as show_rows
from keras_design_gans.plotting.history import plot_history as plot_history
from keras_design_gans.plotting.pixels import beside as beside
from keras_design_gans.plotting.pixels import image_grid as image_grid
from keras_design_gans.plotting.pixels import save_animation as save_animation
from keras_design_gans.plotting.pixels import save_grid as save_grid
from keras_design_gans.plotting.pixels import to_uint8 as to_uint8
