// The frame of the page: what it is about, and its tabs. Loaded last, when every tab is registered.
"use strict";

(() => {
  const { element } = report;
  const { about, splits } = report.numbers;
  const top = document.getElementById("top");
  const nav = document.getElementById("tabs");
  const panel = document.getElementById("panel");

  function header() {
    const recipes = about.recipes.map((one) => one.recipe);
    const images = splits.map((one) => `${one.split} ${one.images}`).join(", ");
    top.append(
      element("h1", {}, about.name),
      element("p", {}, `${recipes.length} recipes: ${recipes.join(", ")}. Images: ${images}.`),
      element("p", {}, `Classes: ${splits[0].classes.join(", ")}.`),
    );
    if (!about.masks) top.append(element("p", { className: "note" }, "There is no ground truth, so there are no scores."));
  }

  function tab(one) {
    const link = element("a", { href: report.link(one.name) }, one.title);
    if (one.count !== undefined) link.append(" ", element("span", { className: "count" }, String(one.count)));
    return link;
  }

  function show() {
    const [name, state] = report.place();
    const open = report.tabs.find((one) => one.name === name) || report.tabs[0];
    [...nav.children].forEach((link, index) => {
      if (report.tabs[index] === open) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    panel.replaceChildren();
    if (open) open.show(panel, name === open.name ? state : new URLSearchParams());
  }

  header();
  nav.append(...report.tabs.map(tab));
  addEventListener("hashchange", show);
  show();
})();
