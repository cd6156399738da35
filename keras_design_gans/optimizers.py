"""One named optimizer per player, seen by Keras as one optimizer."""

import keras


@keras.saving.register_keras_serializable(package="keras_design_gans")
class PlayerOptimizers(keras.optimizers.Optimizer):
    """A dictionary of optimizers that Keras saves, restores and schedules as one.

    Keras trainers carry the state of exactly one optimizer. An adversarial game needs one for
    each player: this class owns them by name, reports all their variables as its own, and exposes
    them as `.optimizers`, the attribute through which Keras' callbacks (`LearningRateScheduler`,
    `ReduceLROnPlateau`, `TensorBoard`, ...) reach every member.

    Args:
        members: Dictionary from player name to `keras.optimizers.Optimizer`.
        name: Name of the composite.

    Raises:
        TypeError: If a member is not a Keras optimizer.
    """

    def __init__(self, members, name="player_optimizers"):
        super().__init__(learning_rate=0.0, name=name)
        for player, member in members.items():
            if not isinstance(member, keras.optimizers.Optimizer):
                raise TypeError(
                    f"The optimizer of player {player!r} must be a keras.optimizers.Optimizer, "
                    f"got {member!r}. Pass for example keras.optimizers.Adam(2e-4, beta_1=0.5)."
                )
            member.name = player  # log keys become learning_rate_<player>
        self.members = dict(members)
        self.optimizers = list(members.values())

    def __getitem__(self, player):
        """Returns the optimizer of one player."""
        return self.members[player]

    def build(self, variables_by_player):
        """Creates the state of every member.

        Args:
            variables_by_player: Dictionary from player name to the list of its trainable variables.
        """
        for player, variables in variables_by_player.items():
            self.members[player].build(variables)
        self.built = True

    @property
    def variables(self):
        """The variables of all members, player by player."""
        return [variable for member in self.optimizers for variable in member.variables]

    @property
    def iterations(self):
        """Updates made by the first player."""
        return self.optimizers[0].iterations

    @property
    def learning_rate(self):
        """Not defined: every player has its own."""
        raise AttributeError(
            "PlayerOptimizers has no single learning rate. Use "
            "model.optimizer['generator'].learning_rate, with the name of the player you mean."
        )

    @learning_rate.setter
    def learning_rate(self, value):
        raise AttributeError(
            "PlayerOptimizers has no single learning rate. Set "
            "model.optimizer['generator'].learning_rate, with the name of the player you mean."
        )

    def apply(self, grads, trainable_variables=None):
        """Not defined: gradients are applied by the optimizer of one player."""
        raise NotImplementedError(
            "Apply gradients through one player's optimizer: use AdversarialModel.minimize."
        )

    def finalize_variable_values(self, var_list):
        """Does nothing: members keep no shadow values that would need writing back."""

    # Members are saved as attributes of this object; saving them here too would double the file.
    def save_own_variables(self, store):
        """Stores nothing: each member stores its own variables."""

    def load_own_variables(self, store):
        """Loads nothing: each member loads its own variables."""

    def get_config(self):
        """Returns the constructor's arguments."""
        members = {
            player: keras.saving.serialize_keras_object(member)
            for player, member in self.members.items()
        }
        return {"members": members, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the composite from `get_config()`."""
        members = {
            player: keras.saving.deserialize_keras_object(member, custom_objects=custom_objects)
            for player, member in config["members"].items()
        }
        return cls(members, name=config["name"])
