rule train_classifier:
    # Learns the classes of whole images from their tags.
    input:
        manifest="<results>/splits/train/manifest.json",
        weights=initial_weights("classifier"),
    output:
        classifier="<results>/{classifier}/classifier.safetensors",
        history="<results>/{classifier}/classifier_history.csv",
    log:
        "<logs>/{classifier}/train_classifier.log",
    benchmark:
        "<benchmarks>/{classifier}/train_classifier.tsv"
    wildcard_constraints:
        classifier=f"{MADE}[^/]+",
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=CONFIG.gpus_per_training,
        processes=CONFIG.gpus_per_training,
        device=CONFIG.device,
    params:
        settings=settings_of("classifier"),
        code=code_of("train_classifier", "classifier"),
    shell:
        "python -m wsss_steps.training.launch {resources.processes:q} train_classifier --manifest {input.manifest:q} --weights {input.weights:q}"
        " --output {output.classifier:q} --history {output.history:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule make_cams:
    # Class activation maps of the tagged classes of every training image.
    input:
        needs("cams"),
        manifest=manifest_of_shard,
    output:
        in_shards("<results>/{classifier}/{cams}/cams.h5"),
    log:
        in_shards("<logs>/{classifier}/{cams}/make_cams.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}/make_cams.tsv")
    wildcard_constraints:
        cams=f"{MADE}{LINK}",
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=settings_of("cams"),
        needs=named("cams"),
        code=code_with_needs("make_cams", "cams"),
    shell:
        "python -m wsss_steps.make_cams --manifest {input.manifest:q} --needs {params.needs:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule train_refiner:
    # The network of a refiner that has one of its own; it learns from seeds of the maps before it, or from these maps.
    input:
        manifest="<results>/splits/train/manifest.json",
        seeds=planned(planning.taught_by, "seeds"),
        cams=planned(planning.taught_by, "cams"),
        weights=initial_weights("refiner"),
    output:
        refiner="<results>/{classifier}/{cams}+{refiner}/refiner.safetensors",
        history="<results>/{classifier}/{cams}+{refiner}/refiner_history.csv",
    log:
        "<logs>/{classifier}/{cams}+{refiner}/train_refiner.log",
    benchmark:
        "<benchmarks>/{classifier}/{cams}+{refiner}/train_refiner.tsv"
    wildcard_constraints:
        refiner=LINK,
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=CONFIG.gpus_per_training,
        processes=CONFIG.gpus_per_training,
        device=CONFIG.device,
    params:
        settings=settings_of("refiner"),
        code=code_of("train_refiner", "refiner"),
    shell:
        "python -m wsss_steps.training.launch {resources.processes:q} train_refiner --manifest {input.manifest:q} --seeds {input.seeds:q}"
        " --cams {input.cams:q} --weights {input.weights:q} --output {output.refiner:q} --history {output.history:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule refine_cams:
    # A further link of a chain: cam+pamr/ holds what pamr made of the maps in cam/.
    input:
        needs("refiner"),
        manifest=manifest_of_shard,
        cams=in_shards("<results>/{classifier}/{cams}/cams.h5"),
    output:
        in_shards("<results>/{classifier}/{cams}+{refiner}/cams.h5"),
    log:
        in_shards("<logs>/{classifier}/{cams}+{refiner}/refine_cams.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}+{refiner}/refine_cams.tsv")
    wildcard_constraints:
        refiner=LINK,
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=settings_of("refiner"),
        needs=named("refiner"),
        code=code_with_needs("refine_cams", "refiner"),
    shell:
        "python -m wsss_steps.refine_cams --manifest {input.manifest:q} --cams {input.cams:q} --needs {params.needs:q}"
        " --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule score_images:
    # The classifier's score of every class for the gallery, which shows it beside a map: no other rule reads it.
    input:
        manifest="<results>/splits/{split}/manifest.json",
        classifier="<results>/{classifier}/classifier.safetensors",
    output:
        "<results>/{classifier}/scores/{split}.csv",
    log:
        "<logs>/{classifier}/scores/{split}.log",
    benchmark:
        "<benchmarks>/{classifier}/scores/{split}.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=planned(pictures.settings_of_scores),
        code=code_of("score_images", "classifier"),
    shell:
        "python -m wsss_steps.score_images --manifest {input.manifest:q} --classifier {input.classifier:q}"
        " --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"
