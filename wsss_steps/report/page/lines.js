// Lines through points; the one that is nearest to the pointer stands out.
"use strict";

(() => {
  const { figure, svg, label, ticks, shown, DASHES } = report.plots;
  const MANY = 20; // points of a line, above which they have no dots

  // The lowest and highest value, and what the axis is to show at least.
  function range(points, axis, at) {
    const values = points.map((point) => point[at]);
    const [low, high] = [Math.min(axis.low ?? Infinity, ...values), Math.max(axis.high ?? -Infinity, ...values)];
    return low === high ? [low - 0.5, high + 0.5] : [low, high];
  }

  // The range widened to whole steps, and the step.
  function rounded([low, high]) {
    const [first, second] = ticks(low, high, 5);
    const step = second - first || 1;
    return [[Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step], step];
  }

  function axes(drawing, place, x, y) {
    const { left, right, top, bottom, across, up, xs, ys, step } = place;
    for (const tick of ticks(...xs, Math.max(2, Math.floor((right + 12) / 70)), x.whole ? 1 : 0)) {
      drawing.append(svg("line", { x1: across(tick), x2: across(tick), y1: top, y2: bottom, class: "grid" }));
      drawing.append(label(shown(tick), across(tick), bottom + 16, "middle"));
    }
    for (const tick of ticks(...ys, (ys[1] - ys[0]) / step)) {
      drawing.append(svg("line", { x1: left, x2: right, y1: up(tick), y2: up(tick), class: "grid" }));
      drawing.append(label(shown(tick), left - 6, up(tick) + 4, "end"));
    }
    drawing.append(label(y.label, 2, 12, "start", "unit"), label(x.label, right, bottom + 34, "end", "unit"));
  }

  // One line; gives its points with their places.
  function line(drawing, one, { across, up }) {
    const path = one.points.map((point, at) => `${at ? "L" : "M"}${across(point[0])} ${up(point[1])}`).join("");
    const stroke = { stroke: one.colour, "stroke-width": 2, "stroke-dasharray": DASHES[(one.dash || 0) % DASHES.length] };
    const drawn = svg("path", { d: path, fill: "none", class: "line", ...stroke });
    drawing.append(drawn);
    return one.points.map((point) => {
      const [cx, cy] = [across(point[0]), up(point[1])];
      const dot = { cx, cy, r: point === one.best ? 6 : 3, fill: one.colour };
      if (one.points.length <= MANY || point === one.best) drawing.append(svg("circle", dot));
      return { one, point, cx, cy, drawn };
    });
  }

  // Shows the values of the point that is nearest to the pointer.
  function follow(drawing, width, found, x, y) {
    const ring = svg("circle", { r: 7, class: "ring", visibility: "hidden" });
    drawing.append(ring);
    drawing.onpointermove = (event) => {
      const box = drawing.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top].map((at) => (at * width) / box.width);
      const far = (one) => Math.hypot(one.cx - px, one.cy - py);
      const nearest = found.reduce((best, one) => (best && far(best) <= far(one) ? best : one), null);
      if (!nearest) return;
      const { one, point, cx, cy, drawn } = nearest;
      for (const [key, value] of Object.entries({ cx, cy, visibility: "visible" })) ring.setAttribute(key, value);
      drawing.classList.add("pointed");
      drawing.querySelectorAll(".line").forEach((other) => other.classList.toggle("near", other === drawn));
      const values = [[x.label, shown(point[0])], [y.label, shown(point[1])]];
      report.showTip([one.name, ...values, ...(one.details?.(point) || [])], ring.getBoundingClientRect());
    };
    drawing.onpointerleave = () => {
      ring.setAttribute("visibility", "hidden");
      drawing.classList.remove("pointed");
      report.hideTip();
    };
  }

  // Series {name, group, colour, dash, points [x, y, ...], best, details(point)}; axes {label, low, high, whole}, of
  // which low and high are shown at least, and whole stands for steps of 1.
  report.plots.lines = ({ title, description, x, y, series }) => {
    const points = series.flatMap((one) => one.points);
    const xs = range(points, x, 0);
    const [ys, step] = rounded(range(points, y, 1));
    const draw = (drawing, width, visible) => {
      const height = Math.round(Math.min(380, Math.max(230, width * 0.5)));
      const [left, right, top, bottom] = [52, width - 12, 24, height - 42];
      const across = (value) => left + ((value - xs[0]) / (xs[1] - xs[0])) * (right - left);
      const up = (value) => bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (bottom - top);
      const place = { left, right, top, bottom, across, up, xs, ys, step };
      axes(drawing, place, x, y);
      follow(drawing, width, series.filter(visible).flatMap((one) => line(drawing, one, place)), x, y);
      return height;
    };
    const rows = series.flatMap((one) => one.points.map((point) => [one.name, ...point.slice(0, 2).map(shown)]));
    return figure({ title, description, series, numbers: { columns: ["", x.label, y.label], rows }, draw });
  };
})();
