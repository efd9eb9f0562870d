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
    crf: "dense CRF",
    scales: "scales",
    extra_supervision: "more than tags",
    left_out: "images left out",
  };
  const EMPTY = { threshold: "none", extra_supervision: "nothing", scales: "none", init_weights: "none", compute_precision: "–" };
  const SCORES = [
    ["miou", "mIoU", "mean IoU over the classes, background among them, in percent"],
    ["ci_low", "from", "95 % interval of the mIoU, from drawing the images again"],
    ["ci_high", "to", "95 % interval of the mIoU, from drawing the images again"],
    ["fp", "FP", "false positives over the union, mean over the classes without background, in percent"],
    ["fn", "FN", "false negatives over the union, mean over the classes without background, in percent"],
    ["pixel_acc", "acc.", "share of pixels that are right, in percent"],
    ["coverage", "cover", "share of pixels that have a label, in percent"],
    ["precision", "prec.", "share of the labels that are right, in percent"],
  ].map(([name, title, text]) => ({ name, title, about: text, show: (fraction) => percent(fraction) }));

  const protocol = (row) => [
    labelled(row.recipe, row.random_seed ?? ""),
    ...Object.entries(PROTOCOL)
      .filter(([name]) => row[name] !== undefined)
      .map(([name, title]) => [title, row[name] === "" ? EMPTY[name] || "–" : row[name]]),
  ];

  // The highest mIoU at its stage and split.
  function best(rows) {
    const highest = new Map();
    for (const row of rows) {
      const [place, found] = [`${row.stage} ${row.split}`, value(row.miou)];
      if (found !== null && !(highest.get(place) >= found)) highest.set(place, found);
    }
    return (row, column) => column === "miou" && row.miou !== "" && highest.get(`${row.stage} ${row.split}`) === value(row.miou);
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
      return { name, colour: report.colour(name), values: column("miou"), low: column("ci_low"), high: column("ci_high"), details };
    });
    return report.plots.bars({
      title: several ? `mIoU, mean over ${about.random_seeds.length} random seeds` : "mIoU",
      description: "Whiskers: 95 % interval. A recipe without a stage has a dash.",
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
      return { name, colour: report.colour(name), values: column("difference"), low: column("ci_low"), high: column("ci_high"), details };
    });
    const groups = places.map(([, text]) => text);
    const description = "Whiskers: 95 % interval; where it crosses 0, the difference may be chance.";
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
    const pick = report.select("Stage", [["", "all stages"], ...report.places(rows)], state.get(`${name}_at`) ?? usual, (one) => {
      keep(`${name}_at`, one);
      show();
    });
    show();
    return report.section(title, texts, element("div", { className: "choices" }, pick), place);
  }

  const NAMES = ["recipe", "stage", "split"].map((name) => ({ name, title: name, show: (text) => text.replaceAll("_", name === "stage" ? " " : "_") }));
  const spread = ["sd", "min", "max"].map((name) => ({ name, title: name, show: (fraction) => percent(fraction) }));
  const images = { name: "images", title: "images" };

  function show(panel, state) {
    if (summary.length) panel.append(overview());
    if (several && means.length) {
      const text = "Mean over the n random seeds whose runs differ, in percent. The interval comes from drawing images and random seeds again.";
      const columns = [...NAMES, { name: "n", title: "n" }, SCORES[0], ...spread, ...SCORES.slice(1), images];
      panel.append(chosen("Means over random seeds", text, means, "means", columns, state));
    }
    if (summary.length) {
      const seeds = summary.some((row) => row.random_seed !== "") ? [{ name: "random_seed", title: "seed" }] : [];
      const text = "In percent. Hover a number, or reach it with the keyboard, to see how it was measured. Bold: the highest mIoU of its stage and split.";
      const columns = [NAMES[0], ...seeds, ...NAMES.slice(1), ...SCORES, images];
      panel.append(chosen("Summary", text, summary, "summary", columns, state));
    }
    if (differences.length) {
      const text = `mIoU of a recipe minus that of another, in points${several ? ", with the same random seed: mean over n" : ". One run each: differences of several points can be rounding alone"}.`;
      const points = (fraction) => percent(fraction);
      const columns = [
        ...NAMES,
        { name: "other", title: "minus" },
        { name: "n", title: "n" },
        { name: "difference", title: "points", show: points },
        { name: "ci_low", title: "from", about: "95 % interval", show: points },
        { name: "ci_high", title: "to", about: "95 % interval", show: points },
        { name: "better", title: "better in", about: "in how many of the n runs the recipe is ahead" },
      ];
      panel.append(gains(), chosen("Differences", text, differences, "differences", columns, state));
    }
    if (tags.length) {
      const columns = ["classifier", "split", "images", "f1", "precision", "recall", "macro_f1"].map((name) => ({
        name,
        title: { f1: "F1", macro_f1: "mean F1 of the classes" }[name] || name,
        show: ["classifier", "split", "images"].includes(name) ? undefined : (fraction) => percent(fraction ?? ""),
      }));
      const text = "How well each classifier predicts the tags of held-out images, in percent. No ground truth of pixels is used for it.";
      panel.append(report.section("Tags", text, report.table({ label: "Tags", columns, records: tags })));
    }
  }

  report.tabs.push({ name: "scores", title: "Scores", show });
})();
