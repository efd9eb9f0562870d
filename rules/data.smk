rule make_example:
    # Draws the embedded data set in PASCAL VOC layout.
    output:
        directory("<results>/scenes"),
    log:
        "<logs>/make_example.log",
    benchmark:
        "<benchmarks>/make_example.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_step("draw"),
        code=code_of("make_example"),
    shell:
        "python -m wsss_steps.make_example --output {output:q} --settings {params.settings:q}"
        " --code {params.code:q} --log {log:q}"


rule convert_tags:
    # Reads the list and the tags of a split of a known data set as its archives unpack. The archives are no inputs: see `state`.
    output:
        image_list="<results>/converted/{split}.txt",
        tags="<results>/converted/{split}.csv",
    log:
        "<logs>/converted/{split}/convert_tags.log",
    benchmark:
        "<benchmarks>/converted/{split}/convert_tags.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        root=CONFIG.root,
        state=once_per_split(conversion.state_of_tags),
        settings=planned(conversion.settings_of_tags),
        code=code_of_conversion("convert_tags"),
    shell:
        "python -m wsss_steps.convert_tags --root {params.root:q} --image-list {output.image_list:q}"
        " --tags {output.tags:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule prepare:
    # Checks every image and tag of a split, and writes its manifest. The user's files are no inputs: see `state`.
    input:
        made=planned(planning.made_by_the_workflow),
    output:
        **folders_if_any(copies="<results>/splits/{split}/copies", saliency="<results>/splits/{split}/saliency"),
        manifest="<results>/splits/{split}/manifest.json",
    log:
        "<logs>/splits/{split}/prepare.log",
    benchmark:
        "<benchmarks>/splits/{split}/prepare.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        root=CONFIG.base,
        list_file=planned(files.list_of_split),
        tags=planned(files.table_of_tags),
        state=once_per_split(planning.state_of_images),
        settings=planned(planning.settings_of_images),
        copies=output_if_any("copies"),
        saliency=output_if_any("saliency"),
        code=code_of_layout("prepare"),
    shell:
        "python -m wsss_steps.prepare --root {params.root:q} --list-file {params.list_file:q} --tags {params.tags:q}"
        " --manifest {output.manifest:q} --copies {params.copies:q} --saliency {params.saliency:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"
