// Tables that are sorted by a click on a head, and what tabs choose from.
"use strict";

(() => {
  const { element } = report;
  const isNumber = (text) => text !== "" && text !== "–" && !Number.isNaN(Number(text));

  // Missing values last, whichever way; numbers by value, texts as people sort them.
  function compared(name, down) {
    return (one, other) => {
      const [a, b] = [one[name] ?? "", other[name] ?? ""].map(String);
      const missing = ["", "–"].includes(a) - ["", "–"].includes(b);
      if (missing) return missing;
      const order = isNumber(a) && isNumber(b) ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
      return down ? -order : order;
    };
  }

  // A table of records: columns {name, title, about, long, focus, show(value, record)}; tip(record) gives the lines of a
  // row's tip, shown on hover of its numbers and on focus of the one in the column with `focus`, else the first;
  // best(record, column) marks a number; `sort` is a column, with `-` before it from high to low, and sorted(sort) is told.
  report.table = ({ label, columns, records, tip, best, sort = "", sorted }) => {
    const body = element("tbody");
    const heads = columns.map((column) => {
      const button = element("button", { type: "button", title: column.about || "" }, column.title);
      button.addEventListener("click", () => by(column.name, !state.down || state.name !== column.name));
      return element("th", { scope: "col" }, button);
    });
    const state = { name: "", down: false };
    const isNumeric = (name) => records.every((record) => !record[name] || isNumber(String(record[name])));
    const numeric = columns.map((one) => isNumeric(one.name));
    heads.forEach((head, index) => head.classList.toggle("number", numeric[index]));

    function cell(column, index, record, focused) {
      const value = record[column.name] ?? "";
      const text = column.show ? column.show(value, record) : value === "" ? "–" : String(value);
      const made = element("td", { className: numeric[index] ? "number" : "" });
      if (column.long) made.classList.add("long");
      if (best && best(record, column.name)) made.classList.add("best");
      if (text instanceof Node) made.append(text);
      else if (tip && numeric[index]) made.append(tipped(text, record, focused));
      else made.append(...report.breakable(text));
      return made;
    }

    function tipped(text, record, focused) {
      const made = element("span", { tabIndex: focused ? 0 : -1, className: "tipped" }, text);
      if (focused) made.setAttribute("aria-description", tip(record).map((one) => [one].flat().join(": ")).join("; "));
      report.tip(made, () => tip(record));
      return made;
    }

    function by(name, down) {
      Object.assign(state, { name, down });
      const rows = name ? [...records].sort(compared(name, down)) : records;
      const first = columns.some((one) => one.focus) ? columns.findIndex((one) => one.focus) : numeric.indexOf(true);
      body.replaceChildren(
        ...rows.map((record) =>
          element("tr", {}, ...columns.map((column, index) => cell(column, index, record, index === first))),
        ),
      );
      columns.forEach((column, index) => {
        if (column.name === name) heads[index].setAttribute("aria-sort", down ? "descending" : "ascending");
        else heads[index].removeAttribute("aria-sort");
      });
      if (sorted && name) sorted(down ? `-${name}` : name);
    }

    const wanted = sort.replace(/^-/, "");
    by(columns.some((column) => column.name === wanted) ? wanted : "", sort.startsWith("-"));
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
    return element("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": label }, table);
  };

  // A section with its heading, a text or several, and what it shows.
  report.section = (title, texts, ...content) => {
    const notes = [texts].flat().filter(Boolean).map((text) => element("p", {}, text));
    return element("section", {}, element("h2", {}, title), ...notes, ...content);
  };

  // Stage and split of records, each once, the last first: pairs of value and text, as `report.select` takes them.
  report.places = (records) => {
    const words = (one) => `${one.stage.replaceAll("_", " ")} of ${one.split}`;
    return [...new Map(records.map((one) => [`${one.stage} ${one.split}`, words(one)]))].reverse();
  };

  report.at = (records, place) => records.filter((one) => `${one.stage} ${one.split}` === place);
})();
