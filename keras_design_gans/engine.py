"""The adversarial game as a `keras.Model`.

A model subclasses `AdversarialModel`, names its `players`, and writes one plain, stateful
`train_step(self, data)`. The step may update players in any order and number, use batch
normalisation, dropout and seed generators, and read gradients with respect to inputs; the same
body runs under TensorFlow, JAX and PyTorch.
"""

import keras
from keras import ops, tree

from keras_design_gans import presets
from keras_design_gans.batch import check_first_batch, for_fit, read_batch
from keras_design_gans.gradients import (
    BACKEND,
    apply,
    forward,
    input_gradient,
    variable_gradients,
    with_explicit_state,
)
from keras_design_gans.optimizers import PlayerOptimizers


class AdversarialModel(keras.Model):
    """A `keras.Model` trained by several players, each with its own networks and optimizer.

    Subclasses define `players`, `default_optimizers()`, `needs` and `train_step(data)`; their
    networks must be built in the constructor, because Keras looks at the variables before the
    first step. On JAX a step must have no Python side effects, as it is traced.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True  # the networks are, and the game itself has no weights
        self._means = {}
        self._own_networks = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if BACKEND == "jax":  # Keras' JAX trainer passes and expects the state explicitly
            for name in ("train_step", "test_step"):
                if name in cls.__dict__:
                    setattr(cls, name, with_explicit_state(cls.__dict__[name]))

    # What a subclass fills in.

    @property
    def players(self):
        """Dictionary from player name to the list of networks that player updates."""
        raise NotImplementedError(f"{type(self).__name__} must define `players`.")

    def default_optimizers(self):
        """Dictionary from player name to the optimizer of the paper."""
        raise NotImplementedError(f"{type(self).__name__} must define `default_optimizers`.")

    @property
    def needs(self):
        """Dictionary from batch key to `Images` or `Labels`: what the model takes from a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define `needs`.")

    # What a train_step is written with.

    def read(self, data):
        """Returns the part of a batch that the model needs, as a dictionary of tensors."""
        needs = self.needs
        batch = read_batch(data, needs)
        return {key: ops.convert_to_tensor(batch[key], needs[key].dtype) for key in needs}

    def minimize(self, objective, player, through=None):
        """Updates one player by one step of its optimizer.

        Args:
            objective: Function of no argument that returns a scalar loss, or a tuple whose first
                element is the loss. With `through`, a function of the shared output.
            player: Name of the player. Only its trainable variables move.
            through: A `SharedPass` of the player's network. The loss is then differentiated with
                respect to the output that exists already, and the gradient pulled back through
                it: the network runs once for both players.

        Returns:
            What `objective` returned, cut from the gradient graph.
        """
        optimizer = self.optimizer[player]
        variables = self._variables_of(player)

        def scaled_objective(*inputs):
            result = objective(*inputs)
            loss = result[0] if isinstance(result, tuple) else result
            return optimizer.scale_loss(loss), result

        if through is None:
            result, gradients = variable_gradients(self, scaled_objective, variables)
        else:
            result, gradient = input_gradient(
                self, scaled_objective, through.output, differentiable=False
            )
            gradients = through.pull_back(gradient)
        apply(optimizer, gradients, variables)
        return tree.map_structure(ops.stop_gradient, result)

    def shared_pass(self, function, player):
        """Runs a player's network once, for the use of several players.

        Args:
            function: Function of no argument that returns one tensor, for example
                `lambda: self.generator(noise, training=True)`.
            player: Name of the player whose variables the output depends on.

        Returns:
            A `SharedPass`. Its `.output` is cut from the graph, ready to be shown to the opponent;
            pass the object to `minimize(..., through=...)` to update the player itself.
        """
        return SharedPass(*forward(self, function, self._variables_of(player)))

    def input_gradients(self, function, inputs):
        r"""Returns \(\nabla_x\sum_i f(x)_i\), itself differentiable (gradient penalties).

        Args:
            function: Function of `inputs`, row by row independent, such as a critic.
            inputs: Tensor of shape (batch, ...).

        Returns:
            Tensor of the shape of `inputs`, the gradient of each row's value.
        """

        def total(x):
            return ops.sum(ops.cast(function(x), "float32")), None

        return input_gradient(self, total, inputs, differentiable=True)[1]

    def track(self, *names):
        """Creates the running means that `log` fills; call it in the constructor."""
        for name in names:
            self._means[name] = keras.metrics.Mean(name=name)

    def log(self, **values):
        """Adds the values of this step to the running means and returns all means as logs."""
        for name, value in values.items():
            self._means[name].update_state(value)
        return {name: mean.result() for name, mean in self._means.items()}

    def remember_own(self, **networks):
        """Keeps the networks that a caller passed in place of the paper's for `get_config`.

        Args:
            **networks: Constructor argument to network, or to `None` for the paper's.
        """
        self._own_networks.update(networks)

    def get_config(self):
        """Returns the constructor's arguments: here `name`, `dtype` and own networks."""
        return {
            **super().get_config(),
            **{
                name: network and keras.saving.serialize_keras_object(network)
                for name, network in self._own_networks.items()
            },
        }

    def copy_for_average(self, network):
        """Returns a frozen copy of `network` that will hold its exponential moving average."""
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
        copy.trainable = False
        return copy

    def update_average(self, average, network, decay, player):
        r"""Moves an average one step: \(\bar w\leftarrow\beta_t\bar w+(1-\beta_t)w\).

        \(\beta_t=\min(\beta,\frac{1+t}{10+t})\) after \(t\) updates of the player: the average
        forgets the first, untrained weights soon. Batch statistics are averaged like weights.
        (`Optimizer(use_ema=True)` is not used: it fails on JAX at the second `fit`.)

        Args:
            average: The network from `copy_for_average`.
            network: The network that is trained.
            decay: \(\beta\), below 1.
            player: Name of the player that trains it.
        """
        t = ops.cast(self.optimizer[player].iterations, "float32")
        rate = 1.0 - ops.minimum(decay, (1.0 + t) / (10.0 + t))
        for mean, weight in zip(average.weights, network.weights, strict=True):
            mean.assign(mean + rate * (ops.stop_gradient(weight.value) - mean))

    # Keras' side.

    def compile(
        self, *, run_eagerly=False, jit_compile="auto", steps_per_execution=1, **optimizers
    ):
        """Gives every player its optimizer.

        Args:
            run_eagerly: Run the step uncompiled, for debugging.
            jit_compile: Use XLA (`torch.compile` on PyTorch); "auto" leaves it to Keras.
            steps_per_execution: Batches per compiled call.
            **optimizers: `<player>_optimizer=` for any player, such as
                `generator_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5)`. `None`, or a player
                left out, means the paper's own. Learning rates may be schedules.

        Raises:
            TypeError: If a keyword names no player.
        """
        members = self.default_optimizers()
        names = [f"{player}_optimizer" for player in members]
        for name, optimizer in optimizers.items():
            if name not in names:
                raise TypeError(
                    f"compile() got an unknown argument {name!r}. The optimizers of "
                    f"{type(self).__name__} are: {', '.join(names)}."
                )
            if optimizer is not None:
                members[name.removesuffix("_optimizer")] = keras.optimizers.get(optimizer)
        if self.dtype_policy.name == "mixed_float16":
            members = {player: _with_loss_scale(member) for player, member in members.items()}
        composite = PlayerOptimizers(members)
        composite.build({player: self._variables_of(player) for player in members})
        super().compile(
            optimizer=composite,
            run_eagerly=run_eagerly,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            auto_scale_loss=False,  # each member scales its own player's loss
        )
        self._compile_arguments = {
            "run_eagerly": run_eagerly,
            "jit_compile": jit_compile,
            "steps_per_execution": steps_per_execution,
        }

    def get_compile_config(self):
        """Returns the arguments of `compile`, with the optimizers serialised."""
        if not self.compiled:
            return {}
        return {
            **self._compile_arguments,
            **{
                f"{player}_optimizer": keras.saving.serialize_keras_object(member)
                for player, member in self.optimizer.members.items()
            },
        }

    def compile_from_config(self, config):
        """Compiles from `get_compile_config()`; Keras restores the optimizers' state after it."""
        self.compile(
            **{
                key: keras.saving.deserialize_keras_object(value)
                if key.endswith("_optimizer")
                else value
                for key, value in config.items()
            }
        )

    # Keras saves neither the seeds of its generators nor running means. With them, a training that
    # is saved, loaded and continued gives the bits of one that was never interrupted.
    def save_own_variables(self, store):
        """Stores the seeds and running means; networks and optimizers store their own."""
        for index, variable in enumerate(self._seeds_and_means()):
            store[str(index)] = ops.convert_to_numpy(variable.value)

    def load_own_variables(self, store):
        """Restores what `save_own_variables` stored."""
        for index, variable in enumerate(self._seeds_and_means()):
            variable.assign(store[str(index)])

    def _seeds_and_means(self):
        saved = {id(variable) for variable in self.weights}
        seeds = [v for v in self.non_trainable_variables if id(v) not in saved]
        return seeds + [v for mean in self._means.values() for v in mean.variables]

    @classmethod
    def from_config(cls, config):
        """Builds the model from `get_config()`, own networks included."""
        return cls(
            **{
                key: keras.saving.deserialize_keras_object(value)
                if isinstance(value, dict) and "class_name" in value
                else value
                for key, value in config.items()
            }
        )

    @classmethod
    def from_preset(cls, name_or_directory):
        """Loads a trained model.

        Args:
            name_or_directory: A name from `kdg.presets.names()`, or a directory that
                `save_to_preset` wrote.

        Returns:
            The model, ready to generate; `compile()` it to train it further.

        Raises:
            ValueError: If there is no such preset, or it holds a model of another class.
        """
        model = presets.load(name_or_directory)
        if not isinstance(model, cls):
            raise ValueError(
                f"The preset {name_or_directory!s} holds a {type(model).__name__}, not a "
                f"{cls.__name__}. Load it with {type(model).__name__}.from_preset."
            )
        return model

    def save_to_preset(self, directory, **metadata):
        """Writes `config.json`, `model.weights.h5` (16 bit) and `metadata.json`.

        Args:
            directory: Where to write.
            **metadata: What to write down of the training: data, licence, steps, seed, scores.
        """
        presets.save(self, directory, metadata)

    def fit(self, x=None, *args, **kwargs):
        """Trains as `keras.Model.fit` does, after a look at the data.

        Args:
            x: Batches as dictionaries (a `kdg.datasets` set, `keras.utils.PyDataset`,
                `tf.data.Dataset`, `DataLoader`), a dictionary of arrays, or an array of images.
            *args: As in `keras.Model.fit`.
            **kwargs: As in `keras.Model.fit`.

        Returns:
            The `History` of the means of every logged value per epoch.

        Raises:
            ValueError: If keys are missing, shapes or values do not fit, or there is no data.
        """
        check_first_batch(x, self.needs)
        if isinstance(x, keras.utils.PyDataset) or hasattr(x, "__next__"):
            kwargs.setdefault("shuffle", False)  # it brings its own order, which can be repeated
        return super().fit(for_fit(x), *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        """Returns the means of the logged values on `x`, as `keras.Model.evaluate` does."""
        check_first_batch(x, self.needs)
        return super().evaluate(x, *args, **kwargs)

    def train_on_batch(self, x, *args, **kwargs):
        """Makes one training step, as `keras.Model.train_on_batch` does."""
        check_first_batch(x, self.needs)
        return super().train_on_batch(x, *args, **kwargs)

    def _variables_of(self, player):
        return [v for network in self.players[player] for v in network.trainable_variables]

    def training_state(self):
        """The four lists of variables that a training step may change, in Keras' order."""
        return (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables if self.compiled else [],
            self.metrics_variables,
        )


class SharedPass:
    """The output of one network pass, and the way back from it to the network's variables."""

    def __init__(self, output, pull_back):
        self.output = output
        self.pull_back = pull_back


def translates(model):
    """Whether a model is shown by pictures that it makes of others, by `translate`.

    A model that can also make them of noise says by an attribute `translates` which it is.
    """
    return getattr(model, "translates", hasattr(model, "translate"))


def _with_loss_scale(optimizer):
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)
