rule make_example:
    # Draws the embedded data set in PASCAL VOC layout.
    output:
        directory(CONFIG.root if CONFIG.draw else "<results>/scenes"),
    log:
        "<logs>/make_example.log",
    benchmark:
        "<benchmarks>/make_example.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_room("draw"),
        code=code_of("make_example"),
    shell:
        "python -m wsss_steps.make_example --output {output:q} --settings {params.settings:q}"
        " --code {params.code} --log {log:q}"


rule prepare:
    # Checks every image, mask and tag, and writes the manifest; the ground truth is kept apart from it.
    input:
        root=root_of_dataset,
    output:
        manifest="<results>/manifest.json",
        ground_truth="<results>/ground_truth.json",
    log:
        "<logs>/prepare.log",
    benchmark:
        "<benchmarks>/prepare.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        root=CONFIG.root,
        settings=settings_of_room("prepare"),
        code=code_of("prepare"),
    shell:
        "python -m wsss_steps.prepare --root {params.root:q}"
        " --manifest {output.manifest:q} --ground-truth {output.ground_truth:q}"
        " --settings {params.settings:q} --code {params.code} --log {log:q}"
