# What a user already has, in place of what a step would make: checked, and written in the form that all other rules read.
rule import_classifier:
    # A classifier that was trained elsewhere.
    input:
        manifest="<results>/splits/train/manifest.json",
        source=given_by_user("classifier"),
    output:
        "<results>/{classifier}/classifier.safetensors",
    log:
        "<logs>/{classifier}/import_classifier.log",
    benchmark:
        "<benchmarks>/{classifier}/import_classifier.tsv"
    wildcard_constraints:
        classifier=f"{TAKEN}[^/]+",
    priority: 100  # what is wrong with it is told before hours of training, not after them
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_given("classifier"),
        code=code_of("import_classifier", "classifier"),
    shell:
        "python -m wsss_steps.import_classifier --manifest {input.manifest:q} --source {input.source:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule import_cams:
    # Maps that were made elsewhere.
    input:
        manifest=manifest_of_shard,
        source=given_by_user("cams"),
        files=given_files("cams"),
    output:
        in_shards("<results>/{classifier}/{cams}/cams.h5"),
    log:
        in_shards("<logs>/{classifier}/{cams}/import_cams.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}/import_cams.tsv")
    wildcard_constraints:
        cams=f"{TAKEN}{LINK}",
    priority: 100  # what is wrong with it is told before hours of training, not after them
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_given("cams"),
        code=code_of("import_cams", "cams"),
    shell:
        "python -m wsss_steps.import_cams --manifest {input.manifest:q} --source {input.source:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule import_superpixels:
    # Superpixels that were made elsewhere.
    input:
        manifest=manifest_of_shard,
        source=given_by_user("superpixels"),
        files=given_files("superpixels"),
    output:
        in_shards("<results>/superpixels/{superpixels}/superpixels.h5"),
    log:
        in_shards("<logs>/superpixels/{superpixels}/import_superpixels.log"),
    benchmark:
        in_shards("<benchmarks>/superpixels/{superpixels}/import_superpixels.tsv")
    wildcard_constraints:
        superpixels=f"{TAKEN}[^/]+",
    priority: 100  # what is wrong with it is told before hours of training, not after them
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_given("superpixels"),
        code=code_of("import_superpixels", "superpixels"),
    shell:
        "python -m wsss_steps.import_superpixels --manifest {input.manifest:q} --source {input.source:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule import_seeds:
    # Seeds or pseudo-labels that were made elsewhere; they rest on no maps.
    input:
        manifest=manifest_of_shard,
        source=given_by_user("seeds"),
        files=given_files("seeds"),
    output:
        in_shards("<results>/{classifier}/{cams}/{superpixels}/{seeds}/seeds.h5"),
    log:
        in_shards("<logs>/{classifier}/{cams}/{superpixels}/{seeds}/import_seeds.log"),
    benchmark:
        in_shards("<benchmarks>/{classifier}/{cams}/{superpixels}/{seeds}/import_seeds.tsv")
    wildcard_constraints:
        seeds=f"{TAKEN}[^/]+",
    priority: 100  # what is wrong with it is told before hours of training, not after them
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=settings_of_given("seeds"),
        code=code_of("import_seeds", "seeds"),
    shell:
        "python -m wsss_steps.import_seeds --manifest {input.manifest:q} --source {input.source:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"
