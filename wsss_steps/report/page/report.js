// What all parts of the page share: tabs, links, elements. Names come from users: text is only ever set as text.
"use strict";

window.report = window.report || {};

(() => {
  // A part of the page: {name, title, show(element, state)}, with count (a number beside the title) if it likes.
  // `show` fills the element, which is empty, when the tab is opened or its link is followed.
  report.tabs = [];

  // The hash that opens a tab in a state: link("gallery", {image: "a"}) is "#gallery?image=a".
  report.link = (name, params = {}) => {
    const text = new URLSearchParams(params).toString();
    return `#${encodeURIComponent(name)}${text ? `?${text}` : ""}`;
  };

  // Remember the state of the open tab in the location, without an entry in the history and without showing it again.
  report.keep = (params) => {
    const [name] = report.place();
    history.replaceState(null, "", report.link(name, params));
  };

  // The open tab's name, and its state.
  report.place = () => {
    const [name, params = ""] = location.hash.slice(1).split(/\?(.*)/s);
    let tab = name;
    try {
      tab = decodeURIComponent(name);
    } catch {
      // a hash that somebody mistyped names no tab
    }
    return [tab, new URLSearchParams(params)];
  };

  // An element with properties, attributes (`aria-` and `data-`) and children; texts among the children stay texts.
  report.element = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (key.includes("-") || key === "role" || key === "for") made.setAttribute(key, value);
      else made[key] = value;
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };

  // A choice from a list, with its label: options are texts, or pairs of value and text; `chosen(value)` is called.
  report.select = (label, options, value, chosen) => {
    const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
    const list = report.element("select", {}, ...pairs.map(([key, text]) => report.element("option", { value: key }, text)));
    list.value = pairs.some(([key]) => String(key) === String(value)) ? value : pairs[0]?.[0];
    list.addEventListener("change", () => chosen(list.value));
    return report.element("label", { className: "choice" }, report.element("span", {}, label), list);
  };
})();
