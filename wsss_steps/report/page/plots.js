// What bars, lines and heat maps share: SVG that is drawn again when its width changes, a legend that hides series, and
// the numbers of the plot as a table below it. Values show on hover.
"use strict";

(() => {
  const { element } = report;
  const SPACE = "http://www.w3.org/2000/svg";
  const DASHES = ["", "6 3", "2 3", "8 3 2 3"];
  const CHARACTER = 7.6; // px, about the width of one of the labels'
  let count = 0;

  const svg = (tag, attributes = {}, ...children) => {
    const made = document.createElementNS(SPACE, tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // Round numbers that divide the range from low to high into about `parts`; steps are `least` apart at least.
  function ticks(low, high, parts, least = 0) {
    const rough = Math.max((high - low) / Math.max(1, parts) || 1, least);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => power * factor >= rough * 0.999);
    const found = [];
    for (let number = Math.ceil(low / step - 1e-9); number * step <= high + step * 1e-9; number += 1) {
      found.push(Number((number * step).toPrecision(12)));
    }
    return found;
  }

  const shown = (value) => (value === null ? "–" : String(Number(value.toPrecision(4))));

  // The end of a text that is longer than so many pixels is cut off; the tip has all of it.
  const cut = (text, width) => {
    const most = Math.max(3, Math.floor(width / CHARACTER));
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  };

  // A figure: caption, legend, drawing, numbers. draw(drawing, width, visible) gives the height in px; `series` has
  // {name, colour, dash} of the legend, series of one `group` share an entry; `numbers` {columns, rows} is the table.
  function figure({ title, description, series = [], numbers, draw }) {
    count += 1;
    const hidden = new Set();
    const about = element("p", { id: `about-${count}`, className: "about" }, description);
    const caption = element("figcaption", { id: `caption-${count}` }, title);
    const named = { role: "img", "aria-labelledby": caption.id, "aria-describedby": about.id };
    const drawing = svg("svg", named);
    const place = element("div", { className: "drawing" }, drawing);
    let width = 0;
    const redraw = () => {
      if (!width) return;
      drawing.replaceChildren();
      const height = draw(drawing, width, (one) => !hidden.has(entry(one)));
      drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
      drawing.setAttribute("height", height);
    };
    new ResizeObserver(([change]) => {
      if (Math.round(change.contentRect.width) === width) return;
      width = Math.round(change.contentRect.width);
      redraw();
    }).observe(place);
    const toggle = ([name, one]) => {
      const button = element("button", { type: "button", "aria-pressed": "true" }, swatch(one), name);
      button.addEventListener("click", () => {
        if (hidden.has(name)) hidden.delete(name);
        else hidden.add(name);
        button.setAttribute("aria-pressed", String(!hidden.has(name)));
        redraw();
      });
      return button;
    };
    const legend = element("div", { className: "legend", role: "group", "aria-label": "Shown in the plot" });
    const entries = new Map([...series].reverse().map((one) => [entry(one), one]));
    legend.append(...[...entries].reverse().map(toggle));
    return element("figure", {}, caption, about, entries.size > 1 ? legend : null, place, details(numbers));
  }

  const entry = (one) => one.group ?? one.name;

  function swatch({ colour, dash = 0, bar }) {
    const mark = svg("svg", { width: 22, height: 12, "aria-hidden": "true" });
    const stroke = { stroke: colour, "stroke-width": 3, "stroke-dasharray": DASHES[dash % 4] };
    const line = () => svg("line", { x1: 1, x2: 21, y1: 6, y2: 6, ...stroke });
    mark.append(bar ? svg("rect", { x: 5, width: 12, height: 12, fill: colour }) : line());
    return mark;
  }

  // The numbers of a plot as a table, made when it is opened.
  function details(numbers) {
    const made = element("details", {}, element("summary", {}, "Numbers"));
    made.addEventListener("toggle", () => {
      if (made.children.length > 1) return;
      const columns = numbers.columns.map((name, index) => ({ name: String(index), title: name }));
      const records = numbers.rows.map((row) => Object.fromEntries(row.map((value, index) => [String(index), value])));
      made.append(report.table({ label: "Numbers of the plot", columns, records }));
    });
    return made;
  }

  const label = (text, x, y, anchor = "start", kind = "") =>
    svg("text", { x, y, "text-anchor": anchor, class: kind }, text);

  report.plots = { figure, svg, label, cut, ticks, shown, DASHES, CHARACTER };
})();
