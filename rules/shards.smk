# Only if `shards` is above 1: deals the images out to jobs, and joins what the jobs of a stage wrote.
STAGE_OF_IMAGES = "cams|features|superpixels|saliency|refined_saliency|seeds"

if SHARDS:

    localrules:
        shard_manifest,
        join_stores,
        join_label_maps,

    checkpoint shard_manifest:
        # One manifest per shard. A checkpoint, since only what the changed ones lead to runs again.
        input:
            manifest="<results>/splits/{split}/manifest.json",
        output:
            expand("<results>/splits/{{split}}/shards/{shard}.json", shard=SHARDS),
        log:
            "<logs>/splits/{split}/shard_manifest.log",
        benchmark:
            "<benchmarks>/splits/{split}/shard_manifest.tsv"
        conda:
            "../envs/wsss.yaml"
        threads: 1
        params:
            code=code_of("shard_manifest"),
        shell:
            "python -m wsss_steps.shard_manifest --manifest {input.manifest:q} --shards {output:q}"
            " --settings '{{}}' --code {params.code:q} --log {log:q}"

    rule join_stores:
        # One store that opens those of all shards; the maps stay where they are.
        input:
            planned(shards.shards_of_store),
        output:
            "<results>/{stage_of_images}.h5",
        log:
            "<logs>/{stage_of_images}.join.log",
        benchmark:
            "<benchmarks>/{stage_of_images}.join.tsv"
        wildcard_constraints:
            stage_of_images=f".+/({STAGE_OF_IMAGES})",
        conda:
            "../envs/wsss.yaml"
        threads: 1
        params:
            code=code_of("join_shards"),
        shell:
            "python -m wsss_steps.join_shards --shards {input:q} --output {output:q}"
            " --settings '{{}}' --code {params.code:q} --log {log:q}"

    rule join_label_maps:
        # One folder of label maps.
        input:
            planned(shards.shards_of_label_maps),
        output:
            directory("<results>/{lineage}/{folder}"),
        log:
            "<logs>/{lineage}/{folder}.join.log",
        benchmark:
            "<benchmarks>/{lineage}/{folder}.join.tsv"
        wildcard_constraints:
            lineage=".+",
            folder="pseudo_labels|working_labels|(segmentation|segmentation_crf)/[a-z][a-z0-9_]*",
        conda:
            "../envs/wsss.yaml"
        threads: 1
        params:
            code=code_of("join_shards"),
        shell:
            "python -m wsss_steps.join_shards --shards {input:q} --output {output:q}"
            " --settings '{{}}' --code {params.code:q} --log {log:q}"
