// The tab of warnings, and what each recipe's labels show without ground truth: `warnings.json` of `find_warnings`.
"use strict";

(() => {
  const { element } = report;
  const found = report.numbers.warnings;
  if (!found) return;
  const WORDS = {
    pixels: ["pixels", "share of all pixels that the class covers, in percent"],
    tagged: ["tagged", "images tagged with the class"],
    pixels_where_tagged: ["of tagged", "share of the pixels of the images tagged with the class that it covers, in percent"],
    missing: ["missing", "share of the images tagged with the class whose label has no pixel of it, in percent"],
    untagged: ["elsewhere", "share of the class's pixels that lie in images that are not tagged so, in percent"],
  };
  const OF_ALL = { background: "background", unlabelled: "unlabelled", empty: "images without any class" };
  const percent = (value) => (typeof value === "number" ? `${report.percent(value)} %` : "–");
  const COUNTS = ["class", "tagged", "images", "support"]; // all others are fractions

  function images(row) {
    const list = element("span", { className: "images" });
    const link = (id) => element("a", { href: report.link("gallery", { image: id }) }, id);
    for (const id of row.images || []) list.append(link(id), " ");
    return list;
  }

  function warned() {
    const columns = [
      { name: "about", title: "about" },
      { name: "text", title: "warning", long: true },
      { name: "value", title: "value", show: (value) => String(Number(Number(value).toPrecision(3))) },
      { name: "limit", title: "limit" },
      { name: "recipe", title: "recipes", long: true, show: (text) => text || "all" },
      { name: "images", title: "images", long: true, show: (_, row) => images(row) },
    ];
    if (!found.warnings.length) return report.section("Warnings", "Nothing is beyond its limit.");
    const text =
      "Found without ground truth: each value is beyond its limit. They are signs, not proofs: look at the images.";
    return report.section("Warnings", text, report.table({ label: "Warnings", columns, records: found.warnings }));
  }

  // The numbers of label maps, or of tags: a table with a row for each class.
  function perClass(title, text, rows) {
    if (!rows?.length) return null;
    const columns = Object.keys(rows[0]).map((name) => {
      const [words, about] = WORDS[name] || [name.replaceAll("_", " "), ""];
      return { name, title: words, about, show: COUNTS.includes(name) ? undefined : (value) => report.percent(value) };
    });
    const table = report.table({ label: title, columns, records: rows });
    return element("section", {}, element("h3", {}, title), text ? element("p", {}, text) : null, table);
  }

  function ofLabels(about, name) {
    if (!about?.classes?.length) return null;
    const parts = Object.entries(OF_ALL).filter(([key]) => about[key] !== undefined && about[key] !== null);
    const text = parts.map(([key, words]) => `${words} ${percent(about[key])}`).join(", ");
    return perClass(about.what || name, `${text}. Below in percent, but for the number of tagged images.`, about.classes);
  }

  function ofRecipe(name) {
    const about = found.recipes[name];
    const seeds = about.seeds && about.seeds.what !== about.what ? ofLabels(about.seeds, "seeds") : null;
    const predicted = Object.entries(about.predictions || {});
    const predictions = predicted.map(([split, one]) => ofLabels(one, `predictions of ${split}`));
    const ofTags = (one) => perClass(`predicted tags of ${one.split}`, `F1 ${percent(one.f1)}`, one.per_class);
    const tags = (about.tags || []).map(ofTags);
    return [ofLabels(about, "labels"), seeds, ...predictions, ...tags].filter(Boolean);
  }

  function show(panel, state) {
    panel.append(warned());
    const names = Object.keys(found.recipes || {});
    const place = element("div");
    const fill = (name) => place.replaceChildren(...ofRecipe(name));
    if (names.length) {
      const wanted = names.includes(state.get("recipe")) ? state.get("recipe") : names[0];
      const pick = report.select("Recipe", names, wanted, (name) => {
        report.keep({ recipe: name });
        fill(name);
      });
      panel.append(report.section("What the labels show", [], element("div", { className: "choices" }, pick), place));
      fill(wanted);
    }
    const named = Object.entries(found.limits || {});
    const records = named.map(([limit, value]) => ({ limit: limit.replaceAll("_", " "), value }));
    const columns = ["limit", "value"].map((name) => ({ name, title: name }));
    const table = report.table({ label: "Limits", columns, records });
    if (records.length) panel.append(report.section("Limits", "They are settings of find_warnings.", table));
  }

  report.tabs.push({ name: "warnings", title: "Warnings", count: found.warnings.length, show });
})();
