// The frame of the page: what it is about, and its tabs. Loaded last, when every tab is registered.
"use strict";

(() => {
  const { element } = report;
  const { about, splits, tables } = report.numbers;
  const top = document.getElementById("top");
  const nav = document.getElementById("tabs");
  const panel = document.getElementById("panel");
  const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

  function imagesOf(one) {
    const scored = report.records(tables.summary).find((row) => row.split === one.split);
    const unscored = about.unscored.includes(one.split) || !about.masks;
    return `${one.split} ${one.images}${unscored ? "" : ` (${scored ? scored.images : 0} with ground truth)`}`;
  }

  function howToRead() {
    if (!about.masks) {
      return "This run has no ground truth, so there are no scores: look at the pictures, and at what the warnings say.";
    }
    return (
      "Scores compare each stage with the ground truth, train before held-out splits: maps, seeds, pseudo-labels, " +
      "then what the trained network segments."
    );
  }

  function recipes() {
    const names = [...new Set(about.recipes.flatMap((one) => Object.keys(one)))];
    const columns = names.map((name) => ({ name, title: name, show: (text) => text || "none" }));
    const table = report.table({ label: "Recipes", columns, records: about.recipes });
    const listed = about.recipes.map((one) => one.recipe).join(", ");
    return element("details", {}, element("summary", {}, `${plural(about.recipes.length, "recipe")}: ${listed}`), table);
  }

  // In how many images of each split a class is.
  function numberOfImages(classes) {
    const columns = [" class", ...splits.map((one) => one.split)].map((name) => ({ name, title: name.trim() }));
    const count = (one, at) => (about.unscored.includes(one.split) ? "–" : String(one.tagged[at]));
    const row = (name, at) => [[" class", name], ...splits.map((one) => [one.split, count(one, at)])];
    const records = classes.map((name, at) => Object.fromEntries(row(name, at)));
    return report.table({ label: "Images that show each class", columns, records });
  }

  function header() {
    const classes = splits[0].classes;
    const facts = [
      ...(about.name === about.dataset ? [] : [["Data set", about.dataset]]),
      ["Images", splits.map(imagesOf).join(", ")],
      ...(about.random_seeds.length ? [["Random seeds", about.random_seeds.join(", ")]] : []),
    ];
    const fact = ([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, text));
    const list = element("dl", {}, ...facts.map(fact));
    const named = [plural(classes.length, "class", "classes"), classes.join(", ")];
    const tagged = element("details", {}, element("summary", {}, named.join(": ")), numberOfImages(classes));
    top.append(element("h1", {}, about.name), list, recipes(), tagged, element("p", { className: "note" }, howToRead()));
  }

  function tab(one) {
    const link = element("a", { href: report.link(one.name) }, one.title);
    if (one.count) link.append(" ", element("span", { className: "count" }, String(one.count)));
    return link;
  }

  // What a page without an address opens at: without scores, the pictures.
  function first() {
    const pictures = report.tabs.find((one) => one.name === "gallery");
    return (!about.masks && pictures) || report.tabs[0];
  }

  function show() {
    const [name, state] = report.place();
    const open = report.tabs.find((one) => one.name === name) || first();
    [...nav.children].forEach((link, index) => {
      if (report.tabs[index] === open) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    report.hideTip();
    panel.replaceChildren();
    if (open) open.show(panel, name === open.name ? state : new URLSearchParams());
    else panel.append(element("p", {}, "There is nothing to show yet."));
  }

  header();
  nav.append(...report.tabs.map(tab));
  addEventListener("hashchange", show);
  show();
})();
