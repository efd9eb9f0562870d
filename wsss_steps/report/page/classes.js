// The tab of the classes: IoU per class and by object size, confusion matrices.
"use strict";

(() => {
  const { element, records, value, labelled } = report;
  const { tables, confusions, about } = report.numbers;
  const [perClass, bySize] = [records(tables.per_class), records(tables.by_size)];
  if (!perClass.length) return;
  const several = about.random_seeds.length > 1;
  const SPREAD = several ? " Whiskers: deviation over random seeds." : "";
  const OF_SIZE =
    "Size: share of the image's pixels. What is taken for a class in images that do not show it is not counted, " +
    "so this is higher than the IoU per class.";
  const percent = (text) => (text === "" ? null : 100 * Number(text));

  // Bars of a table with a column `iou`: groups by what `group(row)` says, in the order of the rows.
  function plot(rows, group, title, description) {
    const groups = [...new Set(rows.map(group))];
    const series = [...new Set(rows.map((row) => row.recipe))].map((name) => {
      const mine = groups.map((one) => rows.find((row) => row.recipe === name && group(row) === one));
      const values = mine.map((row) => (row ? percent(row.iou) : null));
      const within = (iou) => Math.min(100, Math.max(0, iou));
      const end = (row, at, sign) => (row && row.sd !== "" ? within(values[at] + sign * percent(row.sd)) : null);
      const around = (sign) => mine.map((row, at) => end(row, at, sign));
      const whiskers = several ? { low: around(-1), high: around(1) } : {};
      return { name, colour: report.colour(name), values, ...whiskers };
    });
    return report.plots.bars({ title, description, groups, series, unit: "IoU (%)", interval: "deviation" });
  }

  const share = (fraction) => `${Number((100 * value(fraction)).toPrecision(2))} %`;
  const ofClass = (row) => `${row.class} (${share(row.share)})`;
  const ofSize = (row) => `${share(row.from)} to ${share(row.to)} (${row.objects} objects)`;

  function confusion(place) {
    const rows = report.at(about.rows, place);
    const name = (row) => labelled(row.recipe, row.random_seed);
    const drawing = element("div");
    const show = (wanted) => {
      const row = rows.find((one) => name(one) === wanted) || rows[0];
      const { classes, pixels } = confusions[row.score];
      const empty = pixels.every((line) => line[line.length - 1] === 0);
      drawing.replaceChildren(
        report.plots.heat({
          title: `Confusion matrix: ${name(row)}`,
          description: "Sum over all images.",
          rows: classes,
          columns: empty ? classes : [...classes, "no label"],
          counts: empty ? pixels.map((line) => line.slice(0, -1)) : pixels,
          truth: "ground truth",
          predicted: "prediction",
        }),
      );
    };
    show("");
    const pick = report.select("Recipe", rows.map(name), name(rows[0]), show);
    return element("div", {}, element("div", { className: "choices" }, pick), drawing);
  }

  function show(panel, state) {
    const places = report.places(perClass);
    const content = element("div");
    const fill = (place) => {
      const [classes, sizes] = [perClass, bySize].map((rows) => report.at(rows, place));
      content.replaceChildren(
        plot(classes, ofClass, "IoU per class", `In brackets: share of the ground truth's pixels.${SPREAD}`),
        plot(sizes, ofSize, "IoU by object size", `${OF_SIZE}${SPREAD}`),
        confusion(place),
      );
    };
    const wanted = places.some(([place]) => place === state.get("at")) ? state.get("at") : places[0][0];
    const pick = report.select("Stage", places, wanted, (place) => {
      report.keep({ at: place });
      fill(place);
    });
    panel.append(element("div", { className: "choices" }, pick), content);
    fill(wanted);
  }

  report.tabs.push({ name: "classes", title: "Classes", show });
})();
