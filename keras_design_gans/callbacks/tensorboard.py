"""Images for TensorBoard, whatever the backend."""


def tensorboard_writer(directory):
    """Function `write(name, image, step)` that adds a uint8 image (h, w, 3) to TensorBoard.

    tensorboardX comes first: TensorFlow would take hold of the GPU beside JAX or PyTorch.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        try:
            from tensorflow import summary
        except ImportError as error:
            raise ImportError(
                "Expected `tensorboardX` (or `tensorflow`) to write TensorBoard images, found "
                "neither. Install it with `pip install tensorboardX`, or leave out "
                "`tensorboard_dir`."
            ) from error
        writer = summary.create_file_writer(str(directory))

        def write(name, image, step):
            with writer.as_default():
                summary.image(name, image[None], step=step)
            writer.flush()

        return write
    writer = SummaryWriter(str(directory))

    def write(name, image, step):
        writer.add_image(name, image, step, dataformats="HWC")
        writer.flush()

    return write
