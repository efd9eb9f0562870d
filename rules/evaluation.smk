rule prepare_masks:
    # Checks every label image of a split, and writes where its ground truth lies: only rules here and in report.smk see it.
    input:
        manifest="<results>/splits/{split}/manifest.json",
    output:
        ground_truth="<results>/splits/{split}/ground_truth.json",
    log:
        "<logs>/splits/{split}/prepare_masks.log",
    benchmark:
        "<benchmarks>/splits/{split}/prepare_masks.tsv"
    priority: 100  # what is wrong with a mask is told before hours of training, not after them
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        root=CONFIG.data_folder,
        state=once_per_split(planning.state_of_masks),
        settings=planned(planning.settings_of_masks),
        code=code_of_layout("prepare_masks"),
    shell:
        "python -m wsss_steps.prepare_masks --root {params.root:q} --manifest {input.manifest:q}"
        " --ground-truth {output.ground_truth:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule prepare_boxes:
    # Checks the boxes of every object of a split, and writes them: ground truth as well.
    input:
        manifest="<results>/splits/{split}/manifest.json",
    output:
        boxes="<results>/splits/{split}/boxes.json",
    log:
        "<logs>/splits/{split}/prepare_boxes.log",
    benchmark:
        "<benchmarks>/splits/{split}/prepare_boxes.tsv"
    priority: 100  # as prepare_masks
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        root=CONFIG.data_folder,
        state=once_per_split(planning.state_of_boxes),
        settings=planned(planning.settings_of_boxes),
        code=code_of("prepare_boxes"),
    shell:
        "python -m wsss_steps.prepare_boxes --root {params.root:q} --manifest {input.manifest:q}"
        " --boxes {output.boxes:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule evaluate:
    # Counts pixels of every class against the ground truth.
    input:
        manifest="<results>/splits/{split}/manifest.json",
        ground_truth="<results>/splits/{split}/ground_truth.json",
        predictions=planned(planning.predictions_of_stage),
    output:
        confusions="<results>/{lineage}/evaluation/{stage}/{split}.h5",
        score="<results>/{lineage}/evaluation/{stage}/{split}.json",
    log:
        "<logs>/{lineage}/evaluation/{stage}/{split}.log",
    benchmark:
        "<benchmarks>/{lineage}/evaluation/{stage}/{split}.tsv"
    wildcard_constraints:
        lineage=".+",
        stage="|".join(STAGES),
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=planned(planning.settings_of_stage),
        code=code_of("evaluate"),
    shell:
        "python -m wsss_steps.evaluate --manifest {input.manifest:q} --ground-truth {input.ground_truth:q}"
        " --predictions {input.predictions:q} --output {output.confusions:q} --score {output.score:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule evaluate_classifier:
    # Compares the tags that a classifier predicts with those of a held-out split; no network is chosen by it.
    input:
        manifest="<results>/splits/{split}/manifest.json",
        classifier="<results>/{classifier}/classifier.safetensors",
    output:
        "<results>/{classifier}/evaluation/tags/{split}.json",
    log:
        "<logs>/{classifier}/evaluation/tags/{split}.log",
    benchmark:
        "<benchmarks>/{classifier}/evaluation/tags/{split}.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    resources:
        gpu=1,
        device=CONFIG.device,
    params:
        settings=planned(planning.settings_of_tag_scores),
        code=code_of("evaluate_classifier", "classifier"),
    shell:
        "python -m wsss_steps.evaluate_classifier --manifest {input.manifest:q} --classifier {input.classifier:q}"
        " --score {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --device {resources.device:q} --log {log:q}"


rule evaluate_superpixels:
    input:
        manifest="<results>/splits/train/manifest.json",
        ground_truth="<results>/splits/train/ground_truth.json",
        superpixels="<results>/superpixels/{superpixels}/superpixels.h5",
    output:
        "<results>/superpixels/{superpixels}/score.json",
    log:
        "<logs>/superpixels/{superpixels}/evaluate_superpixels.log",
    benchmark:
        "<benchmarks>/superpixels/{superpixels}/evaluate_superpixels.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_step("evaluate_superpixels"),
        code=code_of("evaluate_superpixels"),
    shell:
        "python -m wsss_steps.evaluate_superpixels --manifest {input.manifest:q} --ground-truth {input.ground_truth:q}"
        " --superpixels {input.superpixels:q} --score {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule evaluate_boxes:
    # Compares the boxes around the classes in their maps with those of the ground truth.
    input:
        manifest="<results>/splits/train/manifest.json",
        boxes="<results>/splits/train/boxes.json",
        cams="<results>/{classifier}/{cams}/cams.h5",
    output:
        pairs="<results>/{classifier}/{cams}/evaluation/boxes/train.csv",
        score="<results>/{classifier}/{cams}/evaluation/boxes/train.json",
    log:
        "<logs>/{classifier}/{cams}/evaluation/boxes/train.log",
    benchmark:
        "<benchmarks>/{classifier}/{cams}/evaluation/boxes/train.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_step("evaluate_boxes"),
        code=code_of("evaluate_boxes"),
    shell:
        "python -m wsss_steps.evaluate_boxes --manifest {input.manifest:q} --boxes {input.boxes:q}"
        " --cams {input.cams:q} --output {output.pairs:q} --score {output.score:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule ground_truth_saliency:
    # Saliency maps made of the label images: the upper bound of Table 2.3. What rests on them says so in summary.csv.
    input:
        manifest=manifest_of_shard,
        ground_truth="<results>/splits/train/ground_truth.json",
    output:
        in_shards(f"<results>/saliency/{GROUND_TRUTH}/saliency.h5"),
    log:
        in_shards("<logs>/saliency/ground_truth_saliency.log"),
    benchmark:
        in_shards("<benchmarks>/saliency/ground_truth_saliency.tsv")
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        code=code_of("ground_truth_saliency"),
    shell:
        "python -m wsss_steps.ground_truth_saliency --manifest {input.manifest:q} --ground-truth {input.ground_truth:q}"
        " --output {output:q} --settings '{{}}' --code {params.code:q} --log {log:q}"
