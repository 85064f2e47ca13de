"""Fitting a model: the part that every mode shares."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from tinyml_tool.train.engine import checkpoint
from tinyml_tool.train.engine.arrays import Arrays
from tinyml_tool.train.engine.batches import Batches, targets
from tinyml_tool.train.engine.callbacks import Keeper, Pace, Reporter, stops
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import Messages


def fit(
    model: keras.Model,
    arrays: Arrays,
    job: Job,
    messages: Messages,
    *,
    loss: keras.losses.Loss | None = None,
    extra: Sequence[keras.callbacks.Callback] = (),
) -> checkpoint.Progress:
    """Fit `model` as `job.fit` says and leave it with the weights of the best validation loss.

    Goes on from the checkpoint in `job.work` where there is one.  `loss` replaces the task's own;
    `extra` callbacks (masks of pruning, say) run before the checkpoint is written.  Raises
    EngineError where the training diverges.
    """
    compile_model(model, job, loss)
    progress = checkpoint.restore(job.work, model)
    if progress.epoch:
        messages.send("resumed", epoch=progress.epoch, epochs=job.fit.epochs)
    if progress.epoch < job.fit.epochs and not stops(progress, job.fit.patience):
        batches = Batches(arrays.train, job.fit, task=job.task, classes=job.classes)
        model.fit(
            batches,
            epochs=job.fit.epochs,
            initial_epoch=progress.epoch,
            validation_data=(
                arrays.validation.x,
                targets(arrays.validation, job.task, job.classes),
            ),
            validation_batch_size=256,
            callbacks=[
                Pace(job, batches),
                *extra,
                Keeper(job, progress),
                Reporter(job, messages),
            ],
            verbose=0,
            shuffle=False,
        )
    if progress.best_weights:
        checkpoint.assign(model.variables, progress.best_weights)
    return progress


def compile_model(model: keras.Model, job: Job, loss: keras.losses.Loss | None = None) -> None:
    """Give the model Adam (AdamW with weight decay), the task's loss and its metrics."""
    rate, decay = job.fit.learning_rate, job.fit.weight_decay
    optimizer = (
        keras.optimizers.AdamW(rate, weight_decay=decay) if decay else keras.optimizers.Adam(rate)
    )
    if job.task == "reconstruction":
        model.compile(optimizer, loss or "mean_squared_error")
    else:
        accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
        model.compile(optimizer, loss or "categorical_crossentropy", metrics=[accuracy])
    optimizer.build(model.trainable_variables)
