// The tab of the scores.
"use strict";

(() => {
  const { element } = report;
  const table = report.numbers.tables.summary;
  if (!table) return;
  report.tabs.push({
    name: "scores",
    title: "Scores",
    show(panel) {
      const cells = (tag, texts) => element("tr", {}, ...texts.map((text) => element(tag, {}, text)));
      panel.append(element("div", { className: "wide" }, element("table", {}, cells("th", table.columns), ...table.rows.map((row) => cells("td", row)))));
    },
  });
})();
