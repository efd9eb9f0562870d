rule refine_saliency:
    # Saliency maps corrected by the class activation maps (eqs. 2.5 and 2.6), for seeds that are made of them.
    input:
        manifest=manifest_of_shard,
        cams=in_shards("<results>/{classifier}/{cams}/cams.h5"),
        saliency=artifact_of("seeds", "saliency"),
    output:
        in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/refined_saliency.h5"),
    log:
        in_shards("<logs>/{classifier}/{cams}/{superpixels}/{seeds}/refine_saliency.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}/{superpixels}/{seeds}/refine_saliency.tsv")
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of("seeds"),
        code=code_of("refine_saliency", "seeds"),
    shell:
        "python -m wsss_steps.refine_saliency --manifest {input.manifest:q} --cams {input.cams:q}"
        " --saliency {input.saliency:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule make_seeds:
    # Partial label maps: the pixels that the maps are sure of.
    input:
        needs("seeds"),
        manifest=manifest_of_shard,
        cams=in_shards("<results>/{classifier}/{cams}/cams.h5"),
    output:
        in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/seeds.h5"),
    log:
        in_shards("<logs>/{classifier}/{cams}/{superpixels}/{seeds}/make_seeds.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}/{superpixels}/{seeds}/make_seeds.tsv")
    wildcard_constraints:
        seeds=f"{MADE}[^/]+",
    conda:
        "../envs/wsss.yaml"
    threads: planned(planning.threads_of, "seeds")
    params:
        settings=settings_of("seeds"),
        needs=named("seeds"),
        code=code_with_needs("make_seeds", "seeds"),
    shell:
        "python -m wsss_steps.make_seeds --manifest {input.manifest:q} --cams {input.cams:q}"
        " --needs {params.needs:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule prepare_strong:
    # Checks the label images of some training images that segmenters learn from which are no longer weakly supervised.
    input:
        manifest="<results>/splits/train/manifest.json",
    output:
        "<results>/strong/strong_masks.h5",
    log:
        "<logs>/strong/prepare_strong.log",
    benchmark:
        "<benchmarks>/strong/prepare_strong.tsv"
    priority: 100  # what is wrong with a label image is told before hours of training, not after them
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        root=CONFIG.base,
        state=configured(strong.state),
        settings=configured(strong.settings_as_json),
        code=code_of("prepare_strong"),
    shell:
        "python -m wsss_steps.prepare_strong --root {params.root:q} --manifest {input.manifest:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule train_segmenter:
    # Learns a class for every pixel from the seeds, or in a chain (spsrg+plain) from the pseudo-labels of the link before.
    input:
        needs("segmenter", of_all=True),
        manifest="<results>/splits/train/manifest.json",
        seeds=planned(planning.labels_to_learn),
        weights=initial_weights("segmenter"),
    output:
        segmenter="<results>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/segmenter.safetensors",
        history="<results>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/segmenter_history.csv",
        growth="<results>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/growth.h5",
    log:
        "<logs>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/train_segmenter.log",
    benchmark:
        "<benchmarks>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/train_segmenter.tsv"
    wildcard_constraints:
        segmenter="(?!none/|own/)[^/]+",
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=CONFIG.gpus_per_training,
        processes=CONFIG.gpus_per_training,
        device=CONFIG.device,
    params:
        settings=settings_of("segmenter"),
        needs=named("segmenter"),
        code=code_with_needs("train_segmenter", "segmenter"),
    shell:
        "python -m wsss_steps.training.launch {resources.processes:q} train_segmenter --manifest {input.manifest:q} --seeds {input.seeds:q}"
        " --needs {params.needs:q} --weights {input.weights:q}"
        " --output {output.segmenter:q} --history {output.history:q} --output-growth {output.growth:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule predict:
    # Label maps of held-out images, before and after the dense CRF. No tags are used.
    input:
        manifest=manifest_of_shard,
        segmenter=planned(planning.segmenting_network),
    output:
        raw=directory(in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/segmentation/{split}")),
        crf=directory(
            in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/segmentation_crf/{split}")
        ),
    log:
        in_shards("<logs>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/predict/{split}.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/predict/{split}.tsv")
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=planned(planning.settings_of_prediction),
        code=code_of("predict", "classifier", "segmenter"),
    shell:
        "python -m wsss_steps.predict --manifest {input.manifest:q} --segmenter {input.segmenter:q}"
        " --output {output.crf:q} --output-raw {output.raw:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule make_pseudo_labels:
    # Label maps of the training images, whose tags are known: <id>.png, what most users come for.
    input:
        manifest=manifest_of_shard,
        segmenter=planned(planning.segmenting_network),
    output:
        **folders_if_any(
            working=in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/working_labels")
        ),
        labels=directory(in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/pseudo_labels")),
    log:
        in_shards("<logs>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/make_pseudo_labels.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}/{superpixels}/{seeds}/{segmenter}/make_pseudo_labels.tsv")
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=settings_of_step("predict", split="train", known_tags=True),
        working=output_if_any("working"),
        code=code_of("predict", "classifier", "segmenter"),
    shell:
        "python -m wsss_steps.predict --manifest {input.manifest:q} --segmenter {input.segmenter:q}"
        " --output {output.labels:q} --output-working {params.working:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule label_seeds:
    # The seeds as label maps, the pseudo-labels of a recipe without a segmenter.
    input:
        manifest=manifest_of_shard,
        seeds=in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/seeds.h5"),
    output:
        directory(in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/none/pseudo_labels")),
    log:
        in_shards("<logs>/{classifier}/{cams}/{superpixels}/{seeds}/none/label_seeds.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}/{superpixels}/{seeds}/none/label_seeds.tsv")
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        code=code_of("label_seeds"),
    shell:
        "python -m wsss_steps.label_seeds --manifest {input.manifest:q} --seeds {input.seeds:q} --output {output:q}"
        " --settings '{{}}' --code {params.code:q} --log {log:q}"
