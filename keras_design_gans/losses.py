r"""The formulas: objectives of the players as pure functions of logits.

Every function takes the raw output of a network (logits or scores, never probabilities), works in
float32, and returns one scalar: the mean over the batch. \(D(x)=\sigma(\ell)\) for a
logit \(\ell\); `real` images have target 1, `fake` images 0, as in Goodfellow et al. 2014. Only
`contextual_loss` and `perceptual_loss` return one value for each picture: those of a search, in
which no picture has to do with another.
"""

from keras import ops

__all__ = [
    "balanced_edge_loss",
    "can_h_loss",
    "can_loss",
    "classification_loss",
    "contextual_loss",
    "discriminator_accuracies",
    "drift_penalty",
    "gaussian_reconstruction_loss",
    "gradient_penalty",
    "kl_to_standard_normal",
    "l1_loss",
    "l2_loss",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "mask_reconstruction_loss",
    "matching_aware_discriminator_loss",
    "minimax_discriminator_loss",
    "minimax_generator_loss",
    "nonsaturating_generator_loss",
    "perceptual_loss",
    "r1_penalty",
    "structured_joint_embedding_loss",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
]


def _float32(logits):
    return ops.cast(logits, "float32")


def minimax_discriminator_loss(real_logits, fake_logits, real_target=1.0):
    r"""Discriminator's side of the minimax game.

    $$L_D=-\mathbb E_x[t\log D(x)+(1-t)\log(1-D(x))]-\mathbb E_z\log(1-D(G(z)))$$

    Goodfellow et al. 2014, equation 1, with \(t=1\). A target \(t=0.9\) is one-sided label
    smoothing (Salimans et al. 2016, section 3.4): it keeps the discriminator from growing certain.

    Args:
        real_logits: Logits of real images, any shape.
        fake_logits: Logits of generated images, any shape.
        real_target: The target \(t\) in (0, 1] for real images.

    Returns:
        Scalar, at least 0; \(\log 4\approx1.386294\) when all logits are 0 and \(t=1\).
    """
    real_logits, fake_logits = _float32(real_logits), _float32(fake_logits)
    # -t log s(l) - (1-t) log(1-s(l)) = softplus(l) - t l
    real = ops.mean(ops.softplus(real_logits) - real_target * real_logits)
    return real + ops.mean(ops.softplus(fake_logits))


def minimax_generator_loss(fake_logits):
    r"""Generator's side of the minimax game, as the equation states it.

    $$L_G=\mathbb E_z\log(1-D(G(z)))$$

    Goodfellow et al. 2014, equation 1. Its gradient vanishes while the discriminator wins.

    Args:
        fake_logits: Logits of generated images, any shape.

    Returns:
        Scalar, at most 0; \(-\log 2\) when all logits are 0.
    """
    return -ops.mean(ops.softplus(_float32(fake_logits)))


def nonsaturating_generator_loss(fake_logits):
    r"""Generator loss that keeps its gradient while the discriminator wins.

    $$L_G=-\mathbb E_z\log D(G(z))$$

    Goodfellow et al. 2014, section 3, last paragraph.

    Args:
        fake_logits: Logits of generated images, any shape.

    Returns:
        Scalar, at least 0; \(\log 2\approx0.693147\) when all logits are 0.
    """
    return ops.mean(ops.softplus(-_float32(fake_logits)))


def matching_aware_discriminator_loss(real_logits, wrong_logits, fake_logits, real_target=1.0):
    r"""Discriminator's side of a game in which the description has to fit, too.

    $$L_D=-\log s_r-\tfrac12\big[\log(1-s_w)+\log(1-s_f)\big]$$

    Reed et al. 2016 (GAN-CLS), algorithm 1, negated so that the discriminator descends. The two
    kinds of fakes together weigh as much as the real pairs.

    Args:
        real_logits: Logits of \(s_r\), real images with their descriptions, any shape.
        wrong_logits: Logits of \(s_w\), real images with wrong descriptions, any shape.
        fake_logits: Logits of \(s_f\), images generated for the descriptions, any shape.
        real_target: Target in (0, 1] for the real pairs, as in `minimax_discriminator_loss`.

    Returns:
        Scalar, at least 0; \(\log 4\approx1.386294\) when all logits are 0. A discriminator that
        knows all generated images and ignores descriptions, \(s_f=0\) and \(s_r=s_w\), reaches
        0.954771 at best: what is below was won by reading.
    """
    wrong = ops.mean(ops.softplus(_float32(wrong_logits)))
    fake = ops.mean(ops.softplus(_float32(fake_logits)))
    real_logits = _float32(real_logits)
    real = ops.mean(ops.softplus(real_logits) - real_target * real_logits)
    return real + 0.5 * (wrong + fake)


def structured_joint_embedding_loss(image_features, text_features, wrong):
    r"""Asks for pictures and sentences that resemble each other more than any wrong partner.

    $$L=\frac1{n^2}\sum_{(i,j)\in W}\max(0,1+v_i^\top t_j-v_i^\top t_i)
    +\max(0,1+v_i^\top t_j-v_j^\top t_j)$$

    Reed, Akata, Lee and Schiele 2016, in the form of the authors' code for batches: margin 1, and
    both directions, "symmetric".

    Args:
        image_features: The vectors \(v\) of n pictures, shape (n, dim).
        text_features: The vectors \(t\) of their sentences, in the same order and shape.
        wrong: \(W\), booleans (n, n): whether sentence j is wrong for picture i.

    Returns:
        Scalar, at least 0. When all vectors are 0 and all sentences but the own are wrong it is
        \(2(1-1/n)\).
    """
    image_features, text_features = _float32(image_features), _float32(text_features)
    scores = ops.matmul(image_features, ops.transpose(text_features))
    own = ops.sum(image_features * text_features, axis=-1)
    of_image = ops.relu(1.0 + scores - own[:, None])  # sentence j before the picture's own
    of_text = ops.relu(1.0 + scores - own[None, :])  # picture i before the sentence's own
    return ops.mean(_float32(wrong) * (of_image + of_text))


def least_squares_discriminator_loss(real_logits, fake_logits):
    r"""Least-squares discriminator loss.

    $$L_D=\tfrac12\mathbb E_x(D(x)-1)^2+\tfrac12\mathbb E_z D(G(z))^2$$

    Mao et al. 2017, equation 9 (a = 0, b = 1); here \(D\) is the raw output, without a sigmoid.

    Args:
        real_logits: Outputs for real images, any shape.
        fake_logits: Outputs for generated images, any shape.

    Returns:
        Scalar, at least 0.
    """
    real, fake = _float32(real_logits), _float32(fake_logits)
    return 0.5 * ops.mean(ops.square(real - 1.0)) + 0.5 * ops.mean(ops.square(fake))


def least_squares_generator_loss(fake_logits):
    r"""Least-squares generator loss.

    $$L_G=\tfrac12\mathbb E_z(D(G(z))-1)^2$$

    Mao et al. 2017, equation 9 (c = 1); \(D\) is the raw output, without a sigmoid.

    Args:
        fake_logits: Outputs for generated images, any shape.

    Returns:
        Scalar, at least 0.
    """
    return 0.5 * ops.mean(ops.square(_float32(fake_logits) - 1.0))


def wasserstein_critic_loss(real_scores, fake_scores):
    r"""Critic loss: minus the estimate of the Wasserstein distance.

    $$L_C=\mathbb E_z f(G(z))-\mathbb E_x f(x)$$

    Arjovsky et al. 2017, equation 2, negated so that the critic descends.

    Args:
        real_scores: Scores of real images, any shape.
        fake_scores: Scores of generated images, any shape.

    Returns:
        Scalar of either sign.
    """
    return ops.mean(_float32(fake_scores)) - ops.mean(_float32(real_scores))


def wasserstein_generator_loss(fake_scores):
    r"""Generator loss against a critic.

    $$L_G=-\mathbb E_z f(G(z))$$

    Arjovsky et al. 2017, algorithm 1, line 11.

    Args:
        fake_scores: Scores of generated images, any shape.

    Returns:
        Scalar of either sign.
    """
    return -ops.mean(_float32(fake_scores))


def gradient_penalty(gradients):
    r"""Distance of the critic's gradient norm from one.

    $$L_{GP}=\mathbb E_{\hat x}(\lVert\nabla_{\hat x}f(\hat x)\rVert_2-1)^2$$

    Gulrajani et al. 2017, equation 3, without its weight \(\lambda\).

    Args:
        gradients: Gradient of the critic for each image, shape (batch, ...), for example from
            `AdversarialModel.input_gradients`.

    Returns:
        Scalar, at least 0; exactly 0 for a linear critic of unit norm.
    """
    gradients = _float32(gradients)
    squares = ops.sum(ops.square(gradients), axis=tuple(range(1, len(gradients.shape))))
    # The norm's own gradient is infinite at zero: a tiny floor keeps NaN out of the second pass.
    norms = ops.sqrt(ops.maximum(squares, 1e-12))
    return ops.mean(ops.square(norms - 1.0))


def drift_penalty(real_scores):
    r"""Distance of the critic's scores from zero.

    $$L_{drift}=\mathbb E_x f(x)^2$$

    Karras et al. 2018, appendix A.1, without its weight \(\epsilon_{drift}\). The Wasserstein loss
    knows only differences of scores: without this term all scores may wander off together.

    Args:
        real_scores: Scores of real images, any shape.

    Returns:
        Scalar, at least 0.
    """
    return ops.mean(ops.square(_float32(real_scores)))


def r1_penalty(gradients):
    r"""Slope of the discriminator at real images.

    $$R_1=\tfrac12\mathbb E_x\lVert\nabla_x\ell(x)\rVert_2^2$$

    Mescheder et al. 2018, equation 9, without its weight \(\gamma\). A discriminator that is flat
    around real images has no steep wall to win by, and the game converges.

    Args:
        gradients: Gradient of the logit for each real image, shape (batch, ...), for example from
            `AdversarialModel.input_gradients`.

    Returns:
        Scalar, at least 0.
    """
    gradients = _float32(gradients)
    squares = ops.sum(ops.square(gradients), axis=tuple(range(1, len(gradients.shape))))
    return 0.5 * ops.mean(squares)


def can_loss(class_logits):
    r"""Creativity loss of CAN: each class alone is pulled to probability \(1/K\).

    $$L_{CAN}=-\mathbb E_z\sum_{k=1}^K\Big[\tfrac1K\log\sigma(\ell_k)
    +\tfrac{K-1}K\log(1-\sigma(\ell_k))\Big]$$

    Elgammal et al. 2017 as read by Sbai et al. 2018 (DesIGN): one sigmoid per class. Gradient per
    logit: \(\sigma(\ell_k)-1/K\). It depends on the level of the logits, not only on their
    differences, and is smallest when every logit is \(-\log(K-1)\).

    Args:
        class_logits: Logits of a classification head for generated images, shape (batch, K).

    Returns:
        Scalar, at least 2.870814 for seven classes, and 4.852030 at zero logits.
    """
    class_logits = _float32(class_logits)
    share = 1.0 / class_logits.shape[-1]
    per_class = ops.softplus(class_logits) - share * class_logits
    return ops.mean(ops.sum(per_class, axis=-1))


def can_h_loss(class_logits):
    r"""Holistic creativity loss CAN(H): the class distribution as a whole is pulled to uniform.

    $$L_{CAN(H)}=-\mathbb E_z\sum_{k=1}^K\tfrac1K\log\mathrm{softmax}_k(\ell)
    =\log K+KL(U\,\Vert\,\mathrm{softmax}(\ell))$$

    Sbai et al. 2018 (DesIGN). Gradient per logit: \(\mathrm{softmax}_k(\ell)-1/K\); adding a
    constant to all logits changes nothing.

    Args:
        class_logits: Logits of a classification head for generated images, shape (batch, K).

    Returns:
        Scalar, at least \(\log K\).
    """
    return -ops.mean(ops.log_softmax(_float32(class_logits), axis=-1))


def classification_loss(class_logits, labels):
    r"""Cross-entropy of a label, its classes exclusive or a single yes or no.

    $$L_{cls}=-\mathbb E\log\mathrm{softmax}_y(\ell)\qquad\text{or, for one logit,}\qquad
    L_{cls}=-\mathbb E[y\log\sigma(\ell)+(1-y)\log(1-\sigma(\ell))]$$

    Choi et al. 2018 (StarGAN), equations 2 and 3: of real images with their labels for the
    discriminator, of generated ones with the labels asked for for the generator.

    Args:
        class_logits: Logits of a classification head, shape (batch, K), or (batch, 1) for a yes or
            no.
        labels: Class numbers, integers of shape (batch,); 0 or 1 for a yes or no.

    Returns:
        Scalar, at least 0. At zero logits \(\log K\), 1.098612 for three classes, or
        \(\log 2\) for a yes or no.
    """
    class_logits = _float32(class_logits)
    if class_logits.shape[-1] == 1:
        logits = class_logits[:, 0]
        return ops.mean(ops.softplus(logits) - _float32(labels) * logits)
    target = ops.one_hot(labels, class_logits.shape[-1], dtype="float32")
    return -ops.mean(ops.sum(target * ops.log_softmax(class_logits, axis=-1), axis=-1))


def l1_loss(generated, target):
    r"""Distance between pictures and what they should be.

    $$L_1=\mathbb E_{x,y}\frac1{|P|\,C}\sum_{p\in P}\sum_{c=1}^C|y_{p,c}-G(x)_{p,c}|$$

    Isola et al. 2017 (pix2pix), equation 3, as a mean over all pixels \(P\) and channels \(C\).
    It is smallest at the median of all targets that fit a source, and so blurs what is uncertain.

    Args:
        generated: Pictures, any shape, in [-1, 1].
        target: What they should be, of the same shape.

    Returns:
        Scalar from 0 to 2.
    """
    return ops.mean(ops.abs(_float32(generated) - _float32(target)))


def l2_loss(generated, target):
    r"""Mean square of the differences between pictures and what they should be.

    $$L_2=\mathbb E_{x,y}\frac1{|P|\,C}\sum_{p\in P}\sum_{c=1}^C(y_{p,c}-G(x)_{p,c})^2$$

    Pathak et al. 2016 (context encoder), equation 1, as a mean over all pixels \(P\) and channels
    \(C\). It is smallest at the mean of all targets that fit a source, and so blurs what is
    uncertain.

    Args:
        generated: Pictures, any shape, in [-1, 1].
        target: What they should be, of the same shape.

    Returns:
        Scalar from 0 to 4.
    """
    return ops.mean(ops.square(_float32(generated) - _float32(target)))


def contextual_loss(known, generated, reverse=False, light=False, epsilon=1e-6):
    r"""How far generated pictures are from what is known of them, one value for each.

    $$L_c=\frac1C\sum_{c=1}^C KL(p_c\,\Vert\,q_c),\qquad
    p_c=\frac{m(y_c)+\epsilon}{\sum_P(m(y_c)+\epsilon)},\qquad
    q_c=\frac{m(G(z)_c)+\epsilon}{\sum_P(m(G(z)_c)+\epsilon)}$$

    Lu et al. 2018 (Contextual GAN), section 3: each channel is read as a distribution of mass over
    the pixels \(P\). The mass \(m(x)=(1-x)/2\) is ink. The authors' code has light,
    \(m(x)=(1+x)/2\), and then most of the mass lies on the paper: a missing line hardly counts. The
    value does not change if all of the ink gets fainter.

    Args:
        known: The known part \(y\) of pictures, (batch, height, width, channels) in [-1, 1].
        generated: The same part of generated pictures \(G(z)\), of the same shape.
        reverse: \(KL(q\,\Vert\,p)\), as in the loss of the authors' code, which punishes lines
            that should not be there more than those that are missing.
        light: Whether the mass is light instead of ink.
        epsilon: \(\epsilon\), which keeps the logarithm finite where there is no mass.

    Returns:
        Tensor (batch,), at least 0; 0 if the distributions are equal.
    """
    p, q = (_mass(pictures, light, epsilon) for pictures in (known, generated))
    if reverse:
        p, q = q, p
    divergences = ops.sum(p * (ops.log(p) - ops.log(q)), axis=(1, 2))
    return ops.mean(divergences, axis=-1)


def _mass(pictures, light, epsilon):
    """The share of each pixel in the ink, or light, of its picture and channel."""
    tones = (1.0 + ops.clip(_float32(pictures), -1.0, 1.0)) / 2.0
    mass = (tones if light else 1.0 - tones) + epsilon
    return mass / ops.sum(mass, axis=(1, 2), keepdims=True)


def perceptual_loss(fake_logits, saturating=True):
    r"""How unlike real pictures generated ones are, one value for each.

    $$L_p=\log(1-D(G(z)))$$

    Lu et al. 2018 (Contextual GAN), section 3, after Yeh et al. 2017. In spite of its name it looks
    through no network but the discriminator.

    Args:
        fake_logits: Logits of generated pictures, (batch, 1).
        saturating: False for \(-\log D(G(z))\), as in the authors' code, whose slope does not
            vanish where the discriminator is sure.

    Returns:
        Tensor (batch,): at most 0, and \(-\log 2\) for a logit of 0; if not saturating at least 0,
        and \(\log 2\).
    """
    logits = ops.reshape(_float32(fake_logits), (-1,))
    return -ops.softplus(logits) if saturating else ops.softplus(-logits)


def mask_reconstruction_loss(generated, mask):
    r"""Distance between pictures and the masks they were drawn from.

    $$L_{rec}=\mathbb E_m\frac1{|P|\,C}\sum_{p\in P}\sum_{c=1}^C|G(m,0)_{p,c}-m_p|$$

    Sbai et al. 2018 (DesIGN), as a mean over all pixels \(P\), the background included, and all
    \(C\) channels.

    Args:
        generated: Pictures made without noise, (batch, height, width, channels) in [-1, 1].
        mask: Their masks, (batch, height, width, 1) in [-1, 1].

    Returns:
        Scalar from 0 to 2; 0 if every picture is its mask, 1 for grey (0) pictures and masks of
        -1 and 1.
    """
    return ops.mean(ops.abs(_float32(generated) - _float32(mask)))


def balanced_edge_loss(edges, logits):
    r"""Cross-entropy of an edge map, in which the few edges weigh as much as the many others.

    $$L=\mathbb E_x\Big[-\beta\sum_p y_p\log\sigma(\ell_p)
    -(1-\beta)\sum_p(1-y_p)\log(1-\sigma(\ell_p))\Big],\qquad \beta=1-\tfrac1{|P|}\sum_p y_p$$

    Xie and Tu 2015 (HED), equation 2: a sum over the pixels \(P\), with \(\beta\) of each image.

    Args:
        edges: The targets \(y\), (batch, height, width, 1) in [0, 1]: 1 on an edge, and between on
            a soft one.
        logits: The logits \(\ell\) of "edge", of the same shape.

    Returns:
        Scalar, at least 0. With zero logits and a share \(s\) of edges it is
        \(2\,s\,(1-s)\,|P|\log 2\): 12.476649 for 100 pixels, 10 of them edges.
    """
    edges, logits = _float32(edges), _float32(logits)
    pixels = tuple(range(1, len(logits.shape)))
    beta = 1.0 - ops.mean(edges, axis=pixels)
    on_edges = ops.sum(edges * ops.softplus(-logits), axis=pixels)
    elsewhere = ops.sum((1.0 - edges) * ops.softplus(logits), axis=pixels)
    return ops.mean(beta * on_edges + (1.0 - beta) * elsewhere)


def gaussian_reconstruction_loss(images, reconstructions):
    r"""Distance between images and what an autoencoder makes of them.

    $$L_{rec}=-\mathbb E_x\log N(x;\hat x,I)-\tfrac P2\log2\pi
    =\mathbb E_x\tfrac12\lVert x-\hat x\rVert_2^2$$

    Doersch 2016, section 2.1, with variance 1. The sum over the \(P\) values of a picture, not
    their mean: only so is it a log likelihood, to be added to a KL divergence in nats.

    Args:
        images: Pictures, shape (batch, ...).
        reconstructions: What the decoder made of them, the same shape.

    Returns:
        Scalar, at least 0.
    """
    squares = ops.square(_float32(images) - _float32(reconstructions))
    return 0.5 * ops.mean(ops.sum(squares, axis=tuple(range(1, len(squares.shape)))))


def kl_to_standard_normal(mean, log_variance):
    r"""KL divergence of normal distributions with independent components from \(N(0,I)\).

    $$KL\big(N(\mu,\operatorname{diag}\sigma^2)\,\Vert\,N(0,I)\big)
    =\tfrac12\sum_j(\mu_j^2+\sigma_j^2-1-\log\sigma_j^2)$$

    Kingma and Welling 2013, appendix B; a sum over the components, a mean over the batch.

    Args:
        mean: \(\mu\), shape (batch, components).
        log_variance: \(\log\sigma^2\), the same shape.

    Returns:
        Scalar in nats, at least 0; 0 if every mean is 0 and every variance 1.
    """
    mean, log_variance = _float32(mean), _float32(log_variance)
    terms = ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance
    return 0.5 * ops.mean(ops.sum(terms, axis=-1))


def discriminator_accuracies(real_logits, fake_logits):
    """Shares of real and of fake images that the discriminator names correctly: who wins?

    Args:
        real_logits: Logits of real images, any shape.
        fake_logits: Logits of generated images, any shape.

    Returns:
        Dictionary of the scalars `d_real_accuracy` and `d_fake_accuracy`, from 0 to 1. It is
        logged, not minimised: it has no gradient.
    """
    return {
        "d_real_accuracy": ops.mean(ops.cast(real_logits > 0, "float32")),
        "d_fake_accuracy": ops.mean(ops.cast(fake_logits < 0, "float32")),
    }
