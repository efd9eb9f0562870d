rule evaluate:
    # Counts pixels of every class against the ground truth: the only rules that see it are in this file.
    input:
        manifest="<results>/manifest.json",
        ground_truth="<results>/ground_truth.json",
        predictions=predictions_of_stage,
    output:
        confusions="<results>/{lineage}/evaluation/{stage}.h5",
        score="<results>/{lineage}/evaluation/{stage}.json",
    log:
        "<logs>/{lineage}/evaluate_{stage}.log",
    benchmark:
        "<benchmarks>/{lineage}/evaluate_{stage}.tsv"
    conda:
        "../envs/wsss.yaml"
    wildcard_constraints:
        lineage=".+",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        settings=settings_of_stage,
        code=code_of("evaluate"),
    shell:
        "python -m wsss_steps.evaluate --manifest {input.manifest:q} --ground-truth {input.ground_truth:q}"
        " --predictions {input.predictions:q} --output {output.confusions:q} --score {output.score:q}"
        " --settings {params.settings:q} --code {params.code} --log {log:q}"


rule evaluate_superpixels:
    input:
        manifest="<results>/manifest.json",
        ground_truth="<results>/ground_truth.json",
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
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        settings=settings_of_room("evaluate_superpixels"),
        code=code_of("evaluate_superpixels"),
    shell:
        "python -m wsss_steps.evaluate_superpixels --manifest {input.manifest:q} --ground-truth {input.ground_truth:q}"
        " --superpixels {input.superpixels:q} --score {output:q}"
        " --settings {params.settings:q} --code {params.code} --log {log:q}"
