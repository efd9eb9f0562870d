rule summarise_superpixels:
    # One table of the superpixels that are compared.
    input:
        configured(targets.scores_of_superpixels),
    output:
        in_report("<tables>/superpixels.csv"),
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
        in_report("<tables>/boxes.csv"),
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
        in_report("<tables>/summary.csv"),
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
        means=in_report("<tables>/means.csv"),
        differences=in_report("<tables>/differences.csv"),
        per_class=in_report("<tables>/per_class.csv"),
        by_size=in_report("<tables>/by_size.csv"),
        tables=in_report("<tables>/tables.md"),
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
        in_report("<tables>/gallery.png"),
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


rule draw_plots:
    # Plots of each recipe for `snakemake --report`, which has no scripts of its own to draw some.
    input:
        per_class=configured(plots.scores_per_class),
        maps=configured(plots.scores_of_maps),
        histories=configured(plots.histories),
    output:
        plots_in_report(directory("<tables>/plots")),
    log:
        "<logs>/draw_plots.log",
    benchmark:
        "<benchmarks>/draw_plots.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: 1
    params:
        settings=configured(plots.settings),
        code=code_of("draw_plots"),
    shell:
        "python -m wsss_steps.draw_plots --per-class {input.per_class:q} --maps {input.maps:q}"
        " --histories {input.histories:q} --output {output:q}"
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


rule draw_pictures:
    # The gallery of the page: photographs, and the layers of every recipe that a browser lays over them.
    input:
        manifests=configured(pictures.manifests),
        ground_truths=configured(pictures.ground_truths),
        sources=configured(pictures.sources),
        confusions=configured(pictures.confusions),
        scores=configured(pictures.scores),
    output:
        directory("<tables>/report/pictures"),
    log:
        "<logs>/draw_pictures.log",
    benchmark:
        "<benchmarks>/draw_pictures.tsv"
    conda:
        "../envs/wsss.yaml"
    threads: CONFIG.threads
    params:
        settings=configured(pictures.settings),
        code=code_of("draw_pictures"),
    shell:
        "python -m wsss_steps.draw_pictures --manifests {input.manifests:q} --ground-truths {input.ground_truths:q}"
        " --sources {input.sources:q} --confusions {input.confusions:q} --scores {input.scores:q} --output {output:q}"
        " --settings {params.settings:q} --code {params.code:q} --log {log:q}"
