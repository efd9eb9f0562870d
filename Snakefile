# Weakly supervised semantic segmentation: from images with tags to masks and a trained network.
#
#   make_example > prepare > train_classifier > make_cams ----------------> make_seeds > train_segmenter > predict > evaluate > summary.csv
#                          > pretrain_keys > extract_keys > make_superpixels -^-----------^
#                          > predict_saliency > refine_saliency (with the maps) > make_seeds
#
# Every arrow is a file. A recipe is one choice per slot; its folder below results/<name>/ is
#   <classifier>/<cams>/<superpixels>/<seeds>/<segmenter>/
# so that two recipes share all that they have in common; a chain (cams: cam+pamr) adds refine_cams behind make_cams. See config.yaml for the recipes and docs/architecture.md for the steps.
from snakemake.utils import min_version

min_version("9.0")


# A configuration file of your own (--configfile) stands alone; without one, the embedded example runs.
if "dataset" not in config:

    configfile: "config.yaml"


# Of `snakemake --report report.html`: what it says first. The captions of its items stand beside it.
report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/weights.smk"
include: "rules/classifier.smk"
include: "rules/superpixels.smk"
include: "rules/saliency.smk"
include: "rules/given.smk"
include: "rules/segmenter.smk"
include: "rules/evaluation.smk"
include: "rules/report.smk"
include: "rules/shards.smk"


localrules:
    all,
    compare_recipes,
    draw_plots,
    fetch_weights,
    summarise,
    summarise_boxes,
    summarise_superpixels,
    write_report,


rule all:
    default_target: True
    input:
        targets.targets(CONFIG),


if workflow.is_main_process and workflow.output_settings.dryrun:
    logger.info(trainings.planned(CONFIG))
    if to_fetch := weights.planned(CONFIG):
        logger.info(to_fetch)


onstart:
    bring_weights()
    sharing.record(CONFIG, CONFIG_FILES)


onsuccess:
    print(targets.printed(CONFIG))
