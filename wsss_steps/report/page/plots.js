// Plots as SVG, drawn again when their width changes: bars, lines and heat maps. Values show on hover, and every plot
// has its numbers as a table below it.
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
  // {name, colour, dash} of the legend, series of one `group` share an entry; `numbers` has {columns, rows} of the table.
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
    const line = { x1: 1, x2: 21, y1: 6, y2: 6, stroke: colour, "stroke-width": 3, "stroke-dasharray": DASHES[dash % 4] };
    mark.append(bar ? svg("rect", { x: 5, width: 12, height: 12, fill: colour }) : svg("line", line));
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

  // Horizontal bars in groups: series {name, colour, values, low, high} with a value, or null, for each group.
  function bars({ title, description, groups, series, unit, digits = 1, interval: spreadName = "95 % interval" }) {
    const all = series.flatMap((one) => [...one.values, ...(one.low || []), ...(one.high || [])]);
    const known = all.filter((value) => value !== null && value !== undefined);
    const [from, to] = [Math.min(0, ...known), Math.max(0, ...known) || 1];
    const spread = series.some((one) => one.low);
    const text = (value) => (value === null || value === undefined ? "–" : value.toFixed(digits));
    const rows = groups.flatMap((group, at) =>
      series.map((one) => [group, one.name, one.values[at], ...(spread ? [one.low[at], one.high[at]] : [])].map(
        (value) => (typeof value === "number" ? text(value) : (value ?? "–")),
      )),
    );
    const columns = ["", "", unit, ...(spread ? ["low", "high"] : [])];
    const draw = (drawing, width, visible) => {
      const shownSeries = series.filter(visible);
      const longest = Math.max(...groups.map((group) => group.length)) * CHARACTER + 14;
      const above = width < 560; // names of the groups above their bars, else to the left
      const [left, right] = [above ? 4 : Math.min(longest, width * 0.3), width - 44];
      const scale = (value) => left + ((value - from) / (to - from)) * (right - left);
      const thick = shownSeries.length * groups.length > 150 ? 8 : 13;
      let y = 22;
      const body = svg("g");
      groups.forEach((group, at) => {
        const name = cut(group, above ? right : left - 8);
        if (above) body.append(label(name, 4, y + 12, "start", "name"));
        const begin = y + (above ? 18 : 0);
        if (!above) body.append(label(name, left - 8, begin + (shownSeries.length * (thick + 2)) / 2 + 4, "end", "name"));
        shownSeries.forEach((one, number) => {
          body.append(...bar(one, at, begin + number * (thick + 2), thick, group));
        });
        y = begin + shownSeries.length * (thick + 2) + 12;
      });
      function bar(one, at, top, tall, group) {
        const value = one.values[at];
        if (value === null || value === undefined) return [label("–", scale(Math.max(from, 0)) + 4, top + tall - 2, "start", "value")];
        const [first, last] = [scale(Math.min(0, value)), scale(Math.max(0, value))];
        const interval = spread && one.low[at] !== null && one.low[at] !== undefined;
        const whole = { x: left, y: top - 1, width: right - left, height: tall + 2, fill: "transparent" };
        const target = svg("rect", whole);
        const lines = [group, [one.name, `${text(value)} ${unit}`]];
        if (interval) lines.push([spreadName, `${text(one.low[at])} to ${text(one.high[at])}`]);
        report.tip(target, () => [...lines, ...(one.details?.[at] || [])]);
        const marks = [svg("rect", { x: first, y: top, width: Math.max(1, last - first), height: tall, fill: one.colour })];
        const end = interval ? Math.max(last, scale(one.high[at])) : last;
        if (interval) {
          const [a, b, middle] = [scale(one.low[at]), scale(one.high[at]), top + tall / 2];
          const path = `M${a} ${middle}H${b}M${a} ${middle - 3}v6M${b} ${middle - 3}v6`;
          marks.push(svg("path", { d: path, class: "halo" }), svg("path", { d: path, class: "whisker" }));
        }
        if (tall > 9) marks.push(label(text(value), end + 4, top + tall - 2, "start", "value"));
        return [...marks, target];
      }
      const parts = Math.min(10, Math.max(2, Math.floor((right - left) / 60)));
      for (const tick of ticks(from, to, parts)) {
        const x = scale(tick);
        drawing.append(svg("line", { x1: x, x2: x, y1: 18, y2: y - 6, class: tick === 0 ? "axis" : "grid" }));
        drawing.append(label(shown(tick), x, 12, "middle"), label(shown(tick), x, y + 8, "middle"));
      }
      drawing.append(body, label(unit, right, y + 26, "end", "unit"));
      return y + 34;
    };
    return figure({ title, description, series: series.map((one) => ({ ...one, bar: true })), numbers: { columns, rows }, draw });
  }

  // Lines through points [x, y]: series {name, colour, dash, points, details(point)}; axes {label, low, high}.
  function lines({ title, description, x, y, series }) {
    const points = series.flatMap((one) => one.points);
    const range = (axis, at) => {
      const values = points.map((point) => point[at]);
      const [low, high] = [Math.min(axis.low ?? Infinity, ...values), Math.max(axis.high ?? -Infinity, ...values)];
      return low === high ? [low - 0.5, high + 0.5] : [low, high];
    };
    const [xs, close] = [range(x, 0), range(y, 1)];
    const step = ticks(...close, 5)[1] - ticks(...close, 5)[0] || 1;
    const ys = [Math.floor(close[0] / step + 1e-9) * step, Math.ceil(close[1] / step - 1e-9) * step];
    const rows = series.flatMap((one) => one.points.map((point) => [one.name, ...point.slice(0, 2).map(shown)]));
    const draw = (drawing, width, visible) => {
      const height = Math.round(Math.min(380, Math.max(230, width * 0.5)));
      const [left, right, top, bottom] = [52, width - 12, 24, height - 42];
      const across = (value) => left + ((value - xs[0]) / (xs[1] - xs[0])) * (right - left);
      const up = (value) => bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (bottom - top);
      for (const tick of ticks(...xs, Math.max(2, Math.floor(width / 70)), x.whole ? 1 : 0)) {
        drawing.append(svg("line", { x1: across(tick), x2: across(tick), y1: top, y2: bottom, class: "grid" }));
        drawing.append(label(shown(tick), across(tick), bottom + 16, "middle"));
      }
      for (const tick of ticks(...ys, (ys[1] - ys[0]) / step)) {
        drawing.append(svg("line", { x1: left, x2: right, y1: up(tick), y2: up(tick), class: "grid" }));
        drawing.append(label(shown(tick), left - 6, up(tick) + 4, "end"));
      }
      drawing.append(label(y.label, 2, 12, "start", "unit"), label(x.label, right, height - 8, "end", "unit"));
      const found = [];
      for (const one of series.filter(visible)) {
        const path = one.points.map((point, at) => `${at ? "L" : "M"}${across(point[0])} ${up(point[1])}`).join("");
        const stroke = { stroke: one.colour, "stroke-width": 2, fill: "none", "stroke-dasharray": DASHES[(one.dash || 0) % 4] };
        const line = svg("path", { d: path, ...stroke, class: "line" });
        drawing.append(line);
        const dotted = one.points.length <= 20;
        for (const point of one.points) {
          const [cx, cy] = [across(point[0]), up(point[1])];
          found.push({ one, point, cx, cy, line });
          if (dotted) drawing.append(svg("circle", { cx, cy, r: point === one.best ? 6 : 3, fill: one.colour }));
        }
      }
      follow(drawing, width, found, x, y);
      return height;
    };
    return figure({ title, description, series, numbers: { columns: ["", x.label, y.label], rows }, draw });
  }

  // The values of the point that is nearest to the pointer.
  function follow(drawing, width, found, x, y) {
    const ring = svg("circle", { r: 7, class: "ring", visibility: "hidden" });
    drawing.append(ring);
    drawing.onpointermove = (event) => {
      const place = drawing.getBoundingClientRect();
      const [px, py] = [event.clientX - place.left, event.clientY - place.top].map((value) => (value * width) / place.width);
      const far = (one) => Math.hypot(one.cx - px, one.cy - py);
      const nearest = found.reduce((best, one) => (best && far(best) <= far(one) ? best : one), null);
      if (!nearest) return;
      ring.setAttribute("cx", nearest.cx);
      ring.setAttribute("cy", nearest.cy);
      ring.setAttribute("visibility", "visible");
      const { one, point, line } = nearest;
      drawing.classList.add("pointed");
      drawing.querySelectorAll(".line").forEach((other) => other.classList.toggle("near", other === line));
      const more = one.details ? one.details(point) : [];
      report.showTip([one.name, [x.label, shown(point[0])], [y.label, shown(point[1])], ...more], ring.getBoundingClientRect());
    };
    drawing.onpointerleave = () => {
      ring.setAttribute("visibility", "hidden");
      drawing.classList.remove("pointed");
      report.hideTip();
    };
  }

  report.plots = { figure, bars, lines, svg, label, cut, ticks };
})();
