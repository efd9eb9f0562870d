// The tab of the scores: mIoU of every recipe, the summary, means over random seeds, differences, tags.
"use strict";

(() => {
  const { element, records, value, percent, labelled } = report;
  const { tables, tags, about } = report.numbers;
  const summary = records(tables.summary);
  const means = records(tables.means);
  const differences = records(tables.differences);
  if (!summary.length && !tags.length) return;
  const several = about.random_seeds.length > 1;
  const MANY = 40; // rows
  const PROTOCOL = {
    stage: "stage",
    split: "split",
    images: "images",
    threshold: "background threshold",
    gt_used_for: "ground truth used for",
    init_weights: "initial weights",
    compute_precision: "precision of computing",
    crf: "dense CRF behind the network",
    scales: "scales",
    extra_supervision: "more than tags",
    left_out: "images left out",
  };
  const EMPTY = { threshold: "none", extra_supervision: "nothing", scales: "none", init_weights: "none" };
  const fraction = (name, title, text) => ({ name, title, about: text, show: (one) => percent(one) });
  const SCORES = [
    ["miou", "mIoU", "mean IoU over the classes, background among them, in percent"],
    ["ci_low", "from", "95 % interval of the mIoU, from drawing the images again"],
    ["ci_high", "to", "95 % interval of the mIoU, from drawing the images again"],
    ["fp", "FP", "false positives over the union, mean over the classes without background, in percent"],
    ["fn", "FN", "false negatives over the union, mean over the classes without background, in percent"],
    ["pixel_acc", "acc.", "share of pixels that are right, in percent"],
    ["coverage", "cover", "share of pixels that have a label, in percent"],
    ["precision", "prec.", "share of the labels that are right, in percent"],
  ].map(([name, title, text]) => ({ ...fraction(name, title, text), focus: name === "miou" }));

  const protocol = (row) => [
    labelled(row.recipe, row.random_seed ?? ""),
    ...Object.entries(PROTOCOL)
      .filter(([name]) => row[name] !== undefined)
      .map(([name, title]) => [title, row[name] === "" ? EMPTY[name] || "–" : row[name]]),
  ];

  // The name of a recipe, marked where it learns from more than tags. What weights learnt from the tags of other images, or
  // from no labels, is declared, but it is not more.
  const MORE = "†";
  const WEAK = /^(ImageNet tags|unlabelled .*) weights$/;
  const isMore = (row) => (row.extra_supervision || "").split("; ").some((what) => what && !WEAK.test(what));
  const more = new Set([...summary, ...means].filter(isMore).map((row) => row.recipe));
  const marked = (name) => (more.has(name) ? `${name} ${MORE}` : name);
  const FOOTNOTE = more.size ? ` ${MORE} learns from more than tags.` : "";

  // The highest mIoU at its stage and split, of the recipes that learn from tags alone and of the others.
  function best(rows) {
    const among = (row) => `${row.stage} ${row.split} ${more.has(row.recipe)}`;
    const highest = new Map();
    for (const row of rows) {
      const [place, found] = [among(row), value(row.miou)];
      if (found !== null && !(highest.get(place) >= found)) highest.set(place, found);
    }
    const isBest = (row) => row.miou !== "" && highest.get(among(row)) === value(row.miou);
    return (row, column) => column === "miou" && isBest(row);
  }

  function overview() {
    const rows = several ? means : summary;
    const places = [...report.places(rows)].reverse();
    const names = [...new Set(rows.map((row) => row.recipe))];
    const of = (name, place) => report.at(rows, place).find((row) => row.recipe === name);
    const hundred = (row, column) => (row && row[column] !== "" ? 100 * Number(row[column]) : null);
    const series = names.map((name) => {
      const found = places.map(([place]) => of(name, place));
      const column = (key) => found.map((row) => hundred(row, key));
      const details = found.map((row) => (row ? protocol(row).slice(1) : []));
      const interval = { low: column("ci_low"), high: column("ci_high") };
      return { name: marked(name), colour: report.colour(name), values: column("miou"), ...interval, details };
    });
    return report.plots.bars({
      title: several ? `mIoU, mean over ${about.random_seeds.length} random seeds` : "mIoU",
      description: `Whiskers: 95 % interval. A recipe without a stage has a dash.${FOOTNOTE}`,
      groups: places.map(([, text]) => text),
      series,
      unit: "mIoU (%)",
    });
  }

  // What each recipe gains over the first one.
  function gains() {
    const first = differences[0].other;
    const rows = differences.filter((row) => row.other === first);
    const places = [...report.places(rows)].reverse();
    const series = [...new Set(rows.map((row) => row.recipe))].map((name) => {
      const found = places.map(([place]) => report.at(rows, place).find((row) => row.recipe === name));
      const column = (key) => found.map((row) => (row && row[key] !== "" ? 100 * Number(row[key]) : null));
      const details = found.map((row) => (row ? [["better in", `${row.better} of ${row.n}`]] : []));
      const interval = { low: column("ci_low"), high: column("ci_high") };
      return { name: marked(name), colour: report.colour(name), values: column("difference"), ...interval, details };
    });
    const groups = places.map(([, text]) => text);
    const description = `Whiskers: 95 % interval; where it crosses 0, the difference may be chance.${FOOTNOTE}`;
    return report.plots.bars({ title: `Points of mIoU above ${first}`, description, groups, series, unit: "points" });
  }

  // The rows at the chosen stage and split; both stay in the link.
  function chosen(title, texts, rows, name, columns, state) {
    const place = element("div");
    const usual = rows.length > MANY ? report.places(rows)[0][0] : ""; // the last stage, if all were too many
    const show = () => {
      const wanted = state.get(`${name}_at`) ?? usual;
      const found = wanted ? report.at(rows, wanted) : rows;
      place.replaceChildren(
        report.table({
          label: title,
          columns,
          records: found,
          tip: name === "differences" ? undefined : protocol,
          best: name === "differences" ? undefined : best(rows),
          sort: state.get(name) || "",
          sorted: (sort) => keep(name, sort),
        }),
      );
    };
    const keep = (key, text) => {
      state.set(key, text);
      report.keep(state);
    };
    const places = [["", "all stages"], ...report.places(rows)];
    const pick = report.select("Stage", places, state.get(`${name}_at`) ?? usual, (one) => {
      keep(`${name}_at`, one);
      show();
    });
    show();
    return report.section(title, texts, element("div", { className: "choices" }, pick), place);
  }

  const NAMES = [
    { name: "recipe", title: "recipe", show: marked },
    { name: "stage", title: "stage", show: (text) => text.replaceAll("_", " ") },
    { name: "split", title: "split" },
  ];
  const IMAGES = { name: "images", title: "images" };

  function tableOfMeans(state) {
    const text =
      "Mean over the n random seeds whose runs differ, in percent. The interval comes from drawing images and random " +
      "seeds again.";
    const spread = ["sd", "min", "max"].map((name) => fraction(name, name));
    const columns = [...NAMES, { name: "n", title: "n" }, SCORES[0], ...spread, ...SCORES.slice(1), IMAGES];
    return chosen("Means over random seeds", text, means, "means", columns, state);
  }

  function tableOfRuns(state) {
    const text =
      "In percent. Hover a number, or reach it with the keyboard, to see how it was measured. Bold: the highest mIoU " +
      `of its stage and split${more.size ? `, of the recipes with ${MORE}, which learn from more than tags, and of those without` : ""}.`;
    const seeds = summary.some((row) => row.random_seed !== "") ? [{ name: "random_seed", title: "seed" }] : [];
    const columns = [NAMES[0], ...seeds, ...NAMES.slice(1), ...SCORES, IMAGES];
    return chosen("Summary", text, summary, "summary", columns, state);
  }

  function tableOfDifferences(state) {
    const how = several
      ? ", with the same random seed: mean over n."
      : ". One run each: differences of several points can be rounding alone.";
    const columns = [
      ...NAMES,
      { name: "other", title: "minus" },
      { name: "n", title: "n" },
      fraction("difference", "points"),
      fraction("ci_low", "from", "95 % interval"),
      fraction("ci_high", "to", "95 % interval"),
      { name: "better", title: "better in", about: "in how many of the n runs the recipe is ahead" },
    ];
    const text = `mIoU of a recipe minus that of another, in points${how}`;
    return chosen("Differences", text, differences, "differences", columns, state);
  }

  function tableOfTags() {
    const text =
      "How well each classifier predicts the tags of held-out images, in percent. No ground truth of pixels is used " +
      "for it.";
    const columns = [
      ...["classifier", "split", "images"].map((name) => ({ name, title: name })),
      fraction("f1", "F1"),
      fraction("precision", "precision"),
      fraction("recall", "recall"),
      fraction("macro_f1", "mean F1 of the classes"),
    ];
    return report.section("Tags", text, report.table({ label: "Tags", columns, records: tags }));
  }

  function show(panel, state) {
    if (summary.length) panel.append(overview());
    if (several && means.length) panel.append(tableOfMeans(state));
    if (summary.length) panel.append(tableOfRuns(state));
    if (differences.length) panel.append(gains(), tableOfDifferences(state));
    if (tags.length) panel.append(tableOfTags());
  }

  report.tabs.push({ name: "scores", title: "Scores", show });
})();
