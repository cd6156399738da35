"""Mode collapse: a fast generator against a slow discriminator that judges pictures one by one."""

import keras
from common import garments, keep, plain_discriminator

import keras_design_gans as kdg

keras.utils.set_random_seed(0)
model = kdg.models.DCGAN(
    (32, 32, 3), latent_dim=32, base_filters=16, discriminator=plain_discriminator()
)
model.compile(
    generator_optimizer=keras.optimizers.Adam(2e-3, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
)
history = model.fit(
    garments().batches(), steps_per_epoch=50, epochs=20, callbacks=[kdg.callbacks.HealthCheck()]
)
keep("mode_collapse", model, history)
