// The tab of the superpixels: measures against the ground truth over their number.
"use strict";

(() => {
  const { records, value, percent } = report;
  const { tables, about } = report.numbers;
  const rows = records(tables.superpixels);
  if (!rows.length) return;
  const MEASURES = {
    ue: ["undersegmentation error", "lower is better"],
    asa: ["achievable accuracy", "higher is better"],
    br: ["boundary recall", "higher is better"],
    bp: ["boundary precision", "higher is better"],
  };
  const curveOf = Object.fromEntries(about.superpixels.map((one) => [one.superpixels, one.curve]));

  function plot(measure) {
    const [words, better] = MEASURES[measure];
    const curves = [...new Set(rows.map((row) => curveOf[row.superpixels]))];
    const series = curves.map((name, number) => {
      const mine = rows.filter((row) => curveOf[row.superpixels] === name && row[measure] !== "");
      const points = mine.map((row) => [value(row.per_image), 100 * value(row[measure]), row.superpixels]);
      points.sort((one, other) => one[0] - other[0]);
      const colour = report.colours[number % report.colours.length];
      return { name, colour, points, details: (point) => [["choice", point[2]]] };
    });
    const title = `${words[0].toUpperCase()}${words.slice(1)} (${measure.toUpperCase()})`;
    return report.plots.lines({
      title,
      description: `Mean over the images; ${better}. A line joins choices that differ in one number alone.`,
      x: { label: "superpixels per image" },
      y: { label: `${measure.toUpperCase()} (%)` },
      series: series.filter((one) => one.points.length),
    });
  }

  function show(panel) {
    const measured = Object.keys(MEASURES).filter((one) => rows.some((row) => row[one] !== ""));
    const grid = report.element("div", { className: "grid" }, ...measured.map(plot));
    const columns = tables.superpixels.columns.map((name) => ({
      name,
      title: MEASURES[name] ? name.toUpperCase() : name.replaceAll("_", " "),
      about: MEASURES[name] ? `${MEASURES[name].join(", ")}, in percent` : "",
      show: MEASURES[name] ? (text) => percent(text) : undefined,
    }));
    const table = report.table({ label: "Superpixels", columns, records: rows });
    panel.append(grid, report.section("All choices", "Measures in percent.", table));
  }

  report.tabs.push({ name: "superpixels", title: "Superpixels", show });
})();
