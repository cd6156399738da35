"""One paper, one file: the networks of a paper and its `keras.Model`."""

from keras_design_gans.models.attribute_gan import AttributeGAN
from keras_design_gans.models.cgan import CGAN
from keras_design_gans.models.char_cnn_rnn import CharCNNRNN
from keras_design_gans.models.context_encoder import ContextEncoder
from keras_design_gans.models.contextual_gan import ContextualGAN
from keras_design_gans.models.cyclegan import CycleGAN
from keras_design_gans.models.dcgan import DCGAN
from keras_design_gans.models.design import DesIGN
from keras_design_gans.models.gan import GAN
from keras_design_gans.models.gan_cls import GANCLS
from keras_design_gans.models.hed import HED
from keras_design_gans.models.icgan import IcGAN
from keras_design_gans.models.lapgan import LAPGAN
from keras_design_gans.models.mask_stylegan import MaskStyleGAN
from keras_design_gans.models.modular_gan import ModularGAN
from keras_design_gans.models.pggan import PGGAN
from keras_design_gans.models.pix2pix import Pix2Pix
from keras_design_gans.models.stackgan import StackGAN
from keras_design_gans.models.star_gan import StarGAN
from keras_design_gans.models.vae import VAE
from keras_design_gans.models.wgan import WGAN
from keras_design_gans.models.wgan_gp import WGANGP

__all__ = [
    "CGAN",
    "DCGAN",
    "GAN",
    "GANCLS",
    "HED",
    "LAPGAN",
    "PGGAN",
    "VAE",
    "WGAN",
    "WGANGP",
    "AttributeGAN",
    "CharCNNRNN",
    "ContextEncoder",
    "ContextualGAN",
    "CycleGAN",
    "DesIGN",
    "IcGAN",
    "MaskStyleGAN",
    "ModularGAN",
    "Pix2Pix",
    "StackGAN",
    "StarGAN",
]
