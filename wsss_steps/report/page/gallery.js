// The gallery: choose an image among those that pass the filters, and compare the recipes. Its data: pictures/data.js.
"use strict";

(() => {
  const { element } = report;
  const data = report.gallery;
  if (!data) return;
  const order = report.galleryOrder(data);
  const states = report.galleryStates(data, order.measures);
  const pictures = report.galleryBoard(data, (what) => large.open(what, current()));
  const large = report.galleryLarge(data, pictures);

  let state, root, found, page, keeping;
  const parts = {};

  // ---- the state, which the location keeps

  function keep() { // a little later, since browsers allow but so many changes of the location while a key is held
    clearTimeout(keeping);
    keeping = setTimeout(() => root.isConnected && report.keep(states.params(state)), 100);
  }

  const place = () => found.findIndex(({ image }) => image.id === state.image);
  const current = () => found[place()]?.image || null;
  const recipes = () => data.recipes.filter((name) => !state.without.has(name));

  // ---- what is shown

  function refresh(first = true) { // after a change of order or filters: whoever sorts wants to see the first
    found = order.list(state);
    if (first || place() < 0) state.image = found[0]?.image.id ?? null;
    page = null;
    showStrip();
    showImage();
    keep();
  }

  function value(number) {
    return number === null || number === undefined ? "–" : (100 * number).toFixed(1);
  }

  function perPage() {
    const across = getComputedStyle(parts.strip).gridTemplateColumns.split(" ").length;
    return across < 6 ? 2 * across : across;
  }

  function showStrip() {
    const count = perPage();
    if (page === null) page = Math.max(0, Math.floor(place() / count));
    const begin = page * count;
    const shown = found.slice(begin, begin + count);
    parts.strip.replaceChildren(...shown.map(thumbnail));
    parts.before.disabled = page === 0;
    parts.after.disabled = begin + count >= found.length;
    const what = state.measure ? ` of ${state.measure.split}, by ${measured()}, ${state.ascending ? "lowest" : "highest"} first` : "";
    parts.count.textContent = found.length ? `${begin + 1} to ${begin + shown.length} of ${found.length} images${what}` : "No image passes the filters.";
  }

  function measured() {
    const label = state.label !== null && state.measure.key.startsWith("iou/") ? ` of ${data.classes[state.label - 1]}` : "";
    const kind = state.measure.key.startsWith("iou/") ? "IoU" : state.measure.group;
    return `${kind}${label}, in percent`;
  }

  function thumbnail({ image, value: number }) {
    const made = element("button", { type: "button", className: "thumbnail", title: image.id, "data-id": image.id },
      pictures.picture(pictures.photograph(image), image.id, false), element("span", {}, image.id), state.measure ? element("b", {}, value(number)) : "");
    if (image.id === state.image) made.setAttribute("aria-current", "true");
    made.addEventListener("click", () => go(image.id));
    return made;
  }

  function showImage() {
    const image = current();
    parts.previous.disabled = place() <= 0;
    parts.next.disabled = place() < 0 || place() >= found.length - 1;
    if (!image) {
      parts.title.replaceChildren();
      parts.board.replaceChildren();
      return;
    }
    const tags = image.tags.length ? ["tags: ", ...image.tags.map(pictures.named)] : ["no tag"];
    const number = state.measure ? `${measured()}: ${value(state.measure.of(image, state.label))}` : "";
    parts.title.replaceChildren(element("h2", {}, image.id), element("span", {}, `${place() + 1} of ${found.length}, ${image.split}`), element("span", {}, ...tags), element("b", {}, number));
    showToggles(image.split);
    parts.board.replaceChildren(pictures.board(image, (title) => !state.hidden.has(title), recipes()));
    large.follow(image);
  }

  function showOverlays() {
    root.style.setProperty("--fade", state.opacity / 100);
    root.classList.toggle("plain", !state.outlines);
    parts.opacity.value = state.opacity;
    parts.outlines.checked = state.outlines;
  }

  // ---- moving

  function go(id) {
    state.image = id;
    page = null;
    showStrip();
    showImage();
    keep();
  }

  function step(by) {
    const next = found[place() + by];
    if (next) go(next.image.id);
  }

  function turn(by) {
    const last = Math.ceil(found.length / perPage()) - 1;
    page = Math.min(Math.max(page + by, 0), Math.max(last, 0));
    showStrip();
  }

  function toggle(set, name) {
    if (!set.delete(name)) set.add(name);
    showImage();
    keep();
  }

  function fade(opacity) {
    state.opacity = Math.min(Math.max(opacity, 0), 100);
    showOverlays();
    keep();
  }

  // ---- controls

  function button(text, label, act) {
    const made = element("button", { type: "button", "aria-label": label, title: label }, text);
    made.addEventListener("click", act);
    return made;
  }

  function sorting() {
    const list = element("select", {}, element("option", { value: "" }, "order of the list"));
    for (const group of new Set(order.measures.map((one) => one.group))) {
      const options = order.measures.filter((one) => one.group === group);
      list.append(element("optgroup", { label: group }, ...options.map((one) => element("option", { value: one.key }, `${one.short} · ${one.title} (${one.split})`))));
    }
    list.value = state.measure?.key ?? "";
    list.addEventListener("change", () => {
      state.measure = order.measures.find((one) => one.key === list.value) || null;
      state.ascending = state.measure?.ascending ?? true;
      parts.direction.value = state.ascending ? "1" : "0";
      if (state.split && state.measure) parts.split.value = state.split = state.measure.split;
      refresh();
    });
    parts.sort = list;
    return element("label", { className: "choice" }, element("span", {}, "Sort by"), list);
  }

  function chooseSplit(chosen) { // a measure is of one split
    state.split = chosen;
    if (chosen && state.measure && state.measure.split !== chosen) {
      state.measure = null;
      parts.sort.value = "";
    }
    refresh();
  }

  function controls() {
    const counts = data.classes.map((_, index) => data.images.filter((image) => order.shows(image, index + 1)).length);
    const classes = [["", "any"], ...data.classes.map((name, index) => [String(index + 1), `${name} (${counts[index]})`])];
    const splits = [["", "all"], ...data.splits.map((one) => [one.name, `${one.name} (${one.shown})`])];
    const search = element("input", { type: "search", value: state.text, placeholder: "name or tag" });
    search.addEventListener("input", () => { state.text = search.value; refresh(); });
    const direction = report.select("Order", [["1", "lowest first"], ["0", "highest first"]], state.ascending ? "1" : "0", (chosen) => { state.ascending = chosen === "1"; refresh(); });
    const split = report.select("Split", splits, state.split, chooseSplit);
    Object.assign(parts, { search, direction: direction.querySelector("select"), split: split.querySelector("select") });
    return element("div", { className: "controls" },
      report.select("Class", classes, state.label === null ? "" : String(state.label), (chosen) => { state.label = chosen ? Number(chosen) : null; refresh(); }),
      sorting(), direction,
      data.splits.length > 1 ? split : null,
      element("label", { className: "choice" }, element("span", {}, "Search"), search),
      button("?", "keys", () => parts.help.showModal()));
  }

  function overlays() {
    parts.opacity = element("input", { type: "range", min: 0, max: 100, step: 5 });
    parts.opacity.addEventListener("input", () => fade(Number(parts.opacity.value)));
    parts.outlines = element("input", { type: "checkbox" });
    parts.outlines.addEventListener("change", () => { state.outlines = parts.outlines.checked; showOverlays(); keep(); });
    return element("div", { className: "overlays" }, parts.previous, parts.next,
      element("label", { className: "choice" }, element("span", {}, "Opacity"), parts.opacity),
      element("label", { className: "choice" }, parts.outlines, element("span", {}, "outlines")));
  }

  function showToggles(split) {
    const chip = (text, pressed, act) => {
      const made = element("button", { type: "button", "aria-pressed": String(pressed) }, text);
      made.addEventListener("click", act);
      return made;
    };
    const rows = pictures.rowsOf(split).map((title, index) => chip(`${index < 9 ? `${index + 1} ` : ""}${title}`, !state.hidden.has(title), () => toggle(state.hidden, title)));
    const names = data.recipes.length > 1 ? data.recipes.map((name) => chip(name, !state.without.has(name), () => toggle(state.without, name))) : [];
    parts.toggles.replaceChildren(element("span", {}, "Rows"), ...rows, names.length ? element("span", {}, "Recipes") : "", ...names);
  }

  // ---- keys

  function pressed(event) {
    if (!root?.isConnected || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches?.("input:not([type=checkbox]), select, textarea");
    if (typing && !(event.target.matches("select") && "[]".includes(event.key))) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const acts = {
      ArrowRight: () => step(1), j: () => step(1), ArrowLeft: () => step(-1), k: () => step(-1), "]": () => turn(1), "[": () => turn(-1),
      Home: () => step(-place()), End: () => step(found.length - 1 - place()),
      o: () => { state.outlines = !state.outlines; showOverlays(); keep(); }, "+": () => fade(state.opacity + 10), "-": () => fade(state.opacity - 10),
      "/": () => parts.search.focus(), "?": () => parts.help.open || parts.help.showModal(),
    };
    const image = current();
    const title = image && pictures.rowsOf(image.split)[Number(event.key) - 1];
    const act = acts[event.key] || (title && (() => toggle(state.hidden, title)));
    if (!act) return;
    event.preventDefault();
    act();
  }

  function show(panel, given) {
    state = states.read(given);
    parts.strip = element("div", { className: "strip" });
    parts.before = button("‹", "thumbnails before", () => turn(-1));
    parts.after = button("›", "next thumbnails", () => turn(1));
    parts.count = element("p", { className: "faint", role: "status" });
    parts.previous = button("‹ image", "image before", () => step(-1));
    parts.next = button("image ›", "next image", () => step(1));
    parts.title = element("div", { className: "title" });
    parts.toggles = element("div", { className: "toggles" });
    parts.board = element("div", { className: "scroll", role: "region", "aria-label": "Layers of the image", tabIndex: 0 });
    parts.help = report.galleryHelp();
    root = element("div", { className: "gallery" }, controls(),
      element("div", { className: "pages" }, parts.before, parts.strip, parts.after), parts.count,
      parts.title, parts.toggles, parts.board, overlays(), pictures.legend(), large.dialog, parts.help);
    panel.append(root);
    showOverlays();
    refresh(false); // a link names its image
  }

  addEventListener("keydown", pressed);
  addEventListener("resize", () => { if (root?.isConnected) { page = null; showStrip(); } });
  report.tabs.push({ name: "gallery", title: "Gallery", show });
})();
