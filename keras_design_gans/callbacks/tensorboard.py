"""Images for TensorBoard, whatever the backend."""


def tensorboard_writer(directory):
    """Opens a TensorBoard folder for images.

    tensorboardX comes first: TensorFlow would take hold of the GPU beside JAX or PyTorch.

    Returns:
        Two functions: `write(name, image, step)`, with a uint8 image (h, w, 3), and `close()`.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        return _tensorflow_writer(directory)
    writer = SummaryWriter(str(directory))

    def write(name, image, step):
        writer.add_image(name, image, step, dataformats="HWC")

    return write, writer.close


def _tensorflow_writer(directory):
    try:
        from tensorflow import summary
    except ImportError as error:
        raise ImportError(
            "Expected `tensorboardX` or `tensorflow` to write TensorBoard images, found neither. "
            "Install it with `pip install tensorboardX`, or leave out `tensorboard_dir`."
        ) from error
    writer = summary.create_file_writer(str(directory))

    def write(name, image, step):
        with writer.as_default():
            summary.image(name, image[None], step=step)

    return write, writer.close
