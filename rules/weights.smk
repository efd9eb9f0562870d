rule fetch_weights:
    # Brings weights that a configuration names from the cache, or from where they are published. It runs where Snakemake
    # does: nodes of a cluster often have no network.
    output:
        "<results>/weights/{weights}.safetensors",
    log:
        "<logs>/weights/{weights}/fetch_weights.log",
    benchmark:
        "<benchmarks>/weights/{weights}/fetch_weights.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=planned(weights.settings_of_weights),
        code=code_of_weights("fetch_weights"),
    shell:
        "python -m wsss_steps.fetch_weights --output {output:q} --settings {params.settings:q}"
        " --code {params.code:q} --log {log:q}"
