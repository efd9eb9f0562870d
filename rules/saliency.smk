rule make_saliency_example:
    # Draws images with masks for a saliency detector, of things that are none of the example's classes.
    output:
        directory("<results>/saliency/pairs"),
    log:
        "<logs>/saliency/make_saliency_example.log",
    benchmark:
        "<benchmarks>/saliency/make_saliency_example.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_step("draw_saliency"),
        code=code_of("make_saliency_example"),
    shell:
        "python -m wsss_steps.make_saliency_example --output {output:q} --settings {params.settings:q}"
        " --code {params.code:q} --log {log:q}"


rule train_saliency:
    # Trains a saliency detector on images with masks; it sees nothing of the data set.
    input:
        pairs=planned(planning.pairs_of_detector),
        weights=initial_weights("saliency"),
    output:
        detector="<results>/saliency/{saliency}/detector.safetensors",
        history="<results>/saliency/{saliency}/detector_history.csv",
    log:
        "<logs>/saliency/{saliency}/train_saliency.log",
    benchmark:
        "<benchmarks>/saliency/{saliency}/train_saliency.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=CONFIG.gpus_per_training,
        processes=CONFIG.gpus_per_training,
        device=CONFIG.device,
    params:
        settings=settings_of("saliency"),
        code=code_of("train_saliency", "saliency"),
    shell:
        "python -m wsss_steps.training.launch {resources.processes:q} train_saliency --pairs {input.pairs:q} --weights {input.weights:q}"
        " --output {output.detector:q} --history {output.history:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule predict_saliency:
    # Saliency maps of the training images: given, by a detector, or from features without any label.
    input:
        needs("saliency"),
        manifest=manifest_of_shard,
        source=planned(planning.source_of_saliency),
        maps=maps_given,
    output:
        in_shards("<results>/saliency/{saliency}/saliency.h5"),
    log:
        in_shards("<logs>/saliency/{saliency}/predict_saliency.log"),
    benchmark:
        in_shards("<benchmarks>/saliency/{saliency}/predict_saliency.tsv")
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=settings_of("saliency"),
        needs=named("saliency"),
        code=code_with_needs("predict_saliency", "saliency"),
    shell:
        "python -m wsss_steps.predict_saliency --manifest {input.manifest:q} --source {input.source:q}"
        " --needs {params.needs:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"
