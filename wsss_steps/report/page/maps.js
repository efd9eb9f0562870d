// The tab of the class activation maps: mIoU over thresholds, boxes.
"use strict";

(() => {
  const { records, percent, labelled } = report;
  const { tables, scores, about } = report.numbers;
  const boxes = records(tables.boxes);
  const swept = about.rows.filter((row) => scores[row.score].sweep.length);
  if (!swept.length && !boxes.length) return;

  function curves() {
    const seen = new Map(); // recipes that share their maps have one line
    for (const row of swept) {
      const name = labelled(row.recipe, row.random_seed);
      const key = `${row.stage} ${row.score}`;
      const first = seen.get(key) || { row, names: [], recipes: [] };
      seen.set(key, { row: first.row, names: [...first.names, name], recipes: [...first.recipes, row.recipe] });
    }
    const series = [...seen.values()].map(({ row, names, recipes }) => {
      const known = scores[row.score].sweep.filter((one) => one.miou !== null);
      const points = known.map((one) => [one.threshold, 100 * one.miou]);
      const best = points.find(([threshold]) => threshold === scores[row.score].threshold);
      const dash = Math.max(0, about.random_seeds.indexOf(row.random_seed));
      const group = [...new Set(recipes)].join("; ");
      return { name: names.join("; "), group, colour: report.colour(row.recipe), dash, points, best };
    });
    return report.plots.lines({
      title: "mIoU of the maps over the background threshold",
      description:
        "A pixel is background where no map reaches the threshold. Large dot: the best one, chosen with the ground " +
        "truth of the same images. Recipes with the same maps share a line, and random seeds differ in their dashes.",
      x: { label: "threshold" },
      y: { label: "mIoU (%)", low: 0 },
      series,
    });
  }

  const PROTOCOL = {
    threshold: "share of the map's maximum inside its box",
    connectivity: "neighbours of a pixel",
    iou: "least IoU of a box that is right",
    difficult: "objects marked difficult",
    gt_used_for: "ground truth used for",
    images: "images",
    pairs: "pairs of an image and a class",
    without_box: "pairs without a box",
  };
  const CORLOC = "share of the images of a class whose box is right, mean over the classes";
  const ofBoxes = (row) => [
    `${labelled(row.recipe, row.random_seed)}: ${row.cams}`,
    ...Object.entries(PROTOCOL).map(([name, title]) => [title, row[name]]),
  ];

  function tableOfBoxes() {
    const fraction = (name, title, about) => ({ name, title, about, show: (text) => percent(text) });
    const classes = tables.boxes.columns.filter((name) => name.startsWith("corloc_"));
    const columns = [
      { name: "recipe", title: "recipe" },
      ...(boxes.some((row) => row.random_seed !== "") ? [{ name: "random_seed", title: "seed" }] : []),
      { name: "cams", title: "maps" },
      { ...fraction("corloc", "CorLoc", CORLOC), focus: true },
      fraction("ci_low", "from", "95 % interval"),
      fraction("ci_high", "to", "95 % interval"),
      fraction("localisation_error", "error", "share of all boxes that are wrong or missing"),
      ...classes.map((name) => fraction(name, name.slice("corloc_".length))),
    ];
    const title = "Boxes of the maps";
    const text =
      "CorLoc in percent: the share of the images of a class in which the box around its map meets an object. " +
      "Hover a number to see how it was measured.";
    return report.section(title, text, report.table({ label: title, columns, records: boxes, tip: ofBoxes }));
  }

  function show(panel) {
    if (swept.length) panel.append(curves());
    if (boxes.length) panel.append(tableOfBoxes());
  }

  report.tabs.push({ name: "maps", title: "Maps", show });
})();
