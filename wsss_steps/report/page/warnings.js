// The tab of warnings: what `find_warnings` found without ground truth.
"use strict";

(() => {
  const { element } = report;
  const found = report.numbers.warnings;
  if (!found) return;

  function images(row) {
    const list = element("span", { className: "images" });
    for (const id of row.images || []) {
      list.append(element("a", { href: report.link("gallery", { image: id, recipe: row.recipe ?? "" }) }, id), " ");
    }
    return list;
  }

  function show(panel) {
    const columns = [
      { name: "recipe", title: "recipe", show: (text) => text || "all" },
      { name: "about", title: "about" },
      { name: "text", title: "warning" },
      { name: "value", title: "value" },
      { name: "limit", title: "limit" },
      { name: "images", title: "images", show: (_, row) => images(row) },
    ];
    const text = found.warnings.length ? "Found without ground truth: each value is beyond its limit. They are signs, not proofs." : "Nothing is beyond its limits.";
    panel.append(report.section("Warnings", text, ...(found.warnings.length ? [report.table({ label: "Warnings", columns, records: found.warnings })] : [])));
    for (const [recipe, about] of Object.entries(found.recipes || {})) {
      if (!about.classes?.length) continue;
      const names = Object.keys(about.classes[0]);
      const share = (value) => (typeof value === "number" && !Number.isInteger(value) ? value.toFixed(3) : String(value ?? "–"));
      const table = report.table({
        label: `Classes of ${recipe}`,
        columns: names.map((name) => ({ name, title: name.replaceAll("_", " "), show: share })),
        records: about.classes,
      });
      panel.append(report.section(recipe, [], table));
    }
    const limits = Object.entries(found.limits || {}).map(([name, value]) => `${name.replaceAll("_", " ")} ${JSON.stringify(value)}`);
    if (limits.length) panel.append(report.section("Limits", limits.join("; ")));
  }

  report.tabs.push({ name: "warnings", title: "Warnings", count: found.warnings.length, show });
})();
