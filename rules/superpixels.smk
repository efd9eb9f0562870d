rule pretrain_keys:
    # Trains a small vision transformer on the data set's own images, without labels (DINO).
    input:
        manifest="<results>/splits/train/manifest.json",
    output:
        vit="<results>/features/vit.safetensors",
        history="<results>/features/vit_history.csv",
    log:
        "<logs>/features/pretrain_keys.log",
    benchmark:
        "<benchmarks>/features/pretrain_keys.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=settings_of_step("pretrain_keys"),
        code=code_of("pretrain_keys"),
    shell:
        "python -m wsss_steps.pretrain_keys --manifest {input.manifest:q}"
        " --output {output.vit:q} --history {output.history:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule extract_keys:
    # One feature vector per patch: keys of a vision transformer, a convolutional network's features, or colours.
    input:
        needs("features"),
        manifest=manifest_of_shard,
        weights=initial_weights("features"),
    output:
        kept_or_temporary(in_shards("<results>/features/{features}/features.h5")),
    log:
        in_shards("<logs>/features/{features}/extract_keys.log"),
    benchmark:
        in_shards("<benchmarks>/features/{features}/extract_keys.tsv")
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=settings_of("features"),
        needs=named("features"),
        code=code_with_needs("extract_keys", "features"),
    shell:
        "python -m wsss_steps.extract_keys --manifest {input.manifest:q} --weights {input.weights:q}"
        " --needs {params.needs:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule make_superpixels:
    # Groups patches that mean the same (Table 3.1), or pixels of the same colour (SLIC).
    input:
        needs("superpixels"),
        manifest=manifest_of_shard,
        weights=initial_weights("superpixels"),
    output:
        in_shards("<results>/superpixels/{superpixels}/superpixels.h5"),
    log:
        in_shards("<logs>/superpixels/{superpixels}/make_superpixels.log"),
    benchmark:
        in_shards("<benchmarks>/superpixels/{superpixels}/make_superpixels.tsv")
    wildcard_constraints:
        superpixels=f"{MADE}[^/]+",
    conda:
        "../envs/wsss.yaml"
    threads: min(2, CONFIG.threads)
    resources:
        gpu=planned(planning.gpus, "superpixels"),
        device=planned(planning.device, "superpixels"),
    params:
        settings=settings_of("superpixels"),
        needs=named("superpixels"),
        code=code_with_needs("make_superpixels", "superpixels"),
    shell:
        "python -m wsss_steps.make_superpixels --manifest {input.manifest:q} --weights {input.weights:q}"
        " --needs {params.needs:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"
