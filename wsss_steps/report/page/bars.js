// Horizontal bars in groups, with intervals where there are any.
"use strict";

(() => {
  const { figure, svg, label, cut, ticks, shown, CHARACTER } = report.plots;
  const [TOP, GAP, NARROW] = [22, 12, 560]; // px: above the bars, between groups, width below which names are above
  const known = (value) => value !== null && value !== undefined;

  // Where things are: names of the groups to the left of their bars, or above them where the page is narrow.
  function layout(groups, count, width, [from, to]) {
    const above = width < NARROW;
    const longest = Math.max(...groups.map((group) => group.length)) * CHARACTER + 14;
    const [left, right] = [above ? 4 : Math.min(longest, width * 0.3), width - 44];
    const thick = count * groups.length > 150 ? 8 : 13;
    const tall = count * (thick + 2);
    const step = tall + GAP + (above ? 18 : 0);
    const begin = (at) => TOP + at * step + (above ? 18 : 0);
    const scale = (value) => left + ((value - from) / (to - from)) * (right - left);
    return { above, left, right, thick, tall, begin, scale, from, to, bottom: TOP + groups.length * step };
  }

  function nameOf(group, at, { above, left, right, tall, begin }) {
    if (above) return label(cut(group, right), 4, begin(at) - 6, "start", "name");
    return label(cut(group, left - 8), left - 8, begin(at) + tall / 2 + 4, "end", "name");
  }

  function axis(drawing, { left, right, bottom, scale, from, to }) {
    const parts = Math.min(10, Math.max(2, Math.floor((right - left) / 60)));
    for (const tick of ticks(from, to, parts)) {
      const x = scale(tick);
      const kind = tick === 0 ? "axis" : "grid";
      drawing.append(svg("line", { x1: x, x2: x, y1: 18, y2: bottom - 6, class: kind }));
      drawing.append(label(shown(tick), x, 12, "middle"), label(shown(tick), x, bottom + 8, "middle"));
    }
  }

  function whisker(low, high, middle) {
    const path = `M${low} ${middle}H${high}M${low} ${middle - 3}v6M${high} ${middle - 3}v6`;
    return [svg("path", { d: path, class: "halo" }), svg("path", { d: path, class: "whisker" })];
  }

  // The bar of {value, low, high, colour, lines} at `top`; `lines` are those of its tip.
  function bar({ value, low, high, colour, lines }, top, text, { left, right, thick, scale, from }) {
    const base = top + thick - 2;
    if (!known(value)) return [label("–", scale(Math.max(from, 0)) + 4, base, "start", "value")];
    const [first, last] = [scale(Math.min(0, value)), scale(Math.max(0, value))];
    const marks = [svg("rect", { x: first, y: top, width: Math.max(1, last - first), height: thick, fill: colour })];
    if (known(low)) marks.push(...whisker(scale(low), scale(high), top + thick / 2));
    const end = known(low) ? Math.max(last, scale(high)) : last;
    if (thick > 9) marks.push(label(text(value), end + 4, base, "start", "value"));
    const whole = { x: left, y: top - 1, width: right - left, height: thick + 2, fill: "transparent" };
    const target = svg("rect", whole);
    report.tip(target, () => lines);
    return [...marks, target];
  }

  // Series {name, colour, values, low, high, details}, with a value, or null, for each group; `interval` says what low
  // and high are.
  report.plots.bars = ({ title, description, groups, series, unit, digits = 1, interval = "95 % interval" }) => {
    const values = series.flatMap((one) => [...one.values, ...(one.low || []), ...(one.high || [])]).filter(known);
    const range = [Math.min(0, ...values), Math.max(0, ...values) || 1];
    const spread = series.some((one) => one.low);
    const text = (value) => (known(value) ? value.toFixed(digits) : "–");
    const ends = (one, at) => (spread ? [text(one.low?.[at]), text(one.high?.[at])] : []);
    const rows = groups.flatMap((group, at) =>
      series.map((one) => [group, one.name, text(one.values[at]), ...ends(one, at)]),
    );
    const lines = (one, at) => [
      groups[at],
      [one.name, `${text(one.values[at])} ${unit}`],
      ...(known(one.low?.[at]) ? [[interval, ends(one, at).join(" to ")]] : []),
      ...(one.details?.[at] || []),
    ];
    const draw = (drawing, width, visible) => {
      const mine = series.filter(visible);
      const place = layout(groups, mine.length, width, range);
      axis(drawing, place);
      groups.forEach((group, at) => {
        drawing.append(nameOf(group, at, place));
        mine.forEach((one, number) => {
          const about = { value: one.values[at], low: one.low?.[at], high: one.high?.[at], colour: one.colour };
          const top = place.begin(at) + number * (place.thick + 2);
          drawing.append(...bar({ ...about, lines: lines(one, at) }, top, text, place));
        });
      });
      drawing.append(label(unit, place.right, place.bottom + 26, "end", "unit"));
      return place.bottom + 34;
    };
    const numbers = { columns: ["", "", unit, ...(spread ? ["low", "high"] : [])], rows };
    return figure({ title, description, series: series.map((one) => ({ ...one, bar: true })), numbers, draw });
  };
})();
