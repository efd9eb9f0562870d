rule summarise_superpixels:
    # One table of the superpixels that are compared.
    input:
        configured(targets.scores_of_superpixels),
    output:
        "<tables>/superpixels.csv",
    log:
        "<logs>/summarise_superpixels.log",
    benchmark:
        "<benchmarks>/summarise_superpixels.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=configured(targets.settings_of_superpixels_table),
        code=code_of("summarise_superpixels"),
    shell:
        "python -m wsss_steps.summarise_superpixels --scores {input:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule summarise_boxes:
    # One table of the boxes of all maps, of every link of a chain.
    input:
        configured(boxes.scores),
    output:
        "<tables>/boxes.csv",
    log:
        "<logs>/summarise_boxes.log",
    benchmark:
        "<benchmarks>/summarise_boxes.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=configured(boxes.settings_of_table),
        code=code_of("summarise_boxes"),
    shell:
        "python -m wsss_steps.summarise_boxes --scores {input:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule summarise:
    # One table of all recipes and stages.
    input:
        scores=configured(targets.scores_of_summary),
        checkpoints=configured(targets.checkpoints_of_summary),
        saliency=configured(targets.saliency_of_summary),
    output:
        "<tables>/summary.csv",
    log:
        "<logs>/summarise.log",
    benchmark:
        "<benchmarks>/summarise.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=configured(targets.settings_of_summary),
        code=code_of("summarise"),
    shell:
        "python -m wsss_steps.summarise --scores {input.scores:q} --checkpoints {input.checkpoints:q}"
        " --saliency {input.saliency:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule compare_recipes:
    # Means over random seeds, differences between recipes, scores per class and by object size.
    input:
        summary="<tables>/summary.csv",
        confusions=configured(targets.confusions_of_rows),
    output:
        means="<tables>/means.csv",
        differences="<tables>/differences.csv",
        per_class="<tables>/per_class.csv",
        by_size="<tables>/by_size.csv",
        tables="<tables>/tables.md",
    log:
        "<logs>/compare_recipes.log",
    benchmark:
        "<benchmarks>/compare_recipes.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=configured(targets.settings_of_comparison),
        code=code_of("compare_recipes"),
    shell:
        "python -m wsss_steps.compare_recipes --summary {input.summary:q} --confusions {input.confusions:q}"
        " --means {output.means:q} --differences {output.differences:q} --per-class {output.per_class:q}"
        " --by-size {output.by_size:q} --tables {output.tables:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule find_warnings:
    # What looks wrong in a run, by tags, labels, seeds and predicted tags alone: no ground truth, even where there is some.
    input:
        manifests=configured(warned.manifests),
        maps=configured(warned.maps),
        scores=configured(warned.scores),
    output:
        "<tables>/warnings.json",
    log:
        "<logs>/find_warnings.log",
    benchmark:
        "<benchmarks>/find_warnings.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    params:
        settings=configured(warned.settings),
        code=code_of("find_warnings"),
    shell:
        "python -m wsss_steps.find_warnings --manifests {input.manifests:q} --maps {input.maps:q}"
        " --scores {input.scores:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule draw_gallery:
    # One picture of some training images in every stage of every recipe.
    input:
        manifest="<results>/splits/train/manifest.json",
        ground_truth="<results>/splits/train/ground_truth.json",
        sources=configured(targets.sources_of_gallery),
    output:
        "<tables>/gallery.png",
    log:
        "<logs>/draw_gallery.log",
    benchmark:
        "<benchmarks>/draw_gallery.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=configured(targets.settings_of_gallery),
        code=code_of("draw_gallery"),
    shell:
        "python -m wsss_steps.draw_gallery --manifest {input.manifest:q} --ground-truth {input.ground_truth:q}"
        " --sources {input.sources:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"


rule write_report:
    # The page of the run: its numbers, and the scripts that show them.
    input:
        manifests=configured(page.manifests),
        tables=configured(page.tables),
        scores=configured(page.scores),
        confusions=configured(page.confusions),
        histories=configured(page.histories),
        tags=configured(page.tags),
        warnings=configured(page.warnings),
    output:
        index="<tables>/report/index.html",
        page=directory("<tables>/report/page"),
    log:
        "<logs>/write_report.log",
    benchmark:
        "<benchmarks>/write_report.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        benchmarks=f"{CONFIG.logs}/benchmarks",  # the times of the jobs so far: they are no input, so they rerun nothing
        settings=configured(page.settings),
        code=code_of("write_report"),
    shell:
        "python -m wsss_steps.write_report --manifests {input.manifests:q} --tables {input.tables:q}"
        " --scores {input.scores:q} --confusions {input.confusions:q} --histories {input.histories:q}"
        " --tags {input.tags:q} --warnings {input.warnings:q} --benchmarks {params.benchmarks:q}"
        " --index {output.index:q} --page {output.page:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"
