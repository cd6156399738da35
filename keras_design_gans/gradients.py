"""Gradients on TensorFlow, PyTorch and JAX: the only part of the models that knows the backends.

Each backend defines five functions:

- `variable_gradients(model, objective, variables) -> (aux, gradients)`, for
  `objective() -> (loss, aux)`;
- `input_gradient(model, objective, x, differentiable) -> (aux, gradient)`, for
  `objective(x) -> (loss, aux)`; only PyTorch must be told whether to keep the graph;
- `forward(model, function, variables) -> (output without graph, pull_back)`;
- `apply(optimizer, gradients, variables)`;
- `compiled_descent(objective, update, networks, jit) -> step`: a step of a search for the input at
  which the loss of each row is smallest, with the weights that the networks have at the time. For
  `objective(x, *given) -> (loss of each row, aux)` and `update(x, velocity, gradient, *given) ->
  (x, velocity)` it is `step(x, velocity, *given) -> (x, velocity, aux)`. TensorFlow and JAX compile
  it in any case; `jit` asks for XLA on TensorFlow and for `torch.compile` on PyTorch, as in Keras.
"""

import functools

import keras

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf

    _ZERO = tf.UnconnectedGradients.ZERO

    def variable_gradients(model, objective, variables):
        values = [variable.value for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss, aux = objective()
        return aux, tape.gradient(loss, values, unconnected_gradients=_ZERO)

    def input_gradient(model, objective, x, differentiable):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            loss, aux = objective(x)
        return aux, tape.gradient(loss, x, unconnected_gradients=_ZERO)

    def forward(model, function, variables):
        values = [variable.value for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            output = function()

        def pull_back(gradient):
            return tape.gradient(output, values, gradient, unconnected_gradients=_ZERO)

        return tf.stop_gradient(output), pull_back

    def apply(optimizer, gradients, variables):
        optimizer.apply(gradients, variables)

    def compiled_descent(objective, update, networks, jit):
        @tf.function(jit_compile=jit or None)
        def step(x, velocity, *given):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x)
                losses, aux = objective(x, *given)
            gradient = tape.gradient(losses, x)  # of their sum
            return *update(x, velocity, gradient, *given), aux

        return step

elif BACKEND == "torch":
    import torch

    def _torch_gradients(output, inputs, **kwargs):
        gradients = torch.autograd.grad(output, inputs, allow_unused=True, **kwargs)
        return [
            torch.zeros_like(x) if g is None else g for g, x in zip(gradients, inputs, strict=True)
        ]

    def variable_gradients(model, objective, variables):
        loss, aux = objective()
        return aux, _torch_gradients(loss, [variable.value for variable in variables])

    def input_gradient(model, objective, x, differentiable):
        with torch.enable_grad():
            if not x.requires_grad:
                x = x.detach().requires_grad_()
            loss, aux = objective(x)
            return aux, _torch_gradients(loss, [x], create_graph=differentiable)[0]

    def forward(model, function, variables):
        output = function()

        def pull_back(gradient):
            values = [variable.value for variable in variables]
            return _torch_gradients(output, values, grad_outputs=gradient)

        return output.detach(), pull_back

    def apply(optimizer, gradients, variables):
        optimizer.apply(gradients, variables)

    def compiled_descent(objective, update, networks, jit):
        # The gradient is taken outside: `torch.compile` cannot look into that.
        function = torch.compile(objective) if jit else objective

        def step(x, velocity, *given):
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                losses, aux = function(x, *given)
                [gradient] = torch.autograd.grad(losses.sum(), [x])
            with torch.no_grad():
                x, velocity = update(x, velocity, gradient, *given)
            return x, velocity, keras.tree.map_structure(torch.Tensor.detach, aux)

        return step

elif BACKEND == "jax":
    import jax

    def _pure(model, function, variables):
        """Makes `function` a pure function of the values of `variables`.

        An inner scope does not see the values of an outer one: it has to be given every variable.
        Returns the function, which also returns the changed values of all other variables, and a
        second function that writes them back.
        """
        wanted = {id(variable) for variable in variables}
        others = [v for part in model.training_state() for v in part if id(v) not in wanted]
        current = [variable.value for variable in others]

        def pure(values, *inputs):
            mapping = [*zip(variables, values, strict=True), *zip(others, current, strict=True)]
            with keras.StatelessScope(state_mapping=mapping) as scope:
                result = function(*inputs)
            return result, [scope.get_current_value(variable) for variable in others]

        def write_back(changed):
            for variable, old, new in zip(others, current, changed, strict=True):
                if new is not old:
                    variable.assign(new)

        return pure, write_back

    def variable_gradients(model, objective, variables):
        pure, write_back = _pure(model, objective, variables)

        def loss_of(values):
            (loss, aux), changed = pure(values)
            return loss, (aux, changed)

        values = [variable.value for variable in variables]
        gradients, (aux, changed) = jax.grad(loss_of, has_aux=True)(values)
        write_back(changed)
        return aux, gradients

    def input_gradient(model, objective, x, differentiable):
        pure, write_back = _pure(model, objective, [])

        def loss_of(x):
            (loss, aux), changed = pure([], x)
            return loss, (aux, changed)

        gradient, (aux, changed) = jax.grad(loss_of, has_aux=True)(x)
        write_back(changed)
        return aux, gradient

    def forward(model, function, variables):
        pure, write_back = _pure(model, function, variables)
        values = [variable.value for variable in variables]
        output, vjp, changed = jax.vjp(pure, values, has_aux=True)
        write_back(changed)
        return jax.lax.stop_gradient(output), lambda gradient: vjp(gradient)[0]

    def apply(optimizer, gradients, variables):
        values, state = optimizer.stateless_apply(
            [variable.value for variable in optimizer.variables],
            gradients,
            [variable.value for variable in variables],
        )
        for variable, value in zip(
            [*variables, *optimizer.variables], [*values, *state], strict=True
        ):
            variable.assign(value)

    def compiled_descent(objective, update, networks, jit):
        variables = [variable for network in networks for variable in network.variables]

        @jax.jit
        def pure(values, x, velocity, *given):
            def total(x):
                losses, aux = objective(x, *given)
                return losses.sum(), aux

            with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
                gradient, aux = jax.grad(total, has_aux=True)(x)
                return *update(x, velocity, gradient, *given), aux

        # The weights are arguments: as constants they would be those of the first call for ever.
        return lambda *given: pure([variable.value for variable in variables], *given)

else:
    raise ImportError(
        f"keras_design_gans trains on tensorflow, jax or torch, but Keras runs on {BACKEND!r}. "
        "Set the environment variable KERAS_BACKEND before Python starts."
    )


def with_explicit_state(step):
    """Turns a stateful step into the form that Keras' JAX trainer calls: (state, data)."""

    @functools.wraps(step)
    def wrapper(self, *arguments):
        if len(arguments) == 1:  # super().train_step(data) from within a step
            return step(self, *arguments)
        state, data = arguments
        # test_step carries no optimizer variables, which then keep their place as an empty list.
        parts = (
            self.training_state()
            if len(state) == 4
            else (*self.training_state()[:2], self.metrics_variables)
        )
        mapping = [
            pair
            for part, values in zip(parts, state, strict=True)
            for pair in zip(part, values, strict=True)
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            logs = step(self, data)
        return logs, tuple([scope.get_current_value(v) for v in part] for part in parts)

    return wrapper
