// What all parts of the page share: tabs, links, elements, tips. Names come from users: text is only ever set as text.
"use strict";

window.report = window.report || {};

(() => {
  // A part of the page: {name, title, show(element, state)}, with count (a number beside the title, if it is not 0) if it likes.
  // `show` fills the element, which is empty, when the tab is opened or its link is followed.
  report.tabs = [];

  // The hash that opens a tab in a state: link("gallery", {image: "a"}) is "#gallery?image=a".
  report.link = (name, params = {}) => {
    const text = new URLSearchParams(params).toString();
    return `#${encodeURIComponent(name)}${text ? `?${text}` : ""}`;
  };

  // Remember the state of the open tab in the location, without an entry in the history and without showing it again.
  report.keep = (params) => {
    const name = report.place()[0] || report.tabs[0].name;
    history.replaceState(null, "", report.link(name, params));
  };

  // The open tab's name, and its state.
  report.place = () => {
    const [name, params = ""] = location.hash.slice(1).split(/\?(.*)/s);
    try {
      return [decodeURIComponent(name), new URLSearchParams(params)];
    } catch {
      return ["", new URLSearchParams()]; // a hash that somebody mistyped names no tab
    }
  };

  // An element with properties, attributes (names with `-`, and role) and children; texts among them stay texts.
  report.element = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (key.includes("-") || key === "role" || key === "scope") made.setAttribute(key, value);
      else made[key] = value;
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };

  // A choice from a list, with its label: options are texts, or pairs of value and text; `chosen(value)` is called.
  report.select = (label, options, value, chosen) => {
    const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
    const choices = pairs.map(([key, text]) => report.element("option", { value: key }, text));
    const list = report.element("select", {}, ...choices);
    list.value = pairs.some(([key]) => String(key) === String(value)) ? value : pairs[0]?.[0];
    list.addEventListener("change", () => chosen(list.value));
    return report.element("label", { className: "choice" }, report.element("span", {}, label), list);
  };

  // A text that may be broken after the signs that join the parts of a folder's name.
  report.breakable = (text) => {
    const parts = text.split(/(?<=[/~+_])/);
    return parts.flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part]));
  };

  // The rows of a table as objects; all values are texts.
  report.records = (table) =>
    table ? table.rows.map((row) => Object.fromEntries(table.columns.map((name, index) => [name, row[index]]))) : [];

  // The number in a field of a table, null if it is empty.
  report.value = (text) => (text === "" || text === null || text === undefined ? null : Number(text));

  // A fraction in percent, a dash for a missing one; what rounds to 0 has no sign.
  report.percent = (value, digits = 1) =>
    value === null || value === "" ? "–" : (100 * Number(value)).toFixed(digits).replace(/^-(0(\.0*)?)$/, "$1");

  // What the rows of a recipe, of one random seed if there are any, are called.
  report.labelled = (recipe, seed) => (seed === "" || seed === null ? recipe : `${recipe}, random seed ${seed}`);

  // One tip for the whole page: lines are texts, or pairs of name and value.
  const box = report.element("div", { id: "tip", role: "tooltip", hidden: true });
  let owner = null; // what the tip is of

  report.hideTip = () => {
    box.hidden = true;
    owner = null;
  };

  report.showTip = (lines, around, target = null) => {
    owner = target;
    if (!box.isConnected) document.body.append(box);
    const line = (one) =>
      Array.isArray(one)
        ? report.element("div", {}, report.element("span", {}, `${one[0]}: `), one[1])
        : report.element("div", { className: "head" }, one);
    box.replaceChildren(...lines.map(line));
    box.hidden = false;
    place(around);
  };

  // Below what it is of, or above where it would not fit.
  function place(around) {
    const { width, height } = box.getBoundingClientRect();
    const view = document.documentElement;
    const left = Math.min(Math.max(8, around.left), view.clientWidth - width - 8);
    const below = around.bottom + 8;
    box.style.left = `${Math.max(8, left)}px`;
    box.style.top = `${below + height > view.clientHeight ? Math.max(8, around.top - height - 8) : below}px`;
  }

  // Show a tip on hover, on focus and on a tap; `lines()` gives its content.
  report.tip = (target, lines) => {
    const show = () => report.showTip(lines(), target.getBoundingClientRect(), target);
    target.addEventListener("pointerenter", show);
    target.addEventListener("focus", show);
    target.addEventListener("click", show);
    target.addEventListener("pointerleave", report.hideTip);
    target.addEventListener("blur", report.hideTip);
  };

  addEventListener("keydown", (event) => {
    if (event.key === "Escape") report.hideTip();
  });

  // Moving the focus scrolls: the tip goes with what it is of, as long as that has the focus or the pointer.
  function scrolled() {
    if (owner && (owner === document.activeElement || owner.matches(":hover"))) place(owner.getBoundingClientRect());
    else report.hideTip();
  }
  addEventListener("scroll", scrolled, { capture: true, passive: true });

  // Colours that differ from paper by 3:1 at least; a recipe has the same one everywhere.
  report.colours = ["#0067a5", "#c2410c", "#15803d", "#7e3fb0", "#8a6100", "#c01865", "#0e7490", "#4b5563"];
  report.colours.push("#6b8000", "#111111", "#a3592b", "#3f51d8");
  const order = new Map();
  report.colour = (name) => {
    if (!order.size && report.numbers) report.numbers.about.recipes.forEach((one) => order.set(one.recipe, order.size));
    if (!order.has(name)) order.set(name, order.size);
    return report.colours[order.get(name) % report.colours.length];
  };
})();
