// Confusion matrices as heat maps: the share of each row, right ones blue, wrong ones orange.
"use strict";

(() => {
  const { svg, label, cut, figure } = report.plots;
  const [RIGHT, WRONG] = [[0, 75, 150], [190, 60, 0]];
  const STEPS = [0, 0.01, 0.05, 0.2, 0.5, 1];

  // Between white and a colour: the root makes shares of a few percent visible.
  const mixed = (share, colour) => colour.map((part) => Math.round(255 + (part - 255) * Math.sqrt(share)));
  const tint = (share, colour) => `rgb(${mixed(share, colour).join(" ")})`;

  // Its luminance: above 0.179 black is the better ink, below it white; either has a contrast of 4.58 at least.
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const bright = (share, colour) => {
    const [r, g, b] = mixed(share, colour).map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  // Counts (rows, columns) with names: row r is what is so in truth, column c what was predicted.
  report.plots.heat = ({ title, description, rows, columns, counts, truth, predicted }) => {
    const totals = counts.map((row) => row.reduce((sum, value) => sum + value, 0));
    const share = (r, c) => (totals[r] ? counts[r][c] / totals[r] : 0);
    const numbers = {
      columns: [`${truth} \\ ${predicted}`, ...columns],
      rows: counts.map((row, r) => [rows[r], ...row.map((value) => String(value))]),
    };
    const draw = (drawing, width) => {
      const left = Math.min(Math.max(...rows.map((name) => name.length)) * 7.6 + 16, width * 0.3);
      const cell = Math.min(46, Math.floor((width - left - 40) / columns.length));
      const top = Math.min(Math.max(...columns.map((name) => name.length)) * 6.2 + 8, 110) * 0.87 + 10;
      columns.forEach((name, c) => {
        const [x, y] = [left + (c + 0.5) * cell + 4, top - 6];
        const turned = label(cut(name, 110), x, y);
        turned.setAttribute("transform", `rotate(-60 ${x} ${y})`);
        if (cell >= 11) drawing.append(turned);
      });
      rows.forEach((name, r) => {
        if (cell >= 11) drawing.append(label(cut(name, left - 8), left - 6, top + (r + 0.5) * cell + 4, "end"));
        columns.forEach((other, c) => drawing.append(...square(r, c, name, other)));
      });
      function square(r, c, name, other) {
        const [x, y, part] = [left + c * cell, top + r * cell, share(r, c)];
        const colour = tint(part, r === c ? RIGHT : WRONG);
        const mark = svg("rect", { x, y, width: cell - 1, height: cell - 1, fill: colour, class: "cell" });
        const pixels = `${counts[r][c].toLocaleString("en")} of ${totals[r].toLocaleString("en")} px`;
        report.tip(mark, () => [[truth, name], [predicted, other], [`${(100 * part).toFixed(2)} %`, pixels]]);
        if (cell < 26 || part < 0.005) return [mark];
        const kind = bright(part, r === c ? RIGHT : WRONG) > 0.179 ? "dark" : "light";
        const text = label((100 * part).toFixed(0), x + cell / 2 - 0.5, y + cell / 2 + 4, "middle", kind);
        text.setAttribute("pointer-events", "none");
        return [mark, text];
      }
      return top + rows.length * cell + 8 + key(drawing, left, top + rows.length * cell + 8);
    };
    const sides = `Rows: ${truth}; columns: ${predicted}; in percent of the row. ${description}`;
    return figure({ title, description: sides, numbers, draw });
  };

  // What the colours mean; gives its height in px.
  function key(drawing, left, top) {
    STEPS.forEach((part, number) => {
      const x = left + number * 40;
      [RIGHT, WRONG].forEach((colour, row) => {
        const place = { x, y: top + row * 12, width: 38, height: 11 };
        drawing.append(svg("rect", { ...place, fill: tint(part, colour), class: "cell" }));
      });
      drawing.append(label(`${100 * part} %`, x + 19, top + 38, "middle"));
    });
    drawing.append(label("right", left - 6, top + 10, "end"), label("wrong", left - 6, top + 23, "end"));
    return 44;
  }
})();
